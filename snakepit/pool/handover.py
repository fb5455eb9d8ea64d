"""Owns handing a command over to a process outside of the pane it was typed in: what ends that pane
would end the command too. It knows no verb.
"""

import os
import secrets
import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.pool.guards import aside_path, guard_above, start_aside
from snakepit.system import process

if TYPE_CHECKING:
    from snakepit.config.model import Config

START_WAIT_S = 5.0
LOOK_S = 0.02
COPY_S = 0.1
KEEP_S = 86_400.0
OUT, ERR, PID, EXIT = ".out", ".err", ".pid", ".exit"
# Each file appears whole; what the command says goes into files that are there, private, already.
SHELL = (
    'echo $$ >"$0.new" && mv "$0.new" "$0.pid"; "$@" >"$0.out" 2>"$0.err";'
    ' echo $? >"$0.new" && mv "$0.new" "$0.exit"'
)


class Handed:
    """A command that runs elsewhere. Its files stay for a day when nobody relays them to the end."""

    def __init__(self, base: Path, pid: int) -> None:
        self._base = base
        self._pid = pid

    def relay(self, tell: Callable[[int, bytes], None]) -> int:
        """Pass on what it says, as (1 or 2, bytes), until it ends; its exit code."""
        watch = process.ExitWatch()
        watch.add(self._pid)
        with open(_file(self._base, OUT), "rb") as out, open(_file(self._base, ERR), "rb") as err:
            is_over = False
            while not is_over:
                is_over = bool(watch.poll(COPY_S))
                for number, file in ((1, out), (2, err)):
                    while said := file.read(65_536):
                        tell(number, said)
        watch.close()
        code = _number(_file(self._base, EXIT))
        _remove(self._base)
        return 1 if code is None else code


def hand_over(config: "Config", argv: Sequence[str], env: Mapping[str, str]) -> Handed | None:
    """Run `argv` with `env` outside of this pane. None: this is none, or nothing could start it."""
    guard = guard_above(config)
    if not guard:
        return None
    try:
        return _hand_over(config, guard, argv, env)
    except OSError:
        return None  # a full disk


def _hand_over(
    config: "Config", guard: int, argv: Sequence[str], env: Mapping[str, str]
) -> Handed | None:
    base = _new_base(config.state_dir / "handover")
    launch = {
        "argv": ["/bin/sh", "-c", SHELL, str(base), *argv],
        "env": dict(env),
        "cwd": _here(),
    }
    path = aside_path(config, guard)
    if start_aside(guard, path, launch):
        pid = _await_pid(base, path)
        if pid:
            return Handed(base, pid)
    _remove(base)
    return None


def _await_pid(base: Path, launch: Path) -> int:
    """0 when it was not started, and will not be."""
    pause = threading.Event()
    deadline = clock.monotonic() + START_WAIT_S
    is_taken = False
    while (pid := _number(_file(base, PID))) is None:
        if clock.monotonic() > deadline:
            if is_taken or _took_back(launch):
                return 0
            is_taken, deadline = True, clock.monotonic() + START_WAIT_S
        pause.wait(LOOK_S)
    return pid


def _took_back(launch: Path) -> bool:
    try:
        launch.unlink()
    except FileNotFoundError:
        return False
    return True


def _new_base(folder: Path) -> Path:
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    for old in folder.iterdir():
        with suppress(FileNotFoundError):
            if clock.wall() - old.stat().st_mtime > KEEP_S:
                old.unlink()
    base = folder / secrets.token_hex(6)
    for suffix in (OUT, ERR):
        _file(base, suffix).touch(mode=0o600, exist_ok=False)
    return base


def _here() -> str:
    try:
        return os.getcwd()
    except FileNotFoundError:
        return "/"


def _file(base: Path, suffix: str) -> Path:
    return base.with_name(base.name + suffix)


def _number(path: Path) -> int | None:
    try:
        text = path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        return None
    return int(text) if text.isdigit() else None


def _remove(base: Path) -> None:
    for suffix in (OUT, ERR, PID, EXIT, ".new"):
        _file(base, suffix).unlink(missing_ok=True)
