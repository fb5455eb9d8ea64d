"""Owns what an idle worker does for the pool when no daemon does: it reaps, and starts the daemon again."""

import json
import os
import signal
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.pool.context import Pit
from snakepit.pool.reap import reap
from snakepit.system import process

if TYPE_CHECKING:
    from snakepit.worker.screen import Screen

LOOK_EVERY = 1.0  # seconds
START_EVERY = 3.0  # seconds, over all workers of the pit
GUARD = "SNAKEPIT_GUARD"
ASIDE = "SNAKEPIT_ASIDE"


def guard_pid() -> int:
    """The guard that is our parent; 0 when there is none."""
    pid = os.environ.get(GUARD, "")
    return int(pid) if pid.isdigit() and int(pid) == os.getppid() else 0


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
        if guard_pid() and self._is_wanted():
            self._start()
        return bool(recovered)

    def _is_wanted(self) -> bool:
        """The fleet is meant to be up, and no other worker has just tried."""
        from snakepit.pool.fleet import load_fleet

        if self._pit.store.paused or not load_fleet(self._pit.config).is_up:
            return False
        return _is_our_turn(str(self._pit.config.state_dir / "daemon.starting"))

    def _start(self) -> None:
        """By the guard: whatever we start ourselves ends with us."""
        from snakepit.pool.attend import daemon_argv, daemon_environment, output_path
        from snakepit.pool.environment import kept_environment
        from snakepit.session.launchfile import write_private

        config = self._pit.config
        launch = {
            "argv": daemon_argv(config),
            "env": daemon_environment(config, kept_environment(config.state_dir)),
            "cwd": "/",
            "output": str(output_path(config)),
        }
        from pathlib import Path

        try:
            write_private(Path(os.environ[ASIDE]), json.dumps(launch).encode())
        except OSError as error:
            self._screen.say(f"the daemon is gone and cannot be started: {error}")
            return
        process.send(guard_pid(), signal.SIGUSR1)
        self._screen.say("the daemon was gone; started it again")


def _is_our_turn(path: str) -> bool:
    """True for one caller in START_EVERY seconds: the others see how old the mark is."""
    try:
        age = clock.wall() - os.stat(path).st_mtime
        if 0 <= age < START_EVERY:
            return False
        os.rename(path, f"{path}.{os.getpid()}")
        os.unlink(f"{path}.{os.getpid()}")
    except FileNotFoundError:
        pass  # nobody tried yet, or another has just taken the mark away
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))
    except FileExistsError:
        return False
    return True
