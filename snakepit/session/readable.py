"""Owns turning a pane's raw bytes into the lines a person would have read; reads no files.

A terminal emulator decides what stood on the screen. A line is given out once: when it scrolls
away, when a program that never goes back has gone on to the next, or when it has stood unchanged
for STANDS seconds. So a spinner, a progress bar and the redrawing of an input box give nothing,
or their last state. Lines that ran on over the edge of the screen are whole again.
"""

import re
from collections import Counter, deque
from typing import NamedTuple

from snakepit.session.base import COLUMNS, ROWS
from snakepit.session.terminal import Row, Terminal

STANDS = 1.5  # seconds
REMEMBERED = 2_000  # lines that a program may print again after it cleared the screen
_VOLATILE = re.compile("[0-9\u2800-\u28ff\u2700-\u27bf·|/\\\\-]+")


class Line(NamedTuple):
    """One line as it stands on the screen, in one or more rows; its notes are on the first."""

    head: Row
    text: str
    last: int  # the number of its last row


class Readable:
    """Bytes in, lines out."""

    def __init__(self, columns: int = COLUMNS, rows: int = ROWS) -> None:
        self._terminal = Terminal(
            columns,
            rows,
            on_leave=self._leave,
            on_clear=self._clear,
            on_address=self._say_finished,
        )
        self._given: list[str] = []
        self._blank_due = False
        self._leaving: tuple[Row, str] | None = None  # the first rows of a line, scrolled away
        self._recent: deque[str] = deque(maxlen=REMEMBERED)
        self._replayed: Counter[str] = Counter()
        self.waits = False  # something on the screen may yet be given out

    def feed(self, data: bytes) -> list[str]:
        """Return the lines that are certain after these bytes."""
        self._terminal.feed(data)
        self.waits = True
        if not self._terminal.addressed:
            self._say_finished()
        return self._take()

    def stand(self, now: float) -> list[str]:
        """Return the lines that stand since STANDS seconds; called now and then while it waits."""
        lines = self._lines()
        for line in lines:
            if line.text != line.head.seen:
                line.head.seen, line.head.since = line.text, now
        old = [line for line in lines if now - line.head.since >= STANDS]
        self._say_standing(old, lines)
        self.waits = any(line.text != (line.head.said or "") for line in lines)
        return self._take()

    def settle(self) -> list[str]:
        """Return all that stands on the screen and was not given out: nothing more comes."""
        lines = self._lines()
        self._say_standing(lines, lines)
        self.waits = False
        return self._take()

    def _take(self) -> list[str]:
        given, self._given = self._given, []
        return given

    def _lines(self) -> list[Line]:
        terminal, lines = self._terminal, []
        head, text = self._leaving or (None, "")
        for y in range(terminal.lines):
            row = terminal.row(y)
            if head is None or not row.continues:
                head, text = row, ""
            text += row.text()
            if y + 1 < terminal.lines and terminal.row(y + 1).continues:
                text = _filled(text, terminal.columns)
                continue
            lines.append(Line(head, text, y))
            head = None
        return lines

    def _leave(self, row: Row) -> None:
        """The top row scrolls away."""
        head, text = (self._leaving if row.continues else None) or (row, "")
        text += row.text()
        self._leaving = None
        if self._terminal.row(1).continues:
            self._leaving = head, _filled(text, self._terminal.columns)
        elif text != head.said:
            self._say(text)

    def _clear(self) -> None:
        """All is about to be cleared. What redraws itself will print much of it again."""
        self._leaving = None
        if self._terminal.ever_addressed:
            self._replayed = Counter(self._recent)
        if not self._terminal.addressed:
            lines = self._lines()
            while lines and not lines[-1].text:
                lines.pop()
            for line in lines:
                self._say_once(line)
                line.head.said = line.head.said if self._terminal.ever_addressed else None

    def _say_finished(self) -> None:
        """Give out the lines above the cursor: the program never goes back to them."""
        if self._terminal.alternate:
            return
        for line in self._lines():
            if line.last >= self._terminal.cursor.y:
                return
            self._say_once(line)

    def _say_once(self, line: Line) -> None:
        if line.head.said != line.text:
            line.head.said = line.text
            self._say(line.text)

    def _say_standing(self, candidates: list[Line], lines: list[Line]) -> None:
        """Give out what is new on the screen, but not what only moved or only counts on."""
        moved = Counter(line.head.said for line in lines if line.head.said != line.text)
        for line in candidates:
            said, line.head.said = line.head.said, line.text
            if said == line.text or not line.text:
                continue
            if moved[line.text] > 0:
                moved[line.text] -= 1
            elif said is None or _shape(said) != _shape(line.text):
                self._say(line.text)

    def _say(self, text: str) -> None:
        if not text:
            self._blank_due = bool(self._recent)
            return
        shape = _shape(text)
        if self._replayed[shape] > 0:
            self._replayed[shape] -= 1
            return
        self._recent.append(shape)
        self._given += ["", text] if self._blank_due else [text]
        self._blank_due = False


def _filled(text: str, columns: int) -> str:
    """Give a row that runs on the spaces at its end back."""
    return text + " " * (-len(text) % columns)


def _shape(text: str) -> str:
    """The text without what a clock, a counter or a spinner changes."""
    return _VOLATILE.sub("#", text)
