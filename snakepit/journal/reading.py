"""Owns reading the journal: from a number on, the last lines, and following; it writes nothing."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import BinaryIO, Protocol

from snakepit.core.events import Event
from snakepit.journal.sequence import segments

POLL_S = 0.1
CHUNK = 64 * 1024  # bytes


class Stop(Protocol):
    def wait(self, timeout: float | None = None) -> bool: ...


def read(path: Path, since: int) -> Iterator[Event]:
    """The events with a greater number, oldest first, as of now: a rotation loses and repeats none."""
    last = since
    with ExitStack() as stack:
        files: list[BinaryIO] = []
        # The current file is opened first: if it is rotated now, it is a segment too, and read twice.
        for name in (path, *reversed(segments(path.parent))):
            try:
                files.append(stack.enter_context(name.open("rb")))
            except (FileNotFoundError, NotADirectoryError):
                continue
            if name != path and _first_number(files[-1]) <= since + 1:
                break
        for file in reversed(files):
            for event in _events(file):
                if event.seq is not None and event.seq > last:
                    last = event.seq
                    yield event


def tail(path: Path, n: int) -> list[Event]:
    """The last n events, oldest first."""
    found: list[Event] = []
    for name in (path, *reversed(segments(path.parent))):
        if len(found) >= n:
            break
        try:
            with name.open("rb") as file:
                found[:0] = _last_events(file, n - len(found))
        except (FileNotFoundError, NotADirectoryError):
            continue
    return found


def follow(path: Path, since: int, stop: Stop) -> Iterator[Event]:
    """Goes on with what is written later, until `stop` is set."""
    last = since
    file: BinaryIO | None = None
    try:
        while True:
            if file is None or not _is_at(path, file):
                if file is not None:
                    file.close()
                file = _opened(path)
                fresh: Iterable[Event] = read(path, last)
            else:
                fresh = _events(file)
            for event in fresh:
                if event.seq is not None and event.seq > last:
                    last = event.seq
                    yield event
            if stop.wait(POLL_S):
                return
    finally:
        if file is not None:
            file.close()


def _opened(path: Path) -> BinaryIO | None:
    try:
        return path.open("rb")
    except (FileNotFoundError, NotADirectoryError):
        return None


def _is_at(path: Path, file: BinaryIO) -> bool:
    try:
        return path.stat().st_ino == os.fstat(file.fileno()).st_ino
    except (FileNotFoundError, NotADirectoryError):
        return False


def _first_number(file: BinaryIO) -> int:
    event = next(_events(file), None)
    file.seek(0)
    return event.seq or 0 if event else 0


def _events(file: BinaryIO) -> Iterator[Event]:
    """From where the file stands; half a line at the end is left for the next time."""
    while line := file.readline():
        if not line.endswith(b"\n"):
            begin = file.tell() - len(line)
            file.seek(0, 2)  # empties the buffer: a dead writer's half a line may be cut off
            file.seek(begin)
            return
        event = _event(line)
        if event is not None:
            yield event


def _event(line: bytes) -> Event | None:
    try:
        raw = json.loads(line)
    except ValueError:
        return None
    return Event.from_json(raw) if isinstance(raw, dict) else None


def _last_events(file: BinaryIO, n: int) -> list[Event]:
    start = file.seek(0, 2)
    data = b""
    while start > 0 and data.count(b"\n") <= n:
        size = min(CHUNK, start)
        start -= size
        file.seek(start)
        data = file.read(size) + data
    whole = data[: data.rfind(b"\n") + 1].splitlines()
    lines = whole[1:] if start > 0 else whole
    return [event for line in lines if (event := _event(line))][-n:]
