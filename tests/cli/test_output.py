"""How answers look: a table on a terminal, tabs in a pipe, nothing that drives the terminal."""

import io
import os
import pty
import subprocess
import sys

import pytest

from snakepit.cli.output import print_table, printable
from tests.cli.pits import Box


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain", "plain"),
        ("tab\tstays", "tab\tstays"),
        ("wörd 食物 🐍", "wörd 食物 🐍"),
        ("\x1b[31mred", "%1B[31mred"),
        ("two\nlines", "two%0Alines"),
        ("\x9b1m", "%9B1m"),
        ("right\u202eleft", "right\\u202eleft"),
        ("not utf-8 \udcff", "not utf-8 %FF"),
    ],
)
def test_printable(text: str, shown: str) -> None:
    assert printable(text) == shown


def test_a_table_in_a_pipe_has_tabs_and_no_heading(monkeypatch: pytest.MonkeyPatch) -> None:
    out = io.StringIO()
    monkeypatch.setattr("sys.stdout", out)
    print_table(("a", "b"), [("1", "x y"), ("2", "\x1b")])
    assert out.getvalue() == "1\tx y\n2\t%1B\n"


def on_terminal(box: Box, *words: str) -> str:
    """What the verb writes to a terminal of its own."""
    leader, follower = pty.openpty()
    command = [sys.executable, "-m", "snakepit.cli.main", *words]
    try:
        subprocess.run(
            [*command, "--config", str(box.root / "agents.toml")],
            stdout=follower,
            stdin=subprocess.DEVNULL,
            env={**os.environ, "TERM": "xterm", "COLUMNS": "100"},
            timeout=30,
            check=True,
        )
        return os.read(leader, 65536).decode()
    finally:
        os.close(leader)
        os.close(follower)


def test_a_table_on_a_terminal_has_a_heading_and_no_markup(box: Box) -> None:
    box.fed("x", "[red]meal")
    said = on_terminal(box, "ls")
    assert "where" in said
    assert "[red]meal.md" in said


def test_status_on_a_terminal_is_a_table_of_snakes(box: Box) -> None:
    said = on_terminal(box, "status")
    assert "snake-1" in said
    assert "no model" in said
    assert "daemon not running" in said
