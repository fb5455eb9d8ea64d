"""Owns telling what is allowed and yet not as anybody meant it: food that lies in an idle snake's folder,
and processes that still work in a folder which somebody has replaced. It looks and changes nothing.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.core.names import stem
from snakepit.journal import reading
from snakepit.pool.attend import daemon_pid
from snakepit.store.base import Verdict
from snakepit.store.layout import FOLDER, RECORD, WASTE
from snakepit.system.descriptors import open_inodes

if TYPE_CHECKING:
    from snakepit.config.model import Config
    from snakepit.store.base import Entry, LifeRecord
    from snakepit.store.files import FilePit

DAEMON = "the daemon"
SOON_S = 5.0  # until a worker has looked into its folder
LAST_EVENTS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Oddity:
    rule: str
    name: str
    what: str
    fix: str


def oddities(config: "Config", store: "FilePit") -> list[Oddity]:
    lives = [life for life in store.lives() if life.lock and life.verdict is Verdict.ALIVE]
    return [*_replaced(config, lives), *_lying(config, store, lives)]


def _replaced(config: "Config", lives: "Iterable[LifeRecord]") -> Iterator[Oddity]:
    """They look for themselves every second; what stays here has stopped looking."""
    places = {name: _identity(config.pit_dir / name) for name in FOLDER.values()}
    running = {life.worker: life.pid for life in lives}
    for who, pid in {DAEMON: daemon_pid(config) or 0, **running}.items():
        held = open_inodes(pid) if pid else frozenset()
        if held.isdisjoint(places.values()):
            continue  # it has not opened the pit yet, or nobody can tell
        for name, identity in places.items():
            if identity is not None and identity not in held:
                what = f"{who} (process {pid}) works in another {name}/ than the one that lies here"
                fix = "it looks every second; if this stays, agents.py down and up"
                yield Oddity(rule="one folder for all", name=who, what=what, fix=fix)


def _identity(path: Path) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino


def _lying(config: "Config", store: "FilePit", lives: "Iterable[LifeRecord]") -> Iterator[Oddity]:
    """A worker takes what is put into its folder within seconds, unless it is paused or rests."""
    workers = {life.worker for life in lives}
    found = [
        entry
        for entry in store.entries(State.CLAIMED)
        if entry.worker in workers
        and not entry.in_hand
        and clock.wall() - entry.ctime_ns / 1e9 > SOON_S
        and not _was_run(config, entry)
    ]
    by_pool = _claimed_by_pool(config) if found else frozenset()
    for entry in found:
        if (entry.worker, entry.name) in by_pool:
            continue
        yield Oddity(
            rule="claims are worked on",
            name=entry.name,
            what=f"{entry.name} was put into claimed/{entry.worker}/ by hand, and {entry.worker} "
            "does not work on it",
            fix=f"{entry.worker} takes it when it is not paused; "
            f"mv -n {entry.path} {config.pit_dir / FOLDER[State.QUEUED]}/ gives it back",
        )


def _was_run(config: "Config", entry: "Entry") -> bool:
    """Whether a run of this task has left something since the life of its holder began."""
    try:
        born = os.stat(entry.path.parent / RECORD).st_mtime_ns
        return os.stat(config.pit_dir / WASTE / stem(entry.name)).st_mtime_ns >= born
    except OSError:
        return False


def _claimed_by_pool(config: "Config") -> frozenset[tuple[str | None, str | None]]:
    events = reading.tail(config.log_dir / "events.jsonl", LAST_EVENTS)
    last = {event.task: event for event in events if event.type == "task.claimed"}
    return frozenset(
        (event.worker, event.task) for event in last.values() if not event.data.get("observed")
    )
