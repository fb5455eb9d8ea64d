"""Owns finding the line of a key in TOML text that has already been parsed; it judges nothing."""

import re
import tomllib

from snakepit.config.problem import Place

_PART = re.compile(r"""\s*(?:"((?:[^"\\\n]|\\.)*)"|'([^'\n]*)'|([A-Za-z0-9_-]+))\s*""")
_OPEN = {"[": 1, "{": 1, "]": -1, "}": -1}


def lines_of(text: str) -> dict[Place, int]:
    """The line of every header and key, by its place: ("agent", 0, "prompt")."""
    return _Scan(text.replace("\r\n", "\n")).run()


def line_of(place: Place, lines: dict[Place, int]) -> int:
    """The line of the place, of its first part, or of what holds it; 0 where there is none."""
    while place:
        if place in lines:
            return lines[place]
        parts = [line for other, line in lines.items() if other[: len(place)] == place]
        if parts:
            return min(parts)
        place = place[:-1]
    return 0


class _Scan:
    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0
        self.found: dict[Place, int] = {}
        self.table: Place = ()
        self.counts: dict[Place, int] = {}

    def run(self) -> dict[Place, int]:
        size = len(self.text)
        while self.at < size:
            char = self.text[self.at]
            if char in " \t\n":
                self.at += 1
            elif char == "#":
                self._skip_line()
            elif char == "[":
                self._header()
            else:
                self._key()
        return self.found

    def _line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def _skip_line(self) -> None:
        end = self.text.find("\n", self.at)
        self.at = len(self.text) if end < 0 else end + 1

    def _header(self) -> None:
        is_array = self.text.startswith("[[", self.at)
        names = self._dotted(self.at + (2 if is_array else 1))[0]
        place: Place = ()
        for depth, name in enumerate(names, 1):
            place = (*place, name)
            if is_array and depth == len(names):
                self.counts[place] = self.counts.get(place, -1) + 1
            if place in self.counts:
                place = (*place, self.counts[place])
        self.table = place
        self.found.setdefault(place, self._line())
        self._skip_line()

    def _key(self) -> None:
        names, end = self._dotted(self.at)
        for depth in range(1, len(names) + 1):
            self.found.setdefault((*self.table, *names[:depth]), self._line())
        equals = self.text.find("=", end)
        self.at = equals + 1 if equals >= 0 else len(self.text)
        self._skip_value()

    def _dotted(self, at: int) -> tuple[list[str], int]:
        names: list[str] = []
        while match := _PART.match(self.text, at):
            names.append(_name(match))
            at = match.end()
            if self.text[at : at + 1] != ".":
                break
            at += 1
        return names, at

    def _skip_value(self) -> None:
        depth = 0
        size = len(self.text)
        while self.at < size:
            char = self.text[self.at]
            if char == "\n" and depth <= 0:
                return
            if char in "\"'":
                self._skip_string(char)
            elif char == "#":
                end = self.text.find("\n", self.at)
                self.at = size if end < 0 else end
            else:
                depth += _OPEN.get(char, 0)
                self.at += 1

    def _skip_string(self, quote: str) -> None:
        triple = quote * 3
        long = self.text.startswith(triple, self.at)
        self.at += 3 if long else 1
        size = len(self.text)
        while self.at < size:
            if self.text[self.at] == "\\" and quote == '"':
                self.at += 2
            elif long and self.text.startswith(triple, self.at):
                self.at += 3
                while self.text.startswith(quote, self.at):
                    self.at += 1
                return
            elif not long and self.text[self.at] in (quote, "\n"):
                self.at += 1
                return
            else:
                self.at += 1


def _name(match: re.Match[str]) -> str:
    quoted = match.group(1)
    if quoted is not None and "\\" in quoted:
        return str(tomllib.loads(f'name = "{quoted}"')["name"])
    return next(part for part in match.groups() if part is not None)
