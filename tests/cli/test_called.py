"""Hints are typed back as they stand: the program as it was called, the config it was called with."""

from pathlib import Path

import pytest

from snakepit.cli.called import as_called
from tests.cli.pits import Box


@pytest.mark.parametrize(
    ("called", "config", "text", "typed"),
    [
        (None, None, "agents.py up", "snakepit up"),
        ("python3 agents.py", None, "`agents.py down`", "`python3 agents.py down`"),
        (None, "agents.toml", "agents.py up", "snakepit up"),
        (None, "my own.toml", "agents.py logs x -f", "snakepit logs --config 'my own.toml' x -f"),
        (None, "x.toml", "agents.py init, or else", "snakepit init, or else"),
        (None, None, "install Python and run agents.py with it", None),
        (None, None, "see /src/agents.py up there", None),
    ],
)
def test_a_hint_can_be_typed(
    monkeypatch: pytest.MonkeyPatch,
    called: str | None,
    config: str | None,
    text: str,
    typed: str | None,
) -> None:
    monkeypatch.delenv("SNAKEPIT_CALLED", raising=False)
    if called:
        monkeypatch.setenv("SNAKEPIT_CALLED", called)
    assert as_called(text, config) == (typed or text)


def test_an_error_names_the_program_as_it_was_called(
    box: Box, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SNAKEPIT_CALLED", "python3 agents.py")
    said = box.run("retry", "ghost").stderr
    assert f"fix: python3 agents.py ls --config {tmp_path / 'agents.toml'} shows" in said
