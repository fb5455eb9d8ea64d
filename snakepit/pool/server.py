"""Owns remembering which tmux server is ours, so that one which answers nobody can be ended all the same."""

import signal
from typing import TYPE_CHECKING

from snakepit.pool.statefile import read_state, write_state
from snakepit.session.base import Host
from snakepit.system import process

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Config

END_WAIT_S = 5.0


def note_server(config: "Config", host: Host) -> None:
    """Asks tmux only when the server on record is gone. A server that others use is not noted."""
    if recorded_server(config):
        return
    pid = host.own_server()
    start = process.start_time(pid) if pid else None
    if start is not None:
        write_state(_path(config), {"pid": pid, "start": start})


def recorded_server(config: "Config") -> int:
    """The pid of the server that we started, if that very process still runs; else 0."""
    found = read_state(_path(config))
    pid, start = found.get("pid"), found.get("start")
    if isinstance(pid, int) and isinstance(start, int) and process.is_running(pid, start):
        return pid
    return 0


def kill_server(config: "Config") -> int:
    """End the recorded server without asking it; its pid, 0 when there is none that may be ended."""
    pid = recorded_server(config)
    if not pid:
        return 0
    watch = process.ExitWatch()
    watch.add(pid)
    process.send(pid, signal.SIGKILL)
    process.send(pid, signal.SIGCONT)
    watch.poll(END_WAIT_S)
    watch.close()
    return pid if not process.is_running(pid) else 0


def _path(config: "Config") -> "Path":
    return config.state_dir / "tmux.json"
