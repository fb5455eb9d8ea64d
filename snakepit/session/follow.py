"""Owns reading raw logs that grow, are cut and replaced; prints nothing.

Every step is one look at each file (a stat and a read): the caller waits between steps.
"""

import contextlib
import os
from pathlib import Path
from typing import NamedTuple

from snakepit.core.redact import Redactor
from snakepit.session.rawlog import SUFFIX
from snakepit.session.readable import Readable

CHUNK = 262_144  # bytes
WINDOW = 65_536  # bytes looked at for the last lines, at first
A_LINE = 512  # bytes a line may take, redrawing included


class Tail:
    """The bytes of one file as they come; the file may be missing, cut or replaced."""

    def __init__(self, path: Path, *, offset: int = 0) -> None:
        self._path = path
        self._offset = offset
        self._descriptor = -1

    def read(self) -> bytes:
        """Return what is new, empty when nothing is."""
        if self._descriptor < 0 and not self._open():
            return b""
        data = self._read_on()
        if data or not self._is_replaced():
            return data
        rest = self._read_on()  # written between the look and the renaming
        if not rest:
            self.close()
            self._offset = 0
            return self.read()
        return rest

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _open(self) -> bool:
        with contextlib.suppress(OSError):
            flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK
            self._descriptor = os.open(self._path, flags)
        return self._descriptor >= 0

    def _read_on(self) -> bytes:
        if os.fstat(self._descriptor).st_size < self._offset:
            self._offset = 0
        data = os.pread(self._descriptor, CHUNK, self._offset)
        self._offset += len(data)
        return data

    def _is_replaced(self) -> bool:
        try:
            now = os.stat(self._path, follow_symlinks=False)
        except OSError:
            return False
        held = os.fstat(self._descriptor)
        return (now.st_dev, now.st_ino) != (held.st_dev, held.st_ino)


class Follower:
    """The readable lines of one raw log, from its last `count` lines on."""

    def __init__(self, path: Path, count: int = 0) -> None:
        self._redactor = Redactor()
        lines, self._readable, offset = _read_last(path, count)
        self.backlog = [self._redactor.clean(line) for line in lines]
        self._tail = Tail(path, offset=offset)

    def step(self, now: float) -> list[str]:
        """Return the lines that are new; `now` in monotonic seconds."""
        lines: list[str] = []
        while data := self._tail.read():
            lines += self._readable.feed(data)
        if self._readable.waits:
            lines += self._readable.stand(now)
        return [self._redactor.clean(line) for line in lines]

    def close(self) -> None:
        self._tail.close()


class NamedLine(NamedTuple):
    name: str
    text: str


class AllFollower:
    """The readable lines of every `*.log` in a folder, also of those that come later."""

    def __init__(self, folder: Path, *, count: int = 0, without: frozenset[str] = frozenset()):
        self._folder = folder
        self._without = without
        self._followers: dict[str, Follower] = {}
        self.backlog: list[NamedLine] = []
        for name in self._names():
            follower = self._followers[name] = Follower(self._path(name), count)
            self.backlog += [NamedLine(name, line) for line in follower.backlog]

    def step(self, now: float) -> list[NamedLine]:
        lines: list[NamedLine] = []
        for name in self._names():
            if name not in self._followers:
                follower = self._followers[name] = Follower(self._path(name), -1)
                lines += [NamedLine(name, line) for line in follower.backlog]
        return lines + [
            NamedLine(name, line)
            for name, follower in self._followers.items()
            for line in follower.step(now)
        ]

    def close(self) -> None:
        for follower in self._followers.values():
            follower.close()

    def _path(self, name: str) -> Path:
        return self._folder / (name + SUFFIX)

    def _names(self) -> list[str]:
        try:
            entries = os.listdir(self._folder)
        except OSError:
            return []
        names = (entry.removesuffix(SUFFIX) for entry in entries if entry.endswith(SUFFIX))
        return sorted(name for name in names if name not in self._without and name[:1] != ".")


def last_lines(path: Path, count: int) -> list[str]:
    """Return the last `count` readable lines of a raw log and its predecessor, -1 for all."""
    redactor = Redactor()
    lines, _, _ = _read_last(path, count, settle=True)
    return [redactor.clean(line) for line in lines]


def _read_last(path: Path, count: int, *, settle: bool = False) -> tuple[list[str], Readable, int]:
    """Return the lines, the screen after them, and the offset that was read up to."""
    older, newer = _size(path.with_name(path.name + ".1")), _size(path)
    window = WINDOW + A_LINE * count if count >= 0 else older + newer
    while True:
        data = _last_bytes(path, older, newer, window)
        readable = Readable()
        lines: list[str] = []
        for start in range(0, len(data), CHUNK):
            lines += readable.feed(data[start : start + CHUNK])
        lines += readable.settle() if settle else []
        if count < 0 or len(lines) >= count or window >= older + newer:
            kept = lines if count < 0 else lines[len(lines) - min(count, len(lines)) :]
            return kept, readable, newer
        window *= 4


def _last_bytes(path: Path, older: int, newer: int, window: int) -> bytes:
    data = _part(path, max(0, newer - window), newer)
    if window > newer and older:
        before = path.with_name(path.name + ".1")
        data = _part(before, max(0, older - (window - newer)), older) + data
    if window < older + newer:
        data = data[data.find(b"\n") + 1 :]
    return data


def _part(path: Path, start: int, end: int) -> bytes:
    try:
        with path.open("rb") as file:
            file.seek(start)
            return file.read(end - start)
    except OSError:
        return b""


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0
