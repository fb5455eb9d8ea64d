"""Owns the structured output of a program while it comes: kept whole and masked, shown as readable lines."""

import os
from pathlib import Path
from typing import Protocol

from snakepit.agents.output import Mask

LONGEST_LINE = 32 * 1024 * 1024  # bytes; a longer one is left out of the reading
FILE_LIMIT = 100 * 1000 * 1000  # bytes


class Reader(Protocol):
    def feed(self, line: bytes) -> list[str]:
        """The lines to show for a line of the output."""


class Shown(Protocol):
    """Where the readable lines go: masks by itself."""

    def feed(self, data: bytes) -> None: ...
    def note(self, text: str) -> None: ...


class Streamed:
    """A sink for stdout. The reader sees what the program wrote; the file and the pane see it masked."""

    def __init__(self, path: Path, reader: Reader, shown: Shown, mask: Mask) -> None:
        self._path = path
        self._reader = reader
        self._shown = shown
        self._mask = mask
        self._line = bytearray()
        self._is_skipping = False
        self._written = 0
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)

    @property
    def holds(self) -> bool:
        return self._mask.holds

    def feed(self, data: bytes) -> None:
        self._keep(self._mask.feed(data))
        *whole, rest = data.split(b"\n")
        for piece in whole:
            self._add(piece)
            self._end_line()
        self._add(rest)

    def settle(self) -> None:
        self._keep(self._mask.settle())

    def note(self, text: str) -> None:
        self._shown.note(text)

    def close(self) -> None:
        """Read what came without an end of line, too."""
        if self._line:
            self._end_line()
        self._keep(self._mask.close())
        os.close(self._file)

    def _add(self, piece: bytes) -> None:
        if len(self._line) + len(piece) > LONGEST_LINE:
            self._is_skipping = True
            self._line.clear()
            self._shown.note(f"a line above {LONGEST_LINE:,} bytes is not read; see {self._path}")
        if not self._is_skipping:
            self._line += piece

    def _end_line(self) -> None:
        line, self._line = bytes(self._line), bytearray()
        was_skipping, self._is_skipping = self._is_skipping, False
        if was_skipping:
            return
        for text in self._reader.feed(line):
            self._shown.feed(f"{text}\n".encode("utf-8", "replace"))

    def _keep(self, data: bytes) -> None:
        if not data or self._written >= FILE_LIMIT:
            return
        try:
            self._written += os.write(self._file, data[: FILE_LIMIT - self._written])
        except OSError as error:
            self._shown.note(f"{self._path}: {error.strerror}: what comes now is only shown")
            self._written = FILE_LIMIT
