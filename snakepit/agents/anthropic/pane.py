"""Owns how a run looks to a person at the pane: text as it comes, one line a tool call, results cut short; masked."""

import json
from collections.abc import Mapping

from snakepit.agents.output import Mask, Screen

LINE = 160  # characters
RESULT_LINES = 3
FIRST_OF = ("command", "path", "pattern", "name", "task", "result", "reason", "text")


class Pane:
    def __init__(self, screen: Screen, mask: Mask) -> None:
        self._screen = screen
        self._mask = mask
        self._is_open = False

    def piece(self, text: str) -> None:
        """A part of what the model says; shown as soon as its line cannot hold half a secret."""
        if text:
            self._screen.write(self._mask.feed(text.encode("utf-8", "replace")))
            self._is_open = not text.endswith("\n")

    def settle(self) -> None:
        """Nothing comes for a moment: show the unfinished line too."""
        if self._mask.holds:
            self._screen.write(self._mask.settle())

    def end_line(self) -> None:
        """Whatever was said is whole."""
        rest = b"\n" if self._is_open else b""
        self._is_open = False
        self._screen.write(self._mask.feed(rest) + self._mask.close())

    def line(self, text: str) -> None:
        self.end_line()
        shown = f"{text}\n".encode("utf-8", "replace")
        self._screen.write(self._mask.feed(shown) + self._mask.close())

    def call(self, name: str, given: object) -> None:
        self.line(f"> {name} {short(told(given))}")

    def result(self, text: str, *, is_error: bool) -> None:
        lines = text.strip("\n").split("\n")
        for line in lines[:RESULT_LINES]:
            self.line(f"  {'!' if is_error else '|'} {short(line)}")
        if len(lines) > RESULT_LINES:
            self.line(f"  | … {len(lines) - RESULT_LINES} more lines")


def told(given: object) -> str:
    """The most telling of a call's arguments."""
    if not isinstance(given, Mapping):
        return str(given)
    for name in FIRST_OF:
        if name in given:
            return str(given[name])
    return json.dumps(given, ensure_ascii=False) if given else ""


def short(text: str) -> str:
    plain = " ".join(text.split())
    return plain if len(plain) <= LINE else f"{plain[:LINE]} …"
