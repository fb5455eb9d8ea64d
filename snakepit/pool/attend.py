"""Owns finding, starting and ending the daemon, for verbs and for workers that miss it."""

import fcntl
import os
import signal
import subprocess
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.pool.applied import STATE
from snakepit.pool.environment import session_environment
from snakepit.pool.program import module_argv
from snakepit.system import process

if TYPE_CHECKING:
    from snakepit.config.model import Config

START_WAIT_S = 10.0
END_WAIT_S = 5.0
LOOK_S = 0.02


def lock_path(config: "Config") -> Path:
    return config.state_dir / "daemon.lock"


def output_path(config: "Config") -> Path:
    return config.log_dir / "daemon.log"


def daemon_pid(config: "Config") -> int | None:
    """The pid of the running daemon, 0 while it is starting; None when none runs."""
    try:
        fd = os.open(lock_path(config), os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        text = os.pread(fd, 32, 0).strip()
        return int(text) if text.isdigit() else 0
    finally:
        os.close(fd)
    return None


def daemon_argv(config: "Config") -> list[str]:
    return module_argv("snakepit.daemon", "--config", str(config.path))


def daemon_environment(config: "Config", environ: Mapping[str, str]) -> dict[str, str]:
    """No keys: those that sessions need are in the file that `up` keeps."""
    own = {key: value for key, value in environ.items() if key.startswith("SNAKEPIT_SET_")}
    own[STATE] = str(config.state_dir)
    return session_environment(environ, own=own, names=())


def start_daemon(config: "Config", environ: Mapping[str, str]) -> bool:
    """Start it where none runs; False when one did. Returns without waiting for it to be ready."""
    if daemon_pid(config) is not None:
        return False
    config.log_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC | os.O_NOFOLLOW
    output = os.open(output_path(config), flags, 0o600)
    try:
        starter = subprocess.Popen(
            daemon_argv(config),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            env=daemon_environment(config, environ),
            cwd="/",
            start_new_session=True,
        )
    finally:
        os.close(output)
    starter.wait()
    return True


def await_daemon(config: "Config", seconds: float = START_WAIT_S) -> bool:
    pause = threading.Event()
    deadline = clock.monotonic() + seconds
    while not daemon_pid(config):
        if clock.monotonic() > deadline:
            return False
        pause.wait(LOOK_S)
    return True


def hang_up_daemon(config: "Config") -> bool:
    """Make it read agents.toml again; False when none runs."""
    pid = daemon_pid(config)
    return bool(pid) and process.send(pid or 0, signal.SIGHUP)


def end_daemon(config: "Config") -> bool:
    """End it and wait until it is gone; False when none ran."""
    pid = daemon_pid(config)
    if pid is None:
        return False
    if pid == 0:
        await_daemon(config)
        pid = daemon_pid(config) or 0
    watch = process.ExitWatch()
    if pid:
        watch.add(pid)
        process.send(pid, signal.SIGTERM)
        process.send(pid, signal.SIGCONT)
        if not watch.poll(END_WAIT_S):
            process.send(pid, signal.SIGKILL)
            watch.poll(END_WAIT_S)
    watch.close()
    return True
