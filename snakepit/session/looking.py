"""Owns one look at a pane: its screen, its mode and who types in it, all of one instant; sends nothing."""

import os
import re

from snakepit.session.base import Look, Pane
from snakepit.session.listing import Question

_SGR = re.compile(r"\x1b\[([0-9;:]*)m")
_OTHER = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[()].|\x1b.|[\x0e\x0f]"
)
_FAINT, _BOLD_OFF = "2", "22"


class LookQuestion:
    """Three tmux commands in one call, and the reading of their answer."""

    def __init__(self, pane: Pane) -> None:
        self._pane = pane
        self._question = Question()
        self._sign = f"{os.urandom(6).hex()}>"

    @property
    def commands(self) -> tuple[tuple[str, ...], ...]:
        about = f"{self._question.format}{self._sign}#{{pane_in_mode}}"
        target = ("-t", self._pane.pane_id)
        return (
            ("display-message", "-p", *target, about),
            ("list-clients", *target, "-F", f"{self._sign}#{{client_activity}}"),
            ("display-message", "-p", self._sign),
            ("capture-pane", "-p", "-e", *target),
        )

    def read(self, answer: str) -> Look | None:
        """None when the pane is no longer the one that was asked about."""
        parts = answer.split(self._sign)
        panes = self._question.read(parts[0])
        if not panes or len(parts) < 3:
            return None
        clients = [part.strip() for part in parts[2:-1]]
        lines = parts[-1].removeprefix("\n").split("\n")
        return Look(
            pane=panes[0],
            rows=tuple(plain(line) for line in lines),
            bright=tuple(bright(lines)),
            in_mode=parts[1].strip() not in ("", "0"),
            typed_at=max((float(one) for one in clients if one.isdigit()), default=0.0),
        )


def plain(line: str) -> str:
    return _OTHER.sub("", _SGR.sub("", line)).rstrip()


def bright(lines: list[str]) -> list[str]:
    """The rows with a blank for every faint character: programs show faintly what nobody typed."""
    rows = []
    is_faint = False
    for line in lines:
        row, begin = "", 0
        for found in _SGR.finditer(line):
            row += _shown(line[begin : found.start()], is_faint=is_faint)
            is_faint = _faint_after(found[1], is_faint=is_faint)
            begin = found.end()
        rows.append((row + _shown(line[begin:], is_faint=is_faint)).rstrip())
    return rows


def _shown(text: str, *, is_faint: bool) -> str:
    clean = _OTHER.sub("", text)
    return " " * len(clean) if is_faint else clean


def _faint_after(parameters: str, *, is_faint: bool) -> bool:
    """38;2;r;g;b is a colour: its 2 makes nothing faint."""
    words = iter(parameters.split(";"))
    for word in words:
        if word in ("38", "48", "58"):
            for _ in range({"5": 1, "2": 3}.get(next(words, ""), 0)):
                next(words, None)
        elif word == _FAINT:
            is_faint = True
        elif word in ("", "0", _BOLD_OFF):
            is_faint = False
    return is_faint
