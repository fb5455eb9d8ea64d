"""Proves that `up` asks only a person, and that nobody's silence is a yes."""

import sys
from pathlib import Path

import click
import pytest

from snakepit.cli.consent import ask_consent
from snakepit.cli.options import Invocation
from snakepit.config.loader import load
from snakepit.pool.consent import WAITS, missing


class Scene:
    def __init__(self, folder: Path) -> None:
        program = folder / "claude"
        program.write_text("#!/bin/sh\n")
        program.chmod(0o755)
        self.environ = {"PATH": str(folder)}
        path = folder / "agents.toml"
        path.write_text('[[agent]]\nname = "a"\n')
        self.config = load(path, environ=self.environ)

    def ask(self, *, yes: bool = False) -> None:
        ask_consent(Invocation(), self.config, self.config.agents, self.environ, yes=yes)

    @property
    def waits(self) -> bool:
        return missing(self.config, self.config.agents[0], self.environ) == WAITS


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(tmp_path)


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (sys.stdin, sys.stderr):
        monkeypatch.setattr(stream, "isatty", lambda: True)


def test_without_a_terminal_nobody_is_asked(
    scene: Scene, capsys: pytest.CaptureFixture[str]
) -> None:
    scene.ask()
    assert scene.waits
    said = capsys.readouterr().err
    assert "claude --dangerously-skip-permissions" in said
    assert "up --yes" in said


def test_yes_is_consent_and_is_asked_once(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    scene.ask(yes=True)
    assert not scene.waits
    capsys.readouterr()
    scene.ask()
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("terminal")
@pytest.mark.parametrize("answer", [True, False])
def test_a_person_at_a_terminal_decides(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, answer: bool
) -> None:
    monkeypatch.setattr(click, "confirm", lambda *_words, **_options: answer)
    scene.ask()
    assert scene.waits is not answer
