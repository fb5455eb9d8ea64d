"""Owns waiting for a request, a pause or an output while a person and signals are seen to."""

import os
import queue
import select
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeVar

from snakepit import clock
from snakepit.core import outcome
from snakepit.core.outcome import Outcome

Item = TypeVar("Item")
OVER_TIME = "timeout"
QUIET = 0.25  # seconds without a piece of an answer
TICK = 1.0  # seconds between two looks at what nothing wakes us for


class Attention(Protocol):
    """What else wants to be seen to."""

    def descriptors(self) -> Sequence[int]:
        """Readable when `look` should be called."""

    def look(self) -> str:
        """Called at least every TICK; a word, not empty, ends the run."""


class Stopped(Exception):
    """The word that `look` said."""

    def __init__(self, word: str) -> None:
        super().__init__(word)
        self.word = word


def ended_by(stopped: Stopped) -> Outcome:
    kind = outcome.TIMEOUT if stopped.word == OVER_TIME else outcome.INTERRUPTED
    return Outcome(kind, reason=stopped.word)


class Watch:
    """Waits on descriptors, those of the attention among them; `Stopped` when it has a word.

    `deadline`, on the monotonic clock, says OVER_TIME.
    """

    def __init__(self, attention: Attention, *, deadline: float | None = None) -> None:
        self._attention = attention
        self._deadline = deadline
        self._looked = clock.monotonic()

    def wait(self, seconds: float, *own: int) -> None:
        """Until one of `own` is readable or the time is over, TICK at most."""
        if self._deadline is not None:
            left = self._deadline - clock.monotonic()
            if left <= 0:
                raise Stopped(OVER_TIME)
            seconds = min(seconds, left)
        poll = select.poll()
        for descriptor in (*own, *self._attention.descriptors()):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        ready = poll.poll(1000 * min(max(seconds, 0.0), TICK))
        is_woken = any(descriptor not in own for descriptor, _ in ready)
        if is_woken or clock.monotonic() - self._looked >= TICK:
            self._looked = clock.monotonic()
            word = self._attention.look()
            if word:
                raise Stopped(word)

    def pause(self, seconds: float) -> None:
        deadline = clock.monotonic() + seconds
        while (left := deadline - clock.monotonic()) > 0:
            self.wait(left)

    def follow(
        self, make: Callable[[], Iterable[Item]], *, quiet: Callable[[], None] | None = None
    ) -> Iterator[Item]:
        """The items of an iterable that blocks, made and read in a thread of its own.

        `quiet` is called when nothing came for QUIET seconds.
        When this ends early the thread stops at its next item: it is a daemon, and nobody waits for it.
        """
        items: queue.SimpleQueue[Item | None] = queue.SimpleQueue()
        reader, writer = os.pipe()
        is_over = threading.Event()

        def tell() -> None:
            try:
                os.write(writer, b".")
            except OSError:
                return

        def read() -> None:
            try:
                for item in make():
                    items.put(item)
                    tell()
                    if is_over.is_set():
                        return
            finally:
                items.put(None)
                tell()
                os.close(writer)

        threading.Thread(target=read, name="request", daemon=True).start()
        try:
            while True:
                self.wait(TICK if quiet is None else QUIET, reader)
                if quiet is not None and items.empty():
                    quiet()
                while not items.empty():
                    item = items.get()
                    if item is None:
                        return
                    yield item
                _drain(reader)
        finally:
            is_over.set()
            os.close(reader)

    def ask(self, function: Callable[[], Item | None]) -> Item | None:
        """The value of a function that blocks; None where it raised."""
        return next(self.follow(lambda: iter([function()])), None)


def _drain(reader: int) -> None:
    if select.select([reader], [], [], 0)[0]:
        os.read(reader, 4096)
