"""Owns the contract that every measured queue keeps; it knows no queue.

One object lives in one process. The work is the same everywhere: a task of 400 bytes is put,
claimed by one worker, read, and acknowledged. The text carries its number and the moment of its
drop at fixed places, so finding them costs every peer the same.
"""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any

from bench import clock

TASK_BYTES = 400
HEAD = "---\ntitle: task {seq:010d} of {at:020.9f}\npriority: {priority}\n---\n"
SEQ = slice(16, 26)
AT = slice(30, 50)


def text_of(seq: int, at: float = 0.0, *, priority: int = 5) -> str:
    head = HEAD.format(seq=seq, at=at, priority=priority)
    return head + "do nothing, ".ljust(TASK_BYTES - len(head) - 1, ".") + "\n"


def seq_at(text: str | bytes) -> tuple[int, float]:
    return int(text[SEQ]), float(text[AT])


class Peer(ABC):
    durable_note = ""  # the setting that makes it durable; empty: it has none
    kill_note = ""  # what its default keeps
    wait_note = "blocks"  # how the library's own wait works
    has_urgent = False
    has_companion = False  # a process of its own beside the workers
    wait_poll_s = 0.001

    def __init__(self, home: Path, *, durable: bool, port: int, slot: int) -> None:
        self.home = home
        self.durable = durable
        self.port = port
        self.slot = slot

    def create(self) -> None:  # noqa: B027 - most peers need nothing
        """Make the empty store; called once, before anybody opens it."""

    @abstractmethod
    def open(self) -> None: ...

    @abstractmethod
    def put(self, seq: int) -> None: ...

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        """Put with the time of the drop in the text, taken before anything is written."""
        raise NotImplementedError

    def fill(self, start: int, stop: int) -> None:
        """Put many as fast as the queue allows; this is not measured."""
        for seq in range(start, stop):
            self.put(seq)

    def keep(self, told: Any) -> None:
        """Be the companion until killed; call `told(seconds)` once it has caught up."""
        raise NotImplementedError

    def ready(self) -> None:  # noqa: B027 - most peers are ready when they are open
        """Do what a worker does once before it may claim."""

    @abstractmethod
    def claim(self) -> tuple[Any, str | bytes] | None: ...

    @abstractmethod
    def finish(self, handle: Any) -> None: ...

    def step(self) -> tuple[int, float] | None:
        got = self.claim()
        if got is None:
            return None
        self.finish(got[0])
        return seq_at(got[1])

    def wait(self) -> tuple[int, float]:
        """Block until one task came and is settled, the library's own way."""
        while True:
            got = self.step()
            if got is not None:
                return got
            clock.pause(self.wait_poll_s)

    def reclaim(self) -> Any:
        """One try of a second worker at a task whose first worker was killed."""
        return self.claim()

    def recover(self) -> str:
        """Call what the library offers to take tasks of the dead back; say what it is."""
        return ""

    def close(self) -> None:  # noqa: B027 - most peers leave it to the end of the process
        """Let go of what would be missed."""
