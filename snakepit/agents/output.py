"""Owns what a run says: masked, to the pane, to a bounded file, its end kept as the result's text."""

import os
import re
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

RESULT_LIMIT = 64 * 1024  # bytes of output that become the result
FILE_LIMIT = 100 * 1000 * 1000  # bytes
LAST_LINE_LIMIT = 200  # characters
NOTHING = "(no output)"

_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[@-Z\\-_])")
_OVERWRITTEN = re.compile(r"[^\n]*\r(?=[^\n])")
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")


class Mask(Protocol):
    """Bytes in, bytes without secrets out: whole lines at once, the rest when asked."""

    @property
    def holds(self) -> bool: ...
    def feed(self, data: bytes) -> bytes: ...
    def settle(self) -> bytes: ...
    def close(self) -> bytes: ...


class Screen(Protocol):
    """The pane, as far as a run needs it."""

    def write(self, data: bytes) -> None: ...


class Output:
    def __init__(self, path: Path, mask: Mask, screen: Screen) -> None:
        self._path = path
        self._mask = mask
        self._screen = screen
        self._file = -1
        self._written = 0
        self._tail = bytearray()
        self._size = 0
        self._notes: set[str] = set()

    def __enter__(self) -> Self:
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(self._path, flags, 0o600)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._keep(self._mask.close())
        os.close(self._file)

    @property
    def holds(self) -> bool:
        return self._mask.holds

    def feed(self, data: bytes) -> None:
        self._keep(self._mask.feed(data))

    def settle(self) -> None:
        self._keep(self._mask.settle())

    def note(self, text: str) -> None:
        """Say once, in the pane only."""
        if text not in self._notes:
            self._notes.add(text)
            self._screen.write(f"[{text}]\n".encode())

    def text(self) -> str:
        """The end of the output as the text of a result."""
        text = readable(bytes(self._tail[-RESULT_LIMIT:])).strip("\n")
        if self._size <= RESULT_LIMIT:
            return text if text.strip() else NOTHING
        left_out = self._size - RESULT_LIMIT
        return f"(the first {left_out:,} bytes are only in {self._path})\n\n{text}"

    def last_line(self) -> str:
        lines = readable(bytes(self._tail[-4096:])).split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), "")
        return last if len(last) <= LAST_LINE_LIMIT else f"{last[:LAST_LINE_LIMIT]} …"

    def _keep(self, data: bytes) -> None:
        if not data:
            return
        self._screen.write(data)
        self._write(data)
        self._size += len(data)
        self._tail += data[-RESULT_LIMIT:]
        if len(self._tail) > 2 * RESULT_LIMIT:
            del self._tail[:-RESULT_LIMIT]

    def _write(self, data: bytes) -> None:
        """What finds no room, by the limit or on the disk, is left out and said once."""
        try:
            if self._written < FILE_LIMIT:
                self._written += os.write(self._file, data[: FILE_LIMIT - self._written])
            else:
                self.note(f"{self._path} is full: more output is only shown here")
        except OSError as error:
            self.note(f"{self._path}: {error.strerror}: output is only shown here")


def readable(data: bytes) -> str:
    """Output as text: without colours, without lines that were drawn over, without control bytes."""
    text = _ESCAPES.sub("", data.decode("utf-8", "replace").replace("\r\n", "\n"))
    return _CONTROL.sub("", _OVERWRITTEN.sub("", text))
