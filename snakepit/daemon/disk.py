"""Owns the look at free space: under the limit no new claims, one notice; above it claims again."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.pool.gate import low_disk_path

if TYPE_CHECKING:
    from snakepit.pool.context import Pit

LOW_BYTES = 1 << 30
ENOUGH_BYTES = LOW_BYTES + (100 << 20)  # so that it does not flap at the limit


def free_bytes(path: Path) -> int:
    found = os.statvfs(path)
    return found.f_bavail * found.f_frsize


class DiskWatch:
    def __init__(self, pit: "Pit", *, free: Callable[[Path], int] = free_bytes) -> None:
        self._pit = pit
        self._free = free

    def step(self, now: float) -> None:
        free = self._free(self._pit.config.pit_dir)
        marker = low_disk_path(self._pit.config)
        if free < LOW_BYTES and not marker.exists():
            marker.touch(mode=0o600)
            self._pit.journal.append("store.low_disk", free_bytes=free)
        elif free >= ENOUGH_BYTES:
            marker.unlink(missing_ok=True)
