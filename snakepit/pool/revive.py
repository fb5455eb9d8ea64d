"""Owns starting the daemon from inside a pane, when it is missed: by the guard, so that it belongs to
nobody there. Imports next to nothing: every worker has it.
"""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock

if TYPE_CHECKING:
    from snakepit.config.model import Config

GUARD = "SNAKEPIT_GUARD"
ASIDE = "SNAKEPIT_ASIDE"
START_EVERY = 3.0  # seconds, over all panes of the pit


def guard_pid() -> int:
    """The guard that is our parent; 0 when there is none."""
    pid = os.environ.get(GUARD, "")
    return int(pid) if pid.isdigit() and int(pid) == os.getppid() else 0


def is_missed(config: "Config") -> bool:
    """No daemon runs, the fleet is meant to be up, and we are in a pane."""
    from snakepit.pool.attend import daemon_pid
    from snakepit.pool.fleet import load_fleet
    from snakepit.store.layout import PAUSED, PRIVATE

    if daemon_pid(config) is not None or not guard_pid():
        return False
    return load_fleet(config).is_up and not (config.pit_dir / PRIVATE / PAUSED).exists()


def is_our_turn(config: "Config") -> bool:
    """True for one caller in START_EVERY seconds: the others see how old the mark is."""
    path = str(config.state_dir / "daemon.starting")
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


def start_aside(config: "Config") -> bool:
    """False: the guard does not take it. OSError where the launch file cannot be written."""
    from snakepit.pool.attend import daemon_argv, daemon_environment, output_path
    from snakepit.pool.environment import kept_environment
    from snakepit.pool.guards import start_aside as have_guard_start

    launch = {
        "argv": daemon_argv(config),
        "env": daemon_environment(config, kept_environment(config.state_dir)),
        "cwd": "/",
        "output": str(output_path(config)),
    }
    return have_guard_start(guard_pid(), Path(os.environ[ASIDE]), launch)


def revive(config: "Config", *, at_once: bool = False) -> bool:
    """Start it when it is missed; True when this caller did. `at_once`: we are about to end."""
    if not is_missed(config) or not (at_once or is_our_turn(config)):
        return False
    return start_aside(config)
