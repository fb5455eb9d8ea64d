"""Owns the one shape of every loop: named duties, each `step(now)` at its interval; never sleeps.

A duty that raises is reported and tried again at its next turn; the others go on.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from snakepit import clock

MOST_PAUSE_S = 60.0


@dataclass(slots=True, kw_only=True)
class Duty:
    """`step` gets the monotonic instant of its turn; `due_at` is when the next one is."""

    name: str
    step: Callable[[float], object]
    interval_s: float
    due_at: float = -math.inf


class Ticker:
    def __init__(self, duties: Iterable[Duty], *, failed: Callable[[str, Exception], None]) -> None:
        self.duties = {duty.name: duty for duty in duties}
        self._failed = failed

    def run_due(self, now: float) -> list[str]:
        """Run what is due, in order; the names of what ran."""
        ran = []
        for duty in self.duties.values():
            if duty.due_at > now:
                continue
            duty.due_at = now + duty.interval_s
            ran.append(duty.name)
            try:
                duty.step(now)
            except Exception as error:
                self._failed(duty.name, error)
        return ran

    def pause(self, now: float) -> float:
        """Seconds until the next duty is due."""
        due_at = min((duty.due_at for duty in self.duties.values()), default=math.inf)
        return min(max(0.0, due_at - now), MOST_PAUSE_S)

    def hurry(self, name: str, within_s: float = 0.0, *, now: float | None = None) -> None:
        """Make a duty due at once, or within some time; unknown names are ignored."""
        duty = self.duties.get(name)
        if duty is not None:
            at = (clock.monotonic() if now is None else now) + within_s
            duty.due_at = min(duty.due_at, at)


def run(
    ticker: Ticker, wait: Callable[[float], Iterable[str]], is_stopping: Callable[[], bool]
) -> None:
    """Until it is stopping: run what is due, then wait; `wait` answers with the duties to hurry."""
    while not is_stopping():
        ticker.run_due(clock.monotonic())
        if is_stopping():
            return
        for name in wait(ticker.pause(clock.monotonic())):
            ticker.hurry(name)
