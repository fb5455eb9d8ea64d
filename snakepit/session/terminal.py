"""Owns reading a pane's bytes onto a screen: text in rows, colours ignored; prints nothing.

pyte keeps the screen. The reading of escape sequences is ours, because pyte's prints the tails of
sequences it does not know (kitty keys, DCS, `38:2:…m`), and its drawing drops the rest of a text
after a variation selector.
"""

import re
from collections import defaultdict
from collections.abc import Callable

import pyte
import pyte.modes
from pyte.screens import Char, StaticDefaultDict
from wcwidth import wcwidth

from snakepit.session.escape import EscapeReader, numbers_in

ALTERNATE = {47, 1047, 1049}
KEPT_MODES = {6, 7}  # origin, autowrap: the private modes that move text

_MOVES = {
    "A": "cursor_up",
    "B": "cursor_down",
    "C": "cursor_forward",
    "D": "cursor_back",
    "E": "cursor_down1",
    "F": "cursor_up1",
    "G": "cursor_to_column",
    "H": "cursor_position",
    "L": "insert_lines",
    "M": "delete_lines",
    "P": "delete_characters",
    "X": "erase_characters",
    "@": "insert_characters",
    "`": "cursor_to_column",
    "a": "cursor_forward",
    "d": "cursor_to_line",
    "e": "cursor_down",
    "f": "cursor_position",
}
_ADDRESSING = frozenset("AFHLMdf")  # what goes back to rows that were written


class Row(StaticDefaultDict[int, Char]):
    """One row of the screen; what is noted on it moves with it."""

    said: str | None = None  # the text that was given out for this row
    seen: str = ""  # the text at the last look, and since when it stands
    since: float = 0.0
    continues: bool = False  # begins where the row before was full

    def text(self) -> str:
        if not self:
            return ""
        last = max(self)
        return "".join(self[x].data for x in range(last + 1)).rstrip()


