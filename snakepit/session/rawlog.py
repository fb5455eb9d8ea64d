"""Owns one raw pane log on disk, `<log_dir>/raw/NAME.log`: every byte a pane showed, masked.

Standard library only: the filter behind `pipe-pane` imports it too, and there is one of those for
each pane. A log is no truth: what cannot be written is dropped, and nothing waits for it.
"""

import contextlib
import os
from collections.abc import Iterable

from snakepit.session.masking import MaskingStream

LIMIT = 16 * 1024 * 1024  # bytes; then NAME.log becomes NAME.log.1, replacing the one before
SUFFIX = ".log"


class RawLog:
    """Appends to one file by one writer; survives its removal and a full disk."""

    def __init__(self, path: str, values: Iterable[str] = (), *, limit: int = LIMIT) -> None:
        """`values` are masked beside the known shapes of secrets."""
        self.path = path
        self._limit = limit
        self._stream = MaskingStream(values)
        self._descriptor = -1
        self._identity: tuple[int, int] = (0, 0)

    @property
    def holds(self) -> bool:
        """Something waits for `settle` or `close`."""
        return self._stream.holds

    def write(self, data: bytes) -> None:
        """Append whole lines at once, and keep the rest for `settle`."""
        self._append(self._stream.feed(data))

    def settle(self) -> None:
        """Append what has no line end, but for a tail that may be half a secret."""
        self._append(self._stream.settle())

    def flush(self) -> None:
        """Append all there is."""
        self._append(self._stream.close())

    def close(self) -> None:
        self.flush()
        self._drop()

    def _append(self, data: bytes) -> None:
        if not data:
            return
        with contextlib.suppress(OSError):
            self._open()
            if os.fstat(self._descriptor).st_size + len(data) > self._limit:
                os.replace(self.path, f"{self.path}.1")
                self._open()
            os.write(self._descriptor, data)

    def _open(self) -> None:
        """Hold the file that bears the name now."""
        try:
            now = os.stat(self.path)
            if self._descriptor >= 0 and (now.st_dev, now.st_ino) == self._identity:
                return
        except FileNotFoundError:
            os.makedirs(os.path.dirname(self.path), mode=0o700, exist_ok=True)
        self._drop()
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._descriptor = os.open(self.path, flags, 0o600)
        opened = os.fstat(self._descriptor)
        self._identity = (opened.st_dev, opened.st_ino)

    def _drop(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
