"""Owns the question whether a worker may claim now; who asks often pays a few stat calls."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.pool.fleet import fleet_path, load_fleet

if TYPE_CHECKING:
    from snakepit.config.model import Config

Stamp = tuple[int, int, int]


def low_disk_path(config: "Config") -> Path:
    """It exists while the daemon sees too little free space."""
    return config.state_dir / "low_disk"


class Gate:
    """For one worker; the files are read again only when they have changed."""

    def __init__(self, config: "Config", worker: str) -> None:
        self._config = config
        self._worker = worker
        self._low_disk = low_disk_path(config)
        self._fleet_path = fleet_path(config)
        self._fleet_stamp: Stamp | None = None
        self._is_leaving = False

    def closed(self) -> str:
        """Why it may not claim: empty when it may. Pauses of the whole pit are the store's matter."""
        if _stamp(self._low_disk) is not None:
            return "too little free space"
        stamp = _stamp(self._fleet_path)
        if stamp != self._fleet_stamp:
            self._fleet_stamp = stamp
            fleet = load_fleet(self._config)
            self._is_leaving = self._worker in fleet.leaving | fleet.stale
        return "it leaves after this meal" if self._is_leaving else ""


def _stamp(path: Path) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
