"""Proves that a probe tells what the installed programs can do, and leaves nothing of them behind."""

import json
import re
from pathlib import Path

import pytest

from snakepit.config.loader import load
from snakepit.pool.catalog import every_backend
from snakepit.pool.probe import Check, probe
from tests.standin.fixture import Vendor
from tests.standin.space import Asked
from tests.standin.steps import Step, say
from tests.support import clis

pytestmark = [pytest.mark.timeout(300), pytest.mark.needs("tmux")]
PROGRAMS = ("claude", "codex")


def answers(asked: Asked) -> Step:
    """The word it is told, as it arrived; a long answer to who wants one."""
    if "Count slowly" in asked.user:
        return say("1 2 3", first_delay=30.0)
    words = re.findall(r"one word (pong[-\w]*)", "\n".join(asked.talk.users))
    return say(words[-1] if words else "nothing")


@pytest.mark.parametrize(
    "program", [pytest.param(name, marks=pytest.mark.needs(name)) for name in PROGRAMS]
)
def test_a_probe_of_a_real_program(program: str, vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(answers)
    folder = tmp_path / "project"
    cli = clis.prepare(program, tmp_path / "home", folder, vendor.url)
    names = sorted(set(cli.env) - set(clis.plain_env(tmp_path)))
    path = folder / "agents.toml"
    path.write_text(
        f'[defaults]\ntrust_workspace = true\n[[agent]]\nname = "a"\nbackend = "{program}"\n'
        f'kind = "task"\nenv_pass = {json.dumps(names)}\n'
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