class Terminal(pyte.Screen):
    """A screen that is fed bytes, and tells before rows are lost.

    `on_leave` gets the top row when it scrolls away; `on_clear` is called before all is cleared,
    `on_address` before the program first goes back to rows that it has written.
    """

    def __init__(
        self,
        columns: int,
        lines: int,
        *,
        on_leave: Callable[[Row], None],
        on_clear: Callable[[], None],
        on_address: Callable[[], None],
    ) -> None:
        super().__init__(columns, lines)
        self.buffer = defaultdict(self._blank_row)
        self.addressed = False  # the program goes back to rows, since the last clearing
        self.ever_addressed = False
        self._fresh = True  # nothing was drawn since the last clearing
        self._by_position = False  # by naming the place, not by going up
        self._went_back = False  # and nothing was drawn there yet: a clearing may follow
        self.alternate = False
        self._main: tuple[dict[int, Row], tuple[int, int]] | None = None
        self._on_leave = on_leave
        self._on_clear = on_clear
        self._on_address = on_address
        self._reader = EscapeReader()
        self._last = " "
        self._chars: dict[str, Char] = {}

    def feed(self, data: bytes) -> None:
        for found in self._reader.read(data):
            self._perform(found)

    def row(self, y: int) -> Row:
        row = self.buffer[y]
        assert isinstance(row, Row)
        return row

    def _blank_row(self) -> Row:
        return Row(Char(" "))

    def _perform(self, found: re.Match[str]) -> None:
        kind = found.lastgroup
        if kind == "text":
            self.draw(found["text"])
        elif kind == "control":
            self._control(found["control"])
        elif kind == "final":
            if not found["between"]:
                self._sequence(found["params"], found["final"])
        elif kind == "escape":
            self._escape(found["kind"], found["escape"])

    def _control(self, char: str) -> None:
        if char in "\n\v\f":
            if not self.addressed:
                self.carriage_return()  # text that came through a pipe has no CR
            self.linefeed()
            self.row(self.cursor.y).continues = False
        elif char == "\r":
            self.carriage_return()
        elif char == "\b":
            self.backspace()
        elif char == "\t":
            self.tab()
        elif char == "\x0e":
            self.shift_out()
        elif char == "\x0f":
            self.shift_in()

    def _escape(self, kind: str, final: str) -> None:
        if kind in ("(", ")"):
            self.define_charset(final, mode=kind)
        elif kind == "#" and final == "8":
            self.alignment_display()
        elif not kind:
            self._plain_escape(final)

    def _plain_escape(self, final: str) -> None:
        if final == "D":
            self.index()
        elif final == "E":
            self.carriage_return()
            self.index()
        elif final == "M":
            self._address()
            self.reverse_index()
        elif final == "7":
            self.save_cursor()
        elif final == "8":
            self._address()
            self.restore_cursor()
        elif final == "H":
            self.set_tab_stop()
        elif final == "c":
            self._cleared()
            self.reset()

    def _sequence(self, params: str, final: str) -> None:
        if final == "m":
            return
        if params[:1] in "<=>?" and params:
            if params[0] == "?" and final in "hl":
                self._private_modes(numbers_in(params[1:]), on=final == "h")
            return
        numbers = numbers_in(params)
        if final in _ADDRESSING:
            self._by_position = final in "Hf"
            self._address()
        if final in _MOVES:
            getattr(self, _MOVES[final])(*numbers[: 2 if final in "Hf" else 1])
        elif final in "JK":
            self._erase(final, numbers[0])
        else:
            self._rare_sequence(final, numbers)

    def _rare_sequence(self, final: str, numbers: list[int]) -> None:
        first = numbers[0]
        if final == "r":
            bottom = numbers[1] if len(numbers) > 1 else 0
            self.set_margins(first or None, bottom or None)
        elif final == "S":
            self._scroll_up(first)
        elif final == "b":
            self.draw(self._last * min(first or 1, self.columns))
        elif final == "s":
            self.save_cursor()
        elif final == "u":
            self._address()
            self.restore_cursor()
        elif final == "g":
            self.clear_tab_stop(first)
        elif final in "hl" and first == pyte.modes.IRM:
            (self.set_mode if final == "h" else self.reset_mode)(pyte.modes.IRM)

    def _private_modes(self, numbers: list[int], *, on: bool) -> None:
        for number in numbers:
            if number in KEPT_MODES:
                (self.set_mode if on else self.reset_mode)(number, private=True)
            elif number in ALTERNATE and on != self.alternate:
                self._switch(on=on)

    def _switch(self, *, on: bool) -> None:
        """Enter or leave the alternate screen, which keeps no rows of its own."""
        self._fresh = False
        self._address()
        self._touch()
        self.alternate = on
        cursor = (self.cursor.x, self.cursor.y)
        if on:
            self._main = ({y: self.row(y) for y in range(self.lines)}, cursor)
            self.buffer.clear()
            return
        self.buffer.clear()
        if self._main is not None:
            rows, (self.cursor.x, self.cursor.y) = self._main
            self.buffer.update(rows)
        self.margins = None

    def _erase(self, final: str, how: int) -> None:
        if final == "K":
            self._touch()
            self.erase_in_line(how)
            return
        home = self._by_position and self.cursor.y == 0 and self.cursor.x == 0
        if how == 2 or (how == 0 and home):
            self._cleared()
        if how in (0, 1, 2):
            self.erase_in_display(how)

    def _cleared(self) -> None:
        if not self.alternate:
            self._on_clear()
            self._fresh, self._went_back, self.addressed = True, False, False

    def _address(self) -> None:
        if not (self._fresh or self._went_back or self.addressed):
            self._on_address()
            self._went_back = True

    def _touch(self) -> None:
        self._fresh = False
        if self._went_back:
            self._went_back = False
            self.addressed = self.ever_addressed = True

    def _scroll_up(self, count: int) -> None:
        saved = self.cursor.y
        _, self.cursor.y = self.margins or (0, self.lines - 1)
        for _ in range(min(count or 1, self.lines)):
            self.index()
        self.cursor.y = saved

    def index(self) -> None:
        top, bottom = self.margins or (0, self.lines - 1)
        if self.cursor.y != bottom:
            self.cursor.y = min(self.cursor.y + 1, self.lines - 1)
            return
        if top == 0 and not self.alternate:
            self._on_leave(self.row(0))
        super().index()
        self.dirty.clear()

    def backspace(self) -> None:
        """As tmux does it: back over the end of the row before, where that row ran on."""
        if self.cursor.x > 0:
            self.cursor.x -= 1
        elif self.cursor.y > 0 and self.row(self.cursor.y).continues:
            self.cursor.y -= 1
            self.cursor.x = self.columns - 1

    def cursor_back(self, count: int | None = None) -> None:
        self.cursor.x = max(0, self.cursor.x - (count or 1))

    def cursor_up(self, count: int | None = None) -> None:
        self.ensure_hbounds()
        super().cursor_up(count)

    def cursor_down(self, count: int | None = None) -> None:
        self.ensure_hbounds()
        super().cursor_down(count)

    def erase_in_line(self, how: int = 0, private: bool = False) -> None:
        row, x = self.buffer[self.cursor.y], self.cursor.x
        if how == 2:
            row.clear()
            return
        for key in [key for key in row if (key >= x if how == 0 else key <= x)]:
            del row[key]

    def erase_in_display(self, how: int = 0, *args: object, **kwargs: object) -> None:
        below = range(self.cursor.y + 1, self.lines)
        for y in {0: below, 1: range(self.cursor.y)}.get(how, range(self.lines)):
            self.buffer[y].clear()
        if how in (0, 1):
            self.erase_in_line(how)

    def draw(self, data: str) -> None:
        if self.charset or self.g0_charset is not pyte.charsets.LAT1_MAP:
            data = data.translate(self.g1_charset if self.charset else self.g0_charset)
        self._touch()
        cursor, columns, chars = self.cursor, self.columns, self._chars
        row = self.buffer[cursor.y]
        wraps = pyte.modes.DECAWM in self.mode
        for text in data:
            width = 1 if text < "\x7f" else wcwidth(text)
            if width <= 0:
                self._join(text)
                continue
            if cursor.x + width > columns:
                row = self._wrap(width)
            if pyte.modes.IRM in self.mode:
                self.insert_characters(width)
            char = chars.get(text)
            if char is None:
                char = chars[text] = Char(text)
            row[cursor.x] = char
            if width == 2:
                row[cursor.x + 1] = Char("")
            cursor.x = min(cursor.x + width, columns if wraps else columns - 1)
        self._last = data[-1:]

    def _wrap(self, width: int) -> Row:
        if pyte.modes.DECAWM in self.mode:
            self.cursor.x = 0
            self.index()
            self.row(self.cursor.y).continues = True
        else:
            self.cursor.x = self.columns - width
        return self.row(self.cursor.y)

    def _join(self, text: str) -> None:
        """Add a mark without a width of its own to the character before it."""
        row, x = self.buffer[self.cursor.y], self.cursor.x - 1
        if x > 0 and row[x].data == "":
            x -= 1
        if x >= 0 and len(row[x].data) < 16:
            row[x] = Char(row[x].data + text)
