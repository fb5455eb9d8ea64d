"""Owns finding the guards of this pit's panes by their command lines, which no environment and no hung
tmux can hide, and having one start a program outside of its pane.
"""

import json
import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.session import launchfile
from snakepit.system import process

if TYPE_CHECKING:
    from snakepit.config.model import Config

FREE_WAIT_S = 2.0  # until a guard has taken what somebody else gave it
LOOK_S = 0.02


def guards(config: "Config") -> dict[int, str]:
    """pid -> session of every guard that runs; its child that has yet to become a program is none."""
    table = process.parents()
    found = {pid: session for pid in table if (session := _session(config, pid))}
    return {pid: session for pid, session in found.items() if table[pid] not in found}


def guard_above(config: "Config") -> int:
    """The guard of the pane that this process runs in; 0 outside of this pit's panes."""
    pid = os.getpid()
    while (pid := process.parent_of(pid)) > 1:
        if _session(config, pid):
            return pid
    return 0


def _session(config: "Config", pid: int) -> str:
    launch = launchfile.launch_of(process.command_of(pid))
    if launch is None or _real(launch.parent) != _real(config.state_dir / "launch"):
        return ""
    return launchfile.session_of(launch)


def _real(path: Path) -> str:
    return os.path.realpath(path)


def aside_path(config: "Config", guard: int) -> Path:
    """Where this guard looks for what it shall start; the same rule as in pane_guard."""
    return config.state_dir / "launch" / f"aside-{guard}.json"


def start_aside(guard: int, path: Path, launch: Mapping[str, object]) -> bool:
    """Have the guard start it as nobody's child. False: it does not take what it is given."""
    text = json.dumps(dict(launch)).encode()
    pause = threading.Event()
    deadline = clock.monotonic() + FREE_WAIT_S
    while not launchfile.write_new(path, text):
        if not process.send(guard, signal.SIGUSR1) or clock.monotonic() > deadline:
            return False
        pause.wait(LOOK_S)
    return process.send(guard, signal.SIGUSR1)
