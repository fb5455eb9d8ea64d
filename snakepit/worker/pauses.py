"""Owns whether this worker may claim now, beside what the store itself says; it changes nothing."""

import os
from typing import TYPE_CHECKING

from snakepit.pool.gate import Gate

if TYPE_CHECKING:
    from snakepit.config.model import Config

LEAST_FREE = 1_000_000_000  # bytes on the pit's filesystem


class Pauses:
    """Asked before every claim: a few stat calls while nothing changes."""

    def __init__(self, config: "Config", worker: str) -> None:
        self._pit = os.fspath(config.pit_dir)
        self._path = config.state_dir / "overrides.toml"
        self._worker = worker
        self._gate = Gate(config, worker)
        self._seen: tuple[int, int] | None = None
        self._is_paused = False

    def reason(self) -> str:
        """Empty when it may claim."""
        if self._paused():
            return f"paused; agents.py resume {self._worker} goes on"
        free = os.statvfs(self._pit)
        if free.f_bavail * free.f_frsize < LEAST_FREE:
            return "less than 1 GB free: no new food until there is room"
        return self._gate.closed()

    def _paused(self) -> bool:
        try:
            found = os.stat(self._path)
        except OSError:
            self._seen = None
            return False
        seen = (found.st_ino, found.st_mtime_ns)
        if seen != self._seen:
            from snakepit.config.overrides import load_overrides

            self._is_paused = load_overrides(self._path).is_paused(self._worker)
            self._seen = seen
        return self._is_paused
