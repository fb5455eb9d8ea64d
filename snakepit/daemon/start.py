"""Owns the beginning and the end of the daemon's process: lock, config, signals, renewal in place."""

import fcntl
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.config.loader import try_load
from snakepit.core.redact import Redactor
from snakepit.pool.applied import is_same_place, load_applied, load_in_use
from snakepit.pool.attend import lock_path
from snakepit.pool.context import secret_values
from snakepit.pool.environment import kept_environment
from snakepit.pool.fleet import load_fleet

if TYPE_CHECKING:
    from snakepit.config.model import Config

LOCK_FD = "SNAKEPIT_DAEMON_LOCK"
LOCK_TRIES = 25
LOCK_PAUSE_S = 0.02  # a look at the lock by others may be in the way for a moment


def serve(path: Path, *, always: bool = False) -> int:
    """Until it is told to end; 0 also when another daemon serves this pit, or no fleet is up."""
    config = load_in_use(path, os.environ)
    if not (always or load_fleet(config).is_up):
        _say("no fleet is up")
        return 0
    config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = take_lock(lock_path(config))
    if lock is None:
        _say("another daemon serves this pit")
        return 0
    try:
        outcome = _run(config, lock)
    except Exception:
        _say(Redactor(secret_values(config, os.environ.items())).clean(traceback.format_exc()))
        return 1
    if outcome == "renew":
        _renew(lock)
    os.close(lock)
    return 0


def _run(found: "Config", lock: int) -> str:
    from snakepit.daemon.daemon import HUP, STOP, Daemon
    from snakepit.session.tmux import TmuxHost

    config, launch_config, environ = configs(found)
    host = TmuxHost(config.socket, tmux_conf=config.defaults.tmux_conf, environ=environ)
    daemon = Daemon(
        config,
        launch_config,
        environ,
        host,
        is_mine=lambda: is_same_file(lock_path(config), lock),
    )
    for number, message in (
        (signal.SIGTERM, STOP),
        (signal.SIGINT, STOP),
        (signal.SIGHUP, HUP),
    ):
        signal.signal(number, lambda *_, message=message: daemon.send(message))
    os.ftruncate(lock, 0)
    os.pwrite(lock, b"%d\n" % os.getpid(), 0)
    _say(f"serving {config.pit_dir}")
    outcome = daemon.run()
    _say(f"ended: {outcome}")
    return outcome


def configs(found: "Config") -> tuple["Config", "Config", Mapping[str, str]]:
    """The config whose numbers count, the one whose commands count, and the environment of sessions."""
    environ = kept_environment(found.state_dir)
    fresh = try_load(found.path, environ=environ).config or found
    applied = load_applied(found.state_dir, found.path, environ)
    if applied is None:
        return fresh, fresh, environ
    if not is_same_place(applied, fresh):
        return applied, applied, environ
    return fresh, applied, environ


def take_lock(path: Path) -> int | None:
    """The locked descriptor, perhaps the one this process held before it renewed itself."""
    inherited = os.environ.pop(LOCK_FD, "")
    if inherited.isdigit():
        fd = int(inherited)
        os.set_inheritable(fd, False)
        return fd
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
    pause = threading.Event()
    for _ in range(LOCK_TRIES):
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pause.wait(LOCK_PAUSE_S)
        else:
            return fd
    os.close(fd)
    return None


def is_same_file(path: Path, fd: int) -> bool:
    try:
        return os.path.samestat(os.stat(path), os.fstat(fd))
    except OSError:
        return False


def _renew(lock: int) -> None:
    """The same process and lock with a new config; all else it knows is on disk."""
    os.set_inheritable(lock, True)
    os.environ[LOCK_FD] = str(lock)
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])


def _say(text: str) -> None:
    sys.stderr.write(f"{clock.stamp()} daemon {os.getpid()}: {text}\n")
    sys.stderr.flush()
