"""Owns the watch on exits: a dead worker's food is given back at once, a dead pane is reported."""

import os
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from snakepit.core.lifecycle import State
from snakepit.daemon.ticker import Duty, Ticker
from snakepit.pool.end import spared_path
from snakepit.pool.reap import reap
from snakepit.store.base import LifeRecord, Verdict
from snakepit.store.layout import FOLDER
from snakepit.system.process import ExitWatch

if TYPE_CHECKING:
    from snakepit.pool.context import Pit

LOOK_S = 0.2  # how old a life may be before its exit is watched
LIST_S = 5.0
REAP_S = 10.0  # also for the hands of verbs that died
AGAIN_S = 0.05
LONGEST_AGAIN_S = 5.0


class Reaper:
    """Used by one thread; only `watch_panes` may be called by another."""

    def __init__(self, pit: "Pit", *, panes_ended: Callable[[set[int]], None]) -> None:
        self._pit = pit
        self._panes_ended = panes_ended
        self._exits = ExitWatch()
        self._lives: dict[str, int] = {}
        self._panes: set[int] = set()
        self._new_panes: deque[int] = deque()
        self._claimed = pit.config.pit_dir / FOLDER[State.CLAIMED]
        self._listed_mtime = 0
        self._listed_at = 0.0
        self._again_s = AGAIN_S
        self.ticker: Ticker | None = None

    def duties(self) -> list[Duty]:
        return [
            Duty(name="watch lives", step=self.step_watch, interval_s=LOOK_S),
            Duty(name="reap", step=self.step_reap, interval_s=REAP_S),
        ]

    def watch_panes(self, pids: Iterable[int]) -> None:
        self._new_panes.extend(pids)

    def wait(self, seconds: float) -> list[str]:
        gone = self._exits.poll(seconds)
        if not gone:
            return []
        ended = gone & self._panes
        if ended:
            self._panes -= ended
            self._panes_ended(ended)
        self._lives = {life: pid for life, pid in self._lives.items() if pid not in gone}
        return ["reap"]

    def step_watch(self, now: float) -> None:
        """Watch the exits of lives that are new; the folder's own time tells when there are any."""
        while self._new_panes:
            pid = self._new_panes.popleft()
            if pid not in self._panes:
                self._panes.add(pid)
                self._exits.add(pid)
        changed = os.stat(self._claimed).st_mtime_ns
        if changed == self._listed_mtime and now - self._listed_at < LIST_S:
            return
        self._listed_mtime, self._listed_at = changed, now
        for life in self._pit.store.lives():
            if life.verdict is Verdict.DEAD:
                self._hurry(AGAIN_S)
            elif life.verdict is Verdict.ALIVE and life.generation not in self._lives:
                self._lives[life.generation] = life.pid
                self._exits.add(life.pid)

    def step_reap(self, now: float) -> None:
        dead = [life for life in self._pit.store.lives() if life.verdict is Verdict.DEAD]
        reap(self._pit, counted=not self._is_spared(dead))
        if dead and any(life.verdict is Verdict.DEAD for life in self._pit.store.lives()):
            self._hurry(self._again_s)
            self._again_s = min(self._again_s * 2, LONGEST_AGAIN_S)
        else:
            self._again_s = AGAIN_S

    def close(self) -> None:
        self._exits.close()

    def _is_spared(self, dead: Iterable[LifeRecord]) -> bool:
        """A verb ends it on purpose."""
        return any(spared_path(self._pit.config, life.generation).exists() for life in dead)

    def _hurry(self, within_s: float) -> None:
        if self.ticker is not None:
            self.ticker.hurry("reap", within_s)
