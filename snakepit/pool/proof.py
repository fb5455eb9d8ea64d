"""Owns proving that a program took a text: by what it notes of it itself, found by a mark nobody else wrote."""

import glob
import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from snakepit.system import process

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Backend

TAIL = 512 * 1024  # bytes of a log that are searched
SLACK_S = 2.0  # a file's time may be a little older than our clock


class Proof(Protocol):
    """One channel by which a program tells what it was given."""

    @property
    def name(self) -> str:
        """How the outcome names it: hook, log."""

    @property
    def tells(self) -> bool:
        """Whether there is such a channel here; then silence means something."""

    def seen(self, mark: str, since: float) -> bool:
        """Whether the program has taken a text with this mark since then, unix seconds."""


class LogProof:
    """The program's own record of its conversation, wherever its table says that lies."""

    name = "log"

    def __init__(self, backend: "Backend", agent: "Agent", pid: int) -> None:
        env = process.environ_of(pid)
        folder = _login_folder(backend, env)
        values = {"{folder}": folder, "{dir}": str(agent.dir)}
        self._globs = [_filled(pattern, values) for pattern in backend.typing.log]

    @property
    def tells(self) -> bool:
        return bool(self._globs)

    def seen(self, mark: str, since: float) -> bool:
        needle = mark.encode()
        return any(needle in _end_of(path) for path in self._fresh(since - SLACK_S))

    def _fresh(self, since: float) -> Iterable[str]:
        for pattern in self._globs:
            for path in glob.glob(pattern):
                try:
                    if os.stat(path).st_mtime >= since:
                        yield path
                except OSError:
                    continue


def _login_folder(backend: "Backend", env: Mapping[str, str]) -> str:
    account = backend.account
    folder = next((env[name] for name in account.folder_env if env.get(name)), account.folder)
    return env.get("HOME", "") + folder[1:] if folder.startswith("~") else folder


def _filled(pattern: str, values: Mapping[str, str]) -> str:
    for word, value in values.items():
        pattern = pattern.replace(word, glob.escape(value))
    return pattern


def _end_of(path: str) -> bytes:
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL))
            return file.read()
    except OSError:
        return b""
