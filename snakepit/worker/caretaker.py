"""Owns what a worker does for the pool when no daemon does: it reaps, and starts the daemon again."""

from typing import TYPE_CHECKING

from snakepit.pool.context import Pit
from snakepit.pool.reap import reap
from snakepit.pool.revive import guard_pid, revive

if TYPE_CHECKING:
    from snakepit.worker.screen import Screen

__all__ = ["Caretaker", "guard_pid"]

LOOK_EVERY = 1.5  # seconds


class Caretaker:
    def __init__(self, pit: Pit, screen: "Screen") -> None:
        self._pit = pit
        self._screen = screen
        self._looked_at = -LOOK_EVERY

    def step(self, now: float) -> bool:
        """True when it gave something back. At most every LOOK_EVERY seconds; cheap while the
        daemon lives."""
        if now - self._looked_at < LOOK_EVERY:
            return False
        self._looked_at = now
        from snakepit.pool.attend import daemon_pid

        if daemon_pid(self._pit.config) is not None:
            return False
        recovered = reap(self._pit)
        for found in recovered:
            self._screen.say(f"gave back {found.name}, which {found.worker} left: {found.reason}")
        self._revive(at_once=False)
        return bool(recovered)

    def leave(self) -> None:
        """The last look: when tmux dies just after the daemon did, nobody else is left to look."""
        self._revive(at_once=True)

    def _revive(self, *, at_once: bool) -> None:
        try:
            if revive(self._pit.config, at_once=at_once):
                self._screen.say("the daemon was gone; started it again")
        except OSError as error:
            self._screen.say(f"the daemon is gone and cannot be started: {error}")
