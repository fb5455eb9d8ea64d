"""Owns removing old waste: too old first, then the oldest until it fits; it touches no task, ever.
Records in state/ that a death left half written go too.

What a task that is claimed now has left is kept, whatever its age. No link is followed: a link in
waste/ is removed, what it points to stays.
"""

import os
import shutil
import stat
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.core.lifecycle import State
from snakepit.store.layout import WASTE

if TYPE_CHECKING:
    from snakepit.pool.context import Pit

DAY_S = 86400.0
GB = 1 << 30
UNFINISHED_S = 3600.0  # a record that is being written has its name within a second


@dataclass(frozen=True, slots=True, kw_only=True)
class Leavings:
    """What one attempt left. `size` is what it takes on the disk; `at` when it last changed."""

    path: Path
    task: str
    at: float
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cleaned:
    removed: tuple[Path, ...] = ()
    freed_bytes: int = 0
    kept_bytes: int = 0
    failed: tuple[str, ...] = ()


def clean(pit: "Pit", now: float, *, dry_run: bool = False) -> Cleaned:
    """`now` is wall time. What cannot be removed is reported, and the rest goes on."""
    settings = pit.config.pit
    waste = pit.config.pit_dir / WASTE
    claimed = {entry.name.removesuffix(".md") for entry in pit.store.entries(State.CLAIMED)}
    found = sorted(leavings(waste), key=lambda one: (one.at, one.path))
    idle = [one for one in found if one.task not in claimed]
    total = sum(one.size for one in found)
    gone = surplus(
        idle,
        total,
        oldest_at=now - settings.keep_waste_days * DAY_S,
        most=int(settings.keep_waste_gb * GB),
    )
    if dry_run:
        freed = sum(one.size for one in gone)
        return Cleaned(
            removed=tuple(one.path for one in gone), freed_bytes=freed, kept_bytes=total - freed
        )
    _remove_unfinished(pit.config.state_dir, now - UNFINISHED_S)
    cleaned = _remove(gone, waste, total)
    if cleaned.removed:
        pit.journal.append(
            "store.cleaned", removed=len(cleaned.removed), freed_bytes=cleaned.freed_bytes
        )
    return cleaned


def surplus(
    oldest_first: list[Leavings], total: int, *, oldest_at: float, most: int
) -> list[Leavings]:
    """What is too old, and of the rest the oldest until the whole fits."""
    gone = []
    for one in oldest_first:
        if one.at < oldest_at or total > most:
            gone.append(one)
            total -= one.size
    return gone


def leavings(waste: Path) -> Iterator[Leavings]:
    """One for each entry of each task's folder, and for whatever else lies in waste/."""
    for task in _entries(waste):
        if not task.is_dir(follow_symlinks=False):
            yield _measure(task, task.name)
            continue
        for entry in _entries(Path(task.path)):
            yield _measure(entry, task.name)


def _measure(entry: "os.DirEntry[str]", task: str) -> Leavings:
    size, at = _size(entry.path)
    return Leavings(path=Path(entry.path), task=task, at=at, size=size)


def _size(path: str) -> tuple[int, float]:
    """Bytes on the disk and the latest change, of everything below; links count as themselves."""
    try:
        status = os.lstat(path)
    except OSError:
        return 0, 0.0
    size, at = status.st_blocks * 512, status.st_mtime
    if stat.S_ISDIR(status.st_mode):
        for entry in _entries(Path(path)):
            inner, changed = _size(entry.path)
            size, at = size + inner, max(at, changed)
    return size, at


def _entries(path: Path) -> list["os.DirEntry[str]"]:
    try:
        with os.scandir(path) as listed:
            return list(listed)
    except OSError:
        return []


def _remove(gone: list[Leavings], waste: Path, total: int) -> Cleaned:
    removed, failed, freed = [], [], 0
    for one in gone:
        try:
            if one.path.is_dir() and not one.path.is_symlink():
                shutil.rmtree(one.path)
            else:
                one.path.unlink()
        except FileNotFoundError:
            continue
        except OSError as error:
            failed.append(f"{one.path}: {error.strerror}")
            continue
        removed.append(one.path)
        freed += one.size
        if one.path.parent != waste:
            _remove_if_empty(one.path.parent)
    return Cleaned(
        removed=tuple(removed), freed_bytes=freed, kept_bytes=total - freed, failed=tuple(failed)
    )


def _remove_unfinished(state: Path, before: float) -> None:
    """Records whose writer died before it gave them their name: hidden files, in state/ alone."""
    for entry in _entries(state):
        if entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
            with suppress(OSError):
                if entry.stat(follow_symlinks=False).st_mtime < before:
                    os.unlink(entry.path)


def _remove_if_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:
        return
