"""Proves what the built-in tables read from recorded screens of real programs: state, draft, answer."""

from pathlib import Path
from typing import NamedTuple

import pytest

from snakepit.config.deep import made
from snakepit.core.composer import Reading, State, read_screen
from snakepit.core.dialogs import next_key

FOLDER = Path(__file__).parents[1] / "transcripts" / "screens"
SAID = "● I found this on the screen of another one:"


class Case(NamedTuple):
    screen: str
    state: State
    dialog: str = ""
    key: str | None = None
    draft: str | None = None


ASKS, READY, WORKING = State.ASKS, State.READY, State.WORKING
CASES = (
    Case("claude-trust", ASKS, "trust", "Down"),
    Case("claude-trust-2.1.197", ASKS, "trust", "Enter"),
    Case("claude-key", ASKS, "key", "Up"),
    Case("claude-key-2.1.197", ASKS, "key", "Up"),
    Case("claude-bypass", ASKS, "bypass", "Down"),
    Case("claude-bypass-2.1.197", ASKS, "bypass", "Down"),
    Case("claude-theme", ASKS, "theme", "Enter"),
    Case("claude-notes", ASKS, "notes", "Enter"),
    Case("claude-permission", ASKS, "permission"),
    Case("claude-question", ASKS, "unknown"),
    Case("claude-plan", ASKS, "plan"),
    Case("claude-limit-menu", ASKS, "limit"),
    Case("claude-limit-armed", READY, draft=""),
    Case("claude-ready", READY, draft=""),
    Case("claude-hint", READY, draft=""),
    Case("claude-draft", READY, draft="half typed by a person"),
    Case("claude-pasted", READY, draft="[Pasted text #1 +1 lines]"),
    Case("claude-queued", WORKING, draft=""),
    Case("claude-killed", State.UNKNOWN),
    Case("codex-trust", ASKS, "trust", "Enter"),
    Case("codex-model", ASKS, "model"),
    Case("codex-permission", ASKS, "permission"),
    Case("codex-ready", READY, draft=""),
    Case("codex-draft", READY, draft="alpha line one"),
    Case("codex-working", WORKING, draft=""),
    Case("gemini-trust", ASKS, "trust", "Enter"),
    Case("gemini-quota", ASKS, "quota"),
    Case("gemini-ready", READY, draft=""),
    Case("gemini-draft", READY, draft="alpha line one"),
    Case("copilot-trust", ASKS, "trust", "Enter"),
    Case("opencode-permission", ASKS, "permission"),
    Case("qwen-login", ASKS, "login"),
    Case("aider-question", ASKS, "question"),
)


def recorded(name: str) -> list[str]:
    return (FOLDER / f"{name}.txt").read_text(encoding="utf-8").split("\n")


def read(name: str, rows: list[str], *, dialogs: bool = True) -> Reading:
    program = name.partition("-")[0]
    tables = made(program, {}, "dialogs") if dialogs else ()
    return read_screen(rows, made(program, {}, "screen"), tables)


@pytest.mark.parametrize("case", [pytest.param(case, id=case.screen) for case in CASES])
def test_a_recorded_screen_is_read(case: Case) -> None:
    found = read(case.screen, recorded(case.screen))
    question = found.question
    assert found.state == case.state
    assert (question.name if question else "") == case.dialog
    assert (next_key(question) if question else None) == case.key
    assert found.draft == case.draft


MENUS = [
    case.screen
    for case in CASES
    if case.state is ASKS
    and case.screen
    not in ("claude-notes", "claude-theme", "opencode-permission", "aider-question", "qwen-login")
]


@pytest.mark.parametrize("name", MENUS)
def test_no_table_is_needed_to_see_that_it_asks(name: str) -> None:
    found = read(name, recorded(name), dialogs=False)
    assert found.question is not None
    assert found.question.name == "unknown"
    assert next_key(found.question) is None


@pytest.mark.parametrize(
    "name",
    [case.screen for case in CASES if case.screen.startswith("claude-") and case.state is ASKS],
)
def test_a_question_that_is_only_quoted_is_none(name: str) -> None:
    quoted = [*recorded("claude-ready")[:8], SAID, *recorded(name), *recorded("claude-ready")[8:]]
    assert read("claude-ready", quoted).state is READY


ANSWERS = [("claude-trust", "Yes, I trust this folder"), ("claude-bypass", "Yes, I accept")]


@pytest.mark.parametrize(("name", "wanted"), ANSWERS)
def test_the_key_follows_the_mark(name: str, wanted: str) -> None:
    """Enter is right only when the mark stands before the wanted row, wherever the mark began."""
    rows = recorded(name)
    moved = [
        row.replace("❯ No, exit", "  No, exit").replace(f"  {wanted}", f"❯ {wanted}")
        for row in rows
    ]
    asked = read(name, rows).question
    answered = read(name, moved).question
    assert asked is not None and next_key(asked) == "Down"
    assert answered is not None and next_key(answered) == "Enter"


def test_a_mark_nowhere_or_twice_presses_nothing() -> None:
    rows = recorded("claude-trust")
    twice = [row.replace("   Yes, I trust", " ❯ Yes, I trust") for row in rows]
    nowhere = [row.replace("❯", " ") for row in rows]
    for shown in (twice, nowhere):
        question = read("claude-trust", shown).question
        assert question is None or next_key(question) is None


def test_a_faint_text_is_no_draft() -> None:
    rows = recorded("claude-draft")
    bright = [row.replace("half typed by a person", " " * 22) for row in rows]
    screen = made("claude", {}, "screen")
    assert read_screen(rows, screen, (), bright=rows).draft == "half typed by a person"
    assert read_screen(rows, screen, (), bright=bright).draft == ""
