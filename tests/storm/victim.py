"""Owns telling what a process of a storm is at: who holds which lock, what lies in whose folder."""

import os
from pathlib import Path

from snakepit.store import layout
from snakepit.store.life import read_record
from snakepit.system.files import open_folder
from tests.storm.ground import WORKERS

RECOVERING = "in recovery"
JOURNAL = "writing an event"
SETTLING = "settling"
HOLDING = "holding a claim"
KEEPING = "keeping the index"
PUBLISHING = "publishing"
BETWEEN = "between"
BORN = "being born"


def lock_holders() -> dict[tuple[int, int], set[int]]:
    """(device, inode) -> who holds a lock on it."""
    holders: dict[tuple[int, int], set[int]] = {}
    for line in Path("/proc/locks").read_text().splitlines():
        words = line.split()
        if words[1] == "->":  # it waits
            continue
        pid, (major, minor, inode) = int(words[4]), words[5].split(":")
        key = (os.makedev(int(major, 16), int(minor, 16)), int(inode))
        holders.setdefault(key, set()).add(pid)
    return holders


def holders_of(path: Path, holders: dict[tuple[int, int], set[int]]) -> set[int]:
    try:
        status = path.stat()
    except OSError:
        return set()
    return holders.get((status.st_dev, status.st_ino), set())


def in_recovery(root: Path) -> set[int]:
    return holders_of(root / "pit" / layout.PRIVATE / layout.RECOVER_LOCK, lock_holders())


def doing(root: Path, role: str, pid: int) -> str:
    """Of a process that is stopped."""
    private = root / "pit" / layout.PRIVATE
    holders = lock_holders()
    if pid in holders_of(private / layout.RECOVER_LOCK, holders):
        return RECOVERING
    if pid in holders_of(root / "log" / "state" / "events.lock", holders):
        return JOURNAL
    keeps = pid in holders_of(private / layout.INDEX / "keeper", holders)
    if role in WORKERS:
        work = _of_worker(root / "pit" / "claimed" / role, pid)
        return KEEPING if keeps and work == BETWEEN else work
    if keeps:
        return KEEPING
    return PUBLISHING if _hand_in_use(private / layout.HANDS, pid) else BETWEEN


def _of_worker(folder: Path, pid: int) -> str:
    if pid_of_folder(folder) != pid:
        return BORN
    if _tasks_in(folder / layout.HAND):
        return SETTLING
    return HOLDING if _tasks_in(folder) else BETWEEN


def _tasks_in(folder: Path) -> bool:
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    kept = {layout.RECORD, layout.NEWBORN_RECORD, layout.HAND, layout.SETTLED, layout.TAKEN}
    return bool(set(names) - kept)


def _hand_in_use(hands: Path, pid: int) -> bool:
    return any(
        _tasks_in(hands / name) for name in os.listdir(hands) if pid_of_folder(hands / name) == pid
    )


def pid_of_folder(folder: Path) -> int:
    """Of the life whose folder it is; 0 where there is none."""
    try:
        fd = open_folder(str(folder))
    except OSError:
        return 0
    try:
        record = read_record(fd)
    finally:
        os.close(fd)
    return record.pid if record is not None else 0
