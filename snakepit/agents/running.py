"""Owns following one child process at a time: its pipes, its deadline, what interrupts it, its end.

A child has a session of its own without a terminal. What it leaves running is ended when the run is
over, not when the child is: a later child may use a server that an earlier one put into the background.
"""

import os
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from snakepit import clock
from snakepit.system import process

TICK = 1.0  # seconds between two looks at what nothing wakes us for
QUIET = 0.15  # seconds without output after which an unfinished line is shown
BLIND_TICK = 0.02  # seconds, where no descriptor tells of an exit
CHUNK = 65536
CANNOT_START = "cannot start"


class Attention(Protocol):
    """What else wants to be seen to while a task runs."""

    def descriptors(self) -> Sequence[int]:
        """Readable when `look` should be called."""

    def look(self) -> str:
        """Called at least every TICK; a word, not empty, ends the run."""


class Sink(Protocol):
    """Takes what comes out of one pipe."""

    @property
    def holds(self) -> bool:
        """Whether an unfinished line waits to be shown."""

    def feed(self, data: bytes) -> None: ...
    def settle(self) -> None: ...
    def note(self, text: str) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How following a child ended. `stopped` is the word that interrupted it; `is_late`: out of time."""

    code: int | None = None
    stopped: str = ""
    is_late: bool = False


class Running:
    """Children after each other in one environment, with one deadline for all.

    One sink: it gets stdout and stderr in order. Two: one each. `end_rest` ends all that runs below this
    process and says whether nothing is left.
    """

    def __init__(
        self,
        *sinks: Sink,
        env: Mapping[str, str],
        cwd: Path,
        timeout_s: float,
        attention: Attention,
        end_rest: Callable[[], bool],
    ) -> None:
        self._sinks = sinks
        self._env = dict(env)
        self._cwd = cwd
        self._attention = attention
        self._end_rest = end_rest
        self._deadline = clock.monotonic() + timeout_s
        self._pipes = [os.pipe() for _ in sinks]
        for source, _ in self._pipes:
            os.set_blocking(source, False)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what is left and read what it still said."""
        self._end(None)
        self.pump()
        for pipe in self._pipes:
            for descriptor in pipe:
                os.close(descriptor)

    def run(self, argv: Sequence[str], *, stdin: Path | None = None) -> Ending | str:
        """Until the child ends, or its time or somebody ended it; in words why it cannot start."""
        child = self._start(argv, stdin)
        if isinstance(child, str):
            return child
        stopped, is_late = self._follow(child)
        if stopped or is_late:
            self._end(child)
        return Ending(code=child.returncode, stopped=stopped, is_late=is_late)

    def pump(self) -> None:
        """Take what is there; an unfinished line is shown once nothing more comes."""
        for (source, _), sink in zip(self._pipes, self._sinks, strict=True):
            took = False
            for _ in range(64):
                try:
                    data = os.read(source, CHUNK)
                except BlockingIOError:
                    break
                took = True
                sink.feed(data)
            if not took:
                sink.settle()

    def _start(self, argv: Sequence[str], stdin: Path | None) -> "subprocess.Popen[bytes] | str":
        try:
            with open(stdin or os.devnull, "rb") as source:
                return subprocess.Popen(
                    list(argv),
                    env=self._env,
                    cwd=self._cwd,
                    stdin=source,
                    stdout=self._pipes[0][1],
                    stderr=self._pipes[-1][1],
                    start_new_session=True,
                    pass_fds=process.marks(),
                )
        except OSError as error:
            what = argv[0] if error.filename == argv[0] else str(error.filename or self._cwd)
            return f"{CANNOT_START} {what}: {error.strerror}"

    def _follow(self, child: "subprocess.Popen[bytes]") -> tuple[str, bool]:
        """The word that said stop, and whether the time was over; it still runs then."""
        exits = os.pidfd_open(child.pid) if hasattr(os, "pidfd_open") else -1
        own = (*(source for source, _ in self._pipes), exits)
        poll = self._poll(own)
        looked = clock.monotonic()
        try:
            while True:
                now = clock.monotonic()
                if now >= self._deadline:
                    return "", True
                ready = poll.poll(1000 * self._pause(now, blind=exits < 0))
                self.pump()
                if child.poll() is not None:
                    return "", False
                woken = any(fd not in own for fd, _ in ready)
                if woken or clock.monotonic() - looked >= TICK:
                    looked = clock.monotonic()
                    stopped = self._attention.look()
                    if stopped:
                        return stopped, False
                    poll = self._poll(own)
        finally:
            if exits >= 0:
                os.close(exits)

    def _poll(self, own: Sequence[int]) -> "select.poll":
        poll = select.poll()
        for descriptor in (*own, *self._attention.descriptors()):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        return poll

    def _pause(self, now: float, *, blind: bool) -> float:
        pause = min(TICK, max(0.0, self._deadline - now))
        if any(sink.holds for sink in self._sinks):
            pause = min(pause, QUIET)
        return min(pause, BLIND_TICK) if blind else pause

    def _end(self, child: "subprocess.Popen[bytes] | None") -> None:
        """Nothing of this run is alive afterwards: what cannot be killed is waited for."""
        pause = select.poll()
        while not self._end_rest():
            self._sinks[-1].note("a process of this task cannot be killed; waiting for it to go")
            pause.poll(1000 * TICK)
            self._attention.look()
        if child is not None:
            child.wait()


def ended(code: int) -> str:
    """How a child went, as the end of a sentence."""
    return f"ended with exit {code}" if code > 0 else f"was ended by signal {-code}"
