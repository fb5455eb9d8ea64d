"""Owns looking: what lies where, for people and reports; it changes nothing and trusts no index.

A listing is not atomic: a task that moves meanwhile may be seen twice or not at all. Folders are read in the
order tasks move, so that what is seen twice is the rarer fault.
"""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from snakepit.core.lifecycle import State
from snakepit.core.names import is_ignored
from snakepit.store import layout
from snakepit.store.admission import is_note
from snakepit.store.atomic import read_all, stat_or_none
from snakepit.store.base import Entry, LifeRecord, Verdict
from snakepit.store.folders import Folders
from snakepit.store.life import read_record
from snakepit.system.files import open_folder

HELD_LIMIT = 64 << 20


def entries(folders: Folders, state: State) -> Iterator[Entry]:
    if state is State.CLAIMED:
        for worker in sorted(os.listdir(folders.claimed)):
            yield from _in_worker(folders, worker)
        return
    base = folders.path / layout.FOLDER[state]
    for name in sorted(os.listdir(folders.fd[state])):
        if is_ignored(name) or (state is State.DEAD and is_note(name)):
            continue
        entry = _entry(folders.fd[state], name, state, base)
        if entry is not None:
            yield entry


def _in_worker(folders: Folders, worker: str) -> Iterator[Entry]:
    base = folders.path / layout.FOLDER[State.CLAIMED] / worker
    yield from _in_folder(folders.claimed, worker, base, worker, in_hand=False)
    yield from _in_folder(
        folders.claimed, f"{worker}/{layout.HAND}", base / layout.HAND, worker, in_hand=True
    )


def _in_folder(
    parent: int, path: str, base: Path, worker: str | None, *, in_hand: bool
) -> Iterator[Entry]:
    try:
        fd = open_folder(path, parent)
    except OSError:
        return
    try:
        for entry in sorted(os.listdir(fd)):
            found = _task_in_hand(entry)
            if found is not None:
                seen = _entry(fd, entry, State.CLAIMED, base, worker, found, in_hand)
                if seen is not None:
                    yield seen
    finally:
        os.close(fd)


def _task_in_hand(entry: str) -> str | None:
    """The task that a file in a worker's folder or a hand is, whatever its step."""
    out = layout.parse_out(entry)
    if out is not None:
        return out[1]
    taken = layout.parse_taken(entry)
    return taken[1] if taken is not None and not is_ignored(taken[1]) else None


def _entry(
    fd: int,
    entry: str,
    state: State,
    base: Path,
    worker: str | None = None,
    name: str | None = None,
    in_hand: bool = False,
) -> Entry | None:
    status = stat_or_none(entry, fd)
    if status is None or not stat.S_ISREG(status.st_mode):
        return None
    return Entry(
        name=name or entry,
        state=state,
        path=base / entry,
        worker=worker,
        size=status.st_size,
        ctime_ns=status.st_ctime_ns,
        inode=status.st_ino,
        in_hand=in_hand,
    )


def locate(folders: Folders, name: str) -> tuple[Entry, ...]:
    """Every place that has exactly this name."""
    found: list[Entry] = []
    for state in (State.QUEUED, State.CLAIMED, State.DONE, State.DEAD):
        if state is State.CLAIMED:
            found += [entry for entry in _claims_and_hands(folders) if entry.name == name]
            continue
        base = folders.path / layout.FOLDER[state]
        entry = _entry(folders.fd[state], name, state, base)
        if entry is not None:
            found.append(entry)
    return tuple(found)


def _claims_and_hands(folders: Folders) -> Iterator[Entry]:
    yield from entries(folders, State.CLAIMED)
    yield from in_hands(folders)


def in_hands(folders: Folders) -> Iterator[Entry]:
    """Tasks in private hands: of verbs and recoverers, and of dead workers that are not recovered yet."""
    base = folders.path / layout.PRIVATE / layout.HANDS
    for hand in sorted(os.listdir(folders.hands)):
        for inner in ("", f"/{layout.HAND}"):
            path = hand + inner
            yield from _in_folder(folders.hands, path, base / path, None, in_hand=True)


def counts(folders: Folders) -> dict[State, int]:
    found = dict.fromkeys(layout.FOLDER, 0)
    for state in (State.QUEUED, State.DONE, State.DEAD):
        with os.scandir(folders.fd[state]) as listed:
            found[state] = sum(
                1
                for entry in listed
                if entry.name.endswith(".md")
                and not is_ignored(entry.name)
                and not (state is State.DEAD and is_note(entry.name))
            )
    found[State.CLAIMED] = len({entry.name for entry in entries(folders, State.CLAIMED)})
    return found


def lives(folders: Folders) -> list[LifeRecord]:
    """Of every folder in claimed/; one without a record is held by a person."""
    records = []
    for worker in sorted(os.listdir(folders.claimed)):
        try:
            fd = open_folder(worker, folders.claimed)
        except OSError:
            continue
        try:
            record = read_record(fd)
        finally:
            os.close(fd)
        by_hand = LifeRecord(worker=worker, generation="", verdict=Verdict.BY_HAND)
        records.append(record or by_hand)
    return records


def held(folders: Folders) -> dict[str, str]:
    """As the keeper last wrote it: name -> what it waits for."""
    try:
        lines = os.fsdecode(read_all("held", folders.index, HELD_LIMIT)).splitlines()
    except OSError:
        return {}
    pairs = (line.partition("\t") for line in lines)
    found = {name: reason for name, tab, reason in pairs if tab}
    return {
        name: reason
        for name, reason in found.items()
        if stat_or_none(name, folders.queued) is not None
    }
