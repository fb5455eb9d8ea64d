"""Owns the watch for workers that hold food and show no life: continued, ended, and so reaped.

Only our own worker processes are judged: stopped for a while, or without CPU and without children.
Age proves nothing; a worker whose task runs always has that task's process below it.
"""

import signal
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from snakepit.core.lifecycle import State
from snakepit.pool.end import living
from snakepit.store.base import LifeRecord
from snakepit.system import process

if TYPE_CHECKING:
    from snakepit.pool.context import Pit

SILENT_S = 90.0
STOPPED_S = 30.0
GRACE_S = 10.0


class Signs(Protocol):
    """What can be seen of a process."""

    def is_stopped(self, pid: int) -> bool: ...
    def has_children(self, pid: int) -> bool: ...
    def cpu_seconds(self, pid: int) -> float: ...


class KernelSigns:
    def is_stopped(self, pid: int) -> bool:
        return process.is_stopped(pid)

    def has_children(self, pid: int) -> bool:
        return bool(process.descendants(pid))

    def cpu_seconds(self, pid: int) -> float:
        return process.cpu_seconds({pid})


@dataclass(slots=True, kw_only=True)
class Quiet:
    """Since when a life has been quiet, what its CPU time was then, and when it was asked to end."""

    worker: str
    since: float
    cpu_s: float
    is_stopped: bool
    asked_at: float | None = None


class SilentWatch:
    def __init__(
        self,
        pit: "Pit",
        *,
        signs: Signs | None = None,
        send: Callable[[int, int], bool] = process.send,
        silent_s: float = SILENT_S,
        stopped_s: float = STOPPED_S,
        grace_s: float = GRACE_S,
    ) -> None:
        self._pit = pit
        self._signs = signs or KernelSigns()
        self._send = send
        self._silent_s = silent_s
        self._stopped_s = stopped_s
        self._grace_s = grace_s
        self._quiet: dict[str, Quiet] = {}

    @property
    def workers(self) -> frozenset[str]:
        """Those that were found silent and are being ended."""
        return frozenset(
            quiet.worker for quiet in self._quiet.values() if quiet.asked_at is not None
        )

    def step(self, now: float) -> None:
        busy = {entry.worker for entry in self._pit.store.entries(State.CLAIMED)}
        lives = [
            life
            for life in (living(self._pit) if busy else ())
            if life.worker in busy and life.lock and life.pid > 1
        ]
        self._forget_all_but(lives)
        for life in lives:
            self._look(life, now)

    def _look(self, life: LifeRecord, now: float) -> None:
        is_stopped = self._signs.is_stopped(life.pid)
        cpu_s = self._signs.cpu_seconds(life.pid)
        quiet = self._quiet.get(life.generation)
        if quiet is not None and quiet.asked_at is not None:
            if now - quiet.asked_at >= self._grace_s:
                self._send(life.pid, signal.SIGKILL)
            return
        shows_life = not is_stopped and (
            quiet is None or cpu_s > quiet.cpu_s or self._signs.has_children(life.pid)
        )
        if quiet is None or shows_life or quiet.is_stopped != is_stopped:
            self._quiet[life.generation] = Quiet(
                worker=life.worker, since=now, cpu_s=cpu_s, is_stopped=is_stopped
            )
            return
        if now - quiet.since >= (self._stopped_s if is_stopped else self._silent_s):
            self._end(life, quiet, now)

    def _end(self, life: LifeRecord, quiet: Quiet, now: float) -> None:
        """Continued first, so that it can give its food back itself; killed after the grace."""
        quiet.asked_at = now
        self._pit.journal.append(
            "worker.silent",
            worker=life.worker,
            generation=life.generation,
            seconds=round(now - quiet.since),
        )
        self._send(life.pid, signal.SIGCONT)
        self._send(life.pid, signal.SIGTERM)

    def _forget_all_but(self, lives: Iterable[LifeRecord]) -> None:
        known = {life.generation for life in lives}
        self._quiet = {key: quiet for key, quiet in self._quiet.items() if key in known}
