"""Owns writing and reading events as one object; files and numbers are `sequence`, reading is `reading`.

An event is the report, the disk is the truth: `append` never raises for a full disk or a lost folder.
"""

import json
import os
import threading
from collections.abc import Iterator, Mapping
from functools import lru_cache
from json.encoder import encode_basestring_ascii as quoted
from pathlib import Path

from snakepit import clock
from snakepit.core.events import EVENTS, Event
from snakepit.core.redact import Redactor
from snakepit.journal import reading
from snakepit.journal.sequence import Sequence

SEGMENT_BYTES = 10_000_000
KEEP_DAYS = 30
LINE_LIMIT = 32 * 1024  # characters; longer texts are cut inside their fields
CACHED_LENGTH = 40  # characters; names come again and again, paths and titles do not
CACHED = 128  # texts kept as they are written: a task's name is told again soon, or not at all
TEXT_LIMIT = 2000  # characters of one field of a line that is too long

_NUMBERS = (int, float)
_BEGINNING = ',"id":"%s%x","ts":"%s%03dZ","type":"%s"'


class Journal:
    """events.jsonl, appended by any number of threads and processes."""

    def __init__(
        self,
        path: Path,
        redact: Redactor,
        *,
        segment_bytes: int = SEGMENT_BYTES,
        keep_days: float = KEEP_DAYS,
    ) -> None:
        self.path = path
        self.lost = 0  # events that could not be written at all
        self._clean = redact.clean
        self._text = lru_cache(CACHED)(lambda text: quoted(redact.clean(text)))
        self._sequence = Sequence(path, segment_bytes=segment_bytes, keep_days=keep_days)
        self._lock = threading.Lock()
        self._second = -1
        self._until_second = ""
        self._begin()

    def _begin(self) -> None:
        """Also after a fork: descriptors with their lock, and the ids, are the parent's."""
        self._sequence.close()
        self._pid = os.getpid()
        self._id = f"{int(clock.wall() * 1000):x}-{os.urandom(5).hex()}-"
        self._count = 0

    def append(
        self,
        type: str,
        *,
        task: str | None = None,
        worker: str | None = None,
        attempt: int | None = None,
        **data: object,
    ) -> int:
        """The event's number; 0 when it gets one later (the lock was held for 50 ms) or was lost.

        Fields that are None are left out. The line is in the file when this returns, not yet on the disk.
        """
        if type not in EVENTS:
            message = f"no event type {type!r}: add it to core/events.py"
            raise ValueError(message)
        with self._lock:
            if self._pid != os.getpid():
                self._begin()
            now = clock.wall()
            second = int(now)
            if second != self._second:
                self._second, self._until_second = second, clock.stamp(second)[:20]
            self._count += 1
            text = self._text
            milliseconds = int((now - second) * 1000)
            line = _BEGINNING % (
                self._id, self._count, self._until_second, milliseconds, type,
            )  # fmt: skip
            if task is not None:
                line += f',"task":{text(task)}'
            if worker is not None:
                line += f',"worker":{text(worker)}'
            if attempt is not None:
                line += f',"attempt":{attempt}'
            if data:
                line += self._fields(data)
            try:
                return self._sequence.add(f"{line}}}\n".encode())
            except OSError:
                self.lost += 1
                return 0

    def _fields(self, data: Mapping[str, object]) -> str:
        text = ""
        for key, value in data.items():
            if isinstance(value, str):
                known = len(value) <= CACHED_LENGTH
                text += f',"{key}":{self._text(value) if known else quoted(self._clean(value))}'
            elif value is not None:
                text += f',"{key}":{self._value(value)}'
        if len(text) <= LINE_LIMIT:
            return text
        return self._fields({key: self._cut(value) for key, value in data.items()})

    def _value(self, value: object) -> str:
        if isinstance(value, bool):
            return "true" if value else "false"
        if isinstance(value, _NUMBERS) and value - value == 0:  # neither NaN nor infinite
            return repr(value)
        return self._clean(_json(value))

    def _cut(self, value: object) -> object:
        """Cleaned before it is cut, since half a secret has no shape."""
        text = self._clean(value if isinstance(value, str) else _json(value))
        if len(text) <= TEXT_LIMIT:
            return value
        return f"{text[:TEXT_LIMIT]} … ({len(text)} characters)"

    def read(
        self, since: int = 0, *, follow: bool = False, stop: reading.Stop | None = None
    ) -> Iterator[Event]:
        """Events with a number above `since`; with `follow` until `stop` is set, for ever without."""
        self._settle()
        if follow:
            return reading.follow(self.path, since, stop or threading.Event())
        return reading.read(self.path, since)

    def tail(self, n: int) -> list[Event]:
        self._settle()
        return reading.tail(self.path, n)

    def close(self) -> None:
        with self._lock:
            self._sequence.close()

    def _settle(self) -> None:
        """Late lines get their number now where nobody holds the lock; a reader writes nothing else."""
        try:
            if self._sequence.late_path.stat().st_size:
                with self._lock:
                    self._sequence.settle()
        except OSError:
            return


def _json(value: object) -> str:
    return json.dumps(value, separators=(",", ":"), default=str)
