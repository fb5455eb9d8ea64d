"""Owns the question whether a worker may claim now; who asks often pays a few stat calls."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.config.overrides import FILE, load_overrides
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
        self._overrides_path = config.state_dir / FILE
        self._overrides_stamp: Stamp | None = None
        self._is_paused = False

    def closed(self) -> str:
        """Why it may not claim: empty when it may. The pause of `down` is the store's matter."""
        if _stamp(self._low_disk) is not None:
            return "too little free space"
        stamp = _stamp(self._fleet_path)
        if stamp != self._fleet_stamp:
            self._fleet_stamp = stamp
            fleet = load_fleet(self._config)
            self._is_leaving = self._worker in fleet.leaving | fleet.stale
        stamp = _stamp(self._overrides_path)
        if stamp != self._overrides_stamp:
            self._overrides_stamp = stamp
            self._is_paused = load_overrides(self._overrides_path).is_paused(self._worker)
        if self._is_paused:
            return "paused; agents.py resume goes on"
        return "it leaves after this meal" if self._is_leaving else ""


def _stamp(path: Path) -> Stamp | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns, found.st_size
