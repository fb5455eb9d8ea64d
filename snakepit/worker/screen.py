"""Owns what a worker's pane shows: calm lines and its tasks' output, with a masked copy in the raw log."""

import os
import time
from pathlib import Path

from snakepit import clock
from snakepit.core.redact import Redactor
from snakepit.session.rawlog import RawLog


class Screen:
    """Writes to the pane as long as there is one; what it cannot show is lost, never waited for."""

    def __init__(self, log: Path, redactor: Redactor, *, fd: int = 1) -> None:
        self._fd = fd
        self._redactor = redactor
        self._log = RawLog(str(log))
        self._is_line_open = False
        self._last = ""

    def say(self, text: str) -> None:
        """One line of the worker itself; the same line is not said twice in a row."""
        if text == self._last:
            return
        self._last = text
        at = time.strftime("%H:%M:%S", time.localtime(clock.wall()))
        self._end_line()
        self._put(self._redactor.clean(f"{at}  {text}\n").encode("utf-8", "replace"))

    def ask(self, text: str) -> None:
        """A question; the answer is typed behind it."""
        self._end_line()
        self._last = ""
        self._put(text.encode())

    def write(self, data: bytes) -> None:
        """Output of a task, masked already."""
        if data:
            self._last = ""
            self._put(data)

    def close(self) -> None:
        self._log.close()

    def _end_line(self) -> None:
        if self._is_line_open:
            self._put(b"\n")

    def _put(self, data: bytes) -> None:
        self._is_line_open = not data.endswith(b"\n")
        self._log.write(data)
        if self._is_line_open:
            self._log.flush()
        try:
            while data:
                data = data[os.write(self._fd, data) :]
        except OSError:
            return
