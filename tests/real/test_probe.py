"""Proves that a probe tells what the installed programs can do, and leaves nothing of them behind."""

import json
from pathlib import Path

import pytest

from snakepit.config.loader import load
from snakepit.pool.catalog import every_backend
from snakepit.pool.probe import Check, probe
from tests.standin.fixture import Vendor
from tests.standin.steps import say
from tests.support import clis

pytestmark = [pytest.mark.timeout(300), pytest.mark.needs("tmux")]
MODEL = {"gemini": "gemini-2.5-flash", "aider": "openai/gpt-standin", "pi": "standin/gpt-standin"}
PROGRAMS = ("claude", "codex", "gemini", "opencode", "qwen", "pi", "aider")


@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=pytest.mark.needs(name)) for name in PROGRAMS]
)
def test_a_probe_of_a_real_program(program: str, vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(say("pong"))
    folder = tmp_path / "project"
    cli = clis.prepare(program, tmp_path / "home", folder, vendor.url)
    names = sorted(set(cli.env) - set(clis.plain_env(tmp_path)))
    path = folder / "agents.toml"
    path.write_text(
        f'[defaults]\ntrust_workspace = true\n[[agent]]\nname = "a"\nbackend = "{program}"\n'
        f'kind = "task"\nmodel = "{MODEL.get(program, "")}"\nenv_pass = {json.dumps(names)}\n'
    )
    environ = dict(cli.env)
    config = load(path, environ=environ)
    checks: list[Check] = []
    card = probe(config, every_backend(config)[program], environ, tell=checks.append)
    kept = json.loads((config.state_dir / "backends" / f"{program}.json").read_text())
    assert kept["checks"] == card["checks"]
    wrong = [check for check in checks if check.found is False]
    assert not wrong, "\n".join(map(str, checks))
    assert card["standing"] == "known"
