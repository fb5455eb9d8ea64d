"""Owns the daemon's reading of the journal against the folders; see `pool.observe`."""

import threading
from collections import deque
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.pool.observe import Observer

if TYPE_CHECKING:
    from snakepit.core.task import Task
    from snakepit.pool.context import Pit

LOOK_S = 0.5
COMPARE_S = 3.0
SECOND_LOOK_S = 1.0
MOST_EVENTS = 200_000  # of the past, read at the start


class Watching:
    """One thread follows the journal; between its lines it compares. `arrived` is for any thread."""

    def __init__(self, pit: "Pit", stop: threading.Event, *, compare_s: float = COMPARE_S) -> None:
        self._pit = pit
        self._stop = stop
        self._compare_s = compare_s
        self._arrivals: deque[tuple[str, Task | None]] = deque()
        self._next_compare = 0.0
        last = pit.journal.tail(1)
        newest = (last[-1].seq or 0) if last else 0
        self._since = max(0, newest - MOST_EVENTS)
        self._observer = Observer(pit, believe_old=self._since > 0)

    def arrived(self, name: str, task: "Task | None") -> None:
        self._arrivals.append((name, task))

    def run(self) -> None:
        for event in self._pit.journal.read(self._since, follow=True, stop=self):
            self._observer.fold(event)

    def wait(self, timeout: float | None = None) -> bool:
        """The journal's reader has read all there is: now is the time to compare."""
        now = clock.monotonic()
        while self._arrivals:
            name, task = self._arrivals.popleft()
            self._observer.arrived(name, task, now)
        self._observer.tell_arrivals(now)
        if now >= self._next_compare:
            self._observer.compare()
            took = clock.monotonic() - now
            pause = SECOND_LOOK_S if self._observer.is_suspicious else self._compare_s
            self._next_compare = now + max(pause, took * 50)
        return self._stop.wait(LOOK_S)
