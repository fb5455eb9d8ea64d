"""Owns the daemon's thread for panes: looks and answers take seconds, and nothing else may wait for them."""

import threading
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from snakepit.daemon.push import PushFeeder
from snakepit.daemon.starting import StartWatch
from snakepit.daemon.ticker import Duty, Ticker, run
from snakepit.daemon.wake import WakeTimers

if TYPE_CHECKING:
    from snakepit.pool.context import Pit
    from snakepit.session.base import Host

START_S = 1.0
PUSH_S = 1.0
WAKE_S = 15.0


class PaneWork:
    """`run` in a thread of its own, on a pit of its own; `waiting` is for any thread."""

    def __init__(
        self,
        pit: "Pit",
        host: "Host",
        stop: threading.Event,
        *,
        failed: Callable[[str, Exception], None],
    ) -> None:
        self._stop = stop
        self._starting = StartWatch(pit, host)
        self._push = PushFeeder(pit, host, self._starting.is_ready)
        duties = [
            Duty(name="starting", step=self._starting.step, interval_s=START_S),
            Duty(name="push", step=self._push.step, interval_s=PUSH_S),
            Duty(name="wake", step=WakeTimers(pit, host).step, interval_s=WAKE_S),
        ]
        self._ticker = Ticker(duties, failed=failed)

    @property
    def waiting(self) -> dict[str, str]:
        return self._starting.waiting

    def run(self) -> None:
        run(self._ticker, self._wait, self._stop.is_set)

    def _wait(self, seconds: float) -> Iterable[str]:
        self._stop.wait(seconds)
        return ()
