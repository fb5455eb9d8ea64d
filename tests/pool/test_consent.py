"""Proves that what nobody named does not act alone before a person agreed to exactly that."""

import os
from pathlib import Path

import pytest

from snakepit.config.loader import load
from snakepit.config.model import Config
from snakepit.pool.consent import WAITS, give, missing, wanted

AGENTS = '[[agent]]\nname = "a"\n[[agent]]\nname = "b"\n'


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    program = tmp_path / "bin" / "codex"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return {"PATH": str(program.parent), "HOME": str(tmp_path)}


def config_of(folder: Path, environ: dict[str, str], text: str = AGENTS) -> Config:
    path = folder / "agents.toml"
    path.write_text(text)
    return load(path, environ=environ)


def why(config: Config, environ: dict[str, str]) -> str:
    return missing(config, config.agents[0], environ)


def test_a_program_that_was_found_waits_for_consent(
    tmp_path: Path, environ: dict[str, str]
) -> None:
    config = config_of(tmp_path, environ)
    assert config.agents[0].backend == "codex"
    assert why(config, environ) == WAITS
    (asked,) = wanted(config, config.agents, environ)
    assert asked.said.splitlines() == [
        f"{tmp_path}/bin/codex --dangerously-bypass-approvals-and-sandbox",
        f"  in {tmp_path}",
        "  as the login in ~/.codex",
    ]
    give(config, [asked])
    assert why(config, environ) == ""
    assert wanted(config, config.agents, environ) == ()
    assert (config.state_dir / "consent.json").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "change",
    [
        {"OPENAI_API_KEY": "sk-other-key"},
        {"CODEX_HOME": "/elsewhere"},
        {"SNAKEPIT_SET_BACKEND_CODEX_FLAGS": "--yolo"},
        {"SNAKEPIT_SET_AGENT_A_DIR": "sub"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_consent_is_for_one_account_folder_and_way(
    tmp_path: Path, environ: dict[str, str], change: dict[str, str]
) -> None:
    config = config_of(tmp_path, environ)
    give(config, wanted(config, config.agents, environ))
    other = {**environ, **change}
    assert why(config_of(tmp_path, other), other) == WAITS


def test_no_value_is_kept_or_told(tmp_path: Path, environ: dict[str, str]) -> None:
    keyed = {**environ, "OPENAI_API_KEY": "sk-very-secret-value"}
    config = config_of(tmp_path, keyed)
    asked = wanted(config, config.agents, keyed)
    give(config, asked)
    assert asked[0].pays == "codex by your OPENAI_API_KEY"
    assert "secret" not in asked[0].said + (config.state_dir / "consent.json").read_text()


@pytest.mark.parametrize(
    "text",
    [
        f"[defaults]\nconsent = true\n{AGENTS}",
        f'[defaults]\nbackend = "codex"\n{AGENTS}',
        '[[agent]]\nname = "a"\nbackend = "codex"\n',
        f'[backend.codex]\nflags = "--ask-for-approval untrusted"\n{AGENTS}',
    ],
    ids=["said so", "named for all", "named for one", "asks by itself"],
)
def test_what_needs_no_consent(tmp_path: Path, environ: dict[str, str], text: str) -> None:
    config = config_of(tmp_path, environ, text)
    assert why(config, environ) == ""
    assert wanted(config, config.agents, environ) == ()


def test_our_own_agent_asks_nothing_either(tmp_path: Path) -> None:
    keyed = {"PATH": str(tmp_path), "ANTHROPIC_API_KEY": "x"}
    config = config_of(tmp_path, keyed)
    assert (config.agents[0].backend, config.agents[0].feed) == ("anthropic", "task")
    assert why(config, keyed) == WAITS


def test_nothing_found_is_no_model(tmp_path: Path) -> None:
    bare = {"PATH": os.fspath(tmp_path)}
    config = config_of(tmp_path, bare)
    assert config.agents[0].backend == "auto"
    assert "no agent CLI on PATH" in why(config, bare)
    assert wanted(config, config.agents, bare) == ()


SERVED = '[anthropic]\nbase_url = "http://127.0.0.1:1"\n[[agent]]\nname = "a"\nbackend = "{}"\n'


@pytest.mark.parametrize("backend", ["anthropic", "auto"])
def test_our_own_agent_needs_no_key_with_a_server_of_ones_own(tmp_path: Path, backend: str) -> None:
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    config = config_of(tmp_path, bare, SERVED.format(backend))
    assert config.agents[0].backend == "anthropic"
    assert "is set" not in why(config, bare)


def test_a_key_of_the_agents_own_counts(tmp_path: Path) -> None:
    bare = {"PATH": str(tmp_path), "HOME": str(tmp_path)}
    text = '[[agent]]\nname = "a"\nbackend = "anthropic"\n'
    assert "none of ANTHROPIC_API_KEY" in why(config_of(tmp_path, bare, text), bare)
    own = 'env = { ANTHROPIC_API_KEY = "of-one-agent" }\n'
    assert why(config_of(tmp_path, bare, text + own), bare) == ""
