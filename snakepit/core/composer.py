"""Owns reading an agent program's screen: a question, at work, ready, and what stands typed unsent.

The line to type on (the composer) is what the newest part of a screen hangs on: what stands above
it is conversation, which may quote anything, and no question is open while it is there.
"""

from collections.abc import Iterable, Sequence
from enum import StrEnum
from typing import NamedTuple, Protocol

from snakepit.core.dialogs import DialogTable, Question, compiled, question_on

NEAR = 14  # written rows from the bottom, in which a program tells what it does


class ScreenTable(Protocol):
    """See config.program.Screen."""

    @property
    def ready(self) -> str: ...
    @property
    def working(self) -> str: ...
    @property
    def confirm(self) -> str: ...
    @property
    def composer(self) -> str: ...
    @property
    def hint(self) -> str: ...


class State(StrEnum):
    """UNKNOWN: none of the others is sure, which is true of most programs while they start."""

    ASKS = "asks"
    WORKING = "working"
    READY = "ready"
    UNKNOWN = "unknown"


class Reading(NamedTuple):
    """`draft` is what stands typed and not sent, None where the screen does not tell."""

    state: State
    draft: str | None = None
    question: Question | None = None

    @property
    def has_composer(self) -> bool:
        return self.draft is not None

    @property
    def is_free(self) -> bool:
        """Ready for a text, with nothing half typed; a program without a composer shows none."""
        return self.state is State.READY and not self.draft


def read_screen(
    rows: Sequence[str],
    screen: ScreenTable,
    dialogs: Iterable[DialogTable],
    *,
    bright: Sequence[str] | None = None,
) -> Reading:
    """What the visible rows tell. `bright`: the same rows with blanks for what is faint, as hints are."""
    plain = _bottom(rows)
    text = "\n".join(plain)
    near = "\n".join(plain[_from(plain) :])
    box = _last(screen.composer, text)
    below = text[box.end() :] if box else text
    question = question_on(below.split("\n"), dialogs, screen.confirm)
    if question is not None:
        return Reading(State.ASKS, None, question)
    draft = _draft(box, screen.hint, plain, bright) if box else None
    if screen.working and compiled(screen.working).search(near):
        return Reading(State.WORKING, draft)
    is_ready = box if screen.composer else screen.ready and compiled(screen.ready).search(near)
    return Reading(State.READY if is_ready else State.UNKNOWN, draft)


def _bottom(rows: Sequence[str]) -> list[str]:
    plain = [row.replace("\u00a0", " ").rstrip() for row in rows]
    while plain and not plain[-1]:
        plain.pop()
    return plain


def _from(rows: list[str]) -> int:
    written = [index for index, row in enumerate(rows) if row]
    return written[-NEAR] if len(written) > NEAR else 0


def _last(pattern: str, text: str):  # type: ignore[no-untyped-def]
    """The lowest match of a pattern; None for an empty one."""
    found = None
    if pattern:
        for found in compiled(pattern).finditer(text):  # noqa: B007  the last is wanted
            pass
    return found


def _draft(box, hint: str, rows: list[str], bright: Sequence[str] | None) -> str:  # type: ignore[no-untyped-def]
    typed: str = box[1].strip()
    if not typed or (hint and compiled(hint).match(typed)):
        return ""
    if bright is not None:
        first = box.string.count("\n", 0, box.start(1))
        shown = _bottom(bright)[first : first + box[1].count("\n") + 1]
        if shown and not any(set(row) & set(typed) - set(" ") for row in _without_mark(shown)):
            return ""
    return typed


def _without_mark(rows: list[str]) -> list[str]:
    """The first row without the mark that every composer begins with."""
    return [rows[0].lstrip(" │┃")[1:], *rows[1:]]
