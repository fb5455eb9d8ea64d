"""Owns which agents shall run: fleet.lock, and the record that outlives tmux and the daemon."""

import fcntl
import os
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.errors import SnakepitError
from snakepit.pool.statefile import read_state, strings, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Config

LOCK_WAIT_S = 120.0
LOCK_LOOK_S = 0.02


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """`members` shall run; once they hold nothing, `leaving` end and `stale` start anew."""

    is_up: bool = False
    members: tuple[str, ...] = ()
    leaving: frozenset[str] = frozenset()
    stale: frozenset[str] = frozenset()

    def without(self, name: str) -> "Fleet":
        return replace(
            self,
            members=tuple(member for member in self.members if member != name),
            leaving=self.leaving - {name},
            stale=self.stale - {name},
        )

    def renewed(self, name: str) -> "Fleet":
        return replace(self, stale=self.stale - {name})


def fleet_path(config: "Config") -> "Path":
    return config.state_dir / "fleet.json"


def load_fleet(config: "Config") -> Fleet:
    found = read_state(fleet_path(config))
    return Fleet(
        is_up=found.get("up") is True,
        members=strings(found.get("members")),
        leaving=frozenset(strings(found.get("leaving"))),
        stale=frozenset(strings(found.get("stale"))),
    )


def save_fleet(config: "Config", fleet: Fleet) -> None:
    """Called with the fleet lock held."""
    record = {
        "up": fleet.is_up,
        "members": list(fleet.members),
        "leaving": sorted(fleet.leaving),
        "stale": sorted(fleet.stale),
        "at": clock.stamp(),
    }
    write_state(fleet_path(config), record)


@contextmanager
def fleet_lock(config: "Config", *, seconds: float = LOCK_WAIT_S) -> Iterator[None]:
    """Only one `up`, `down`, `scale`, `reload` or restart by the daemon at a time."""
    with try_fleet_lock(config) as got:
        if got:
            yield
            return
    pause = threading.Event()
    deadline = clock.monotonic() + seconds
    while True:
        with try_fleet_lock(config) as got:
            if got:
                yield
                return
        if clock.monotonic() > deadline:
            msg = f"another command has held {_path(config)} for {seconds:.0f} s"
            raise SnakepitError(msg, fix=f"see who: fuser -v {_path(config)}")
        pause.wait(LOCK_LOOK_S)


@contextmanager
def try_fleet_lock(config: "Config") -> Iterator[bool]:
    """False at once when another process has it."""
    path = _path(config)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            yield False
            return
        yield True
    finally:
        os.close(fd)


def _path(config: "Config") -> "Path":
    return config.pit_dir / ".pit" / "fleet.lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resized:
    """Who begins, who ends now (idle), and who ends after the meal."""

    start: tuple[str, ...]
    end: tuple[str, ...]
    leave: tuple[str, ...]


def resize(pool: str, members: Iterable[str], wanted: int, busy: Iterable[str]) -> Resized:
    """Idle ones go first, the highest number first; a busy one is never ended."""
    own = sorted((name for name in members if pool_of(name) == pool), key=_number)
    if wanted >= len(own):
        numbers = (number for number in range(1, wanted + 1) if f"{pool}-{number}" not in own)
        free = islice(numbers, wanted - len(own))
        return Resized(start=tuple(f"{pool}-{number}" for number in free), end=(), leave=())
    held = set(busy)
    order = sorted(own, key=lambda name: (name in held, -_number(name)))
    gone = order[: len(own) - wanted]
    return Resized(
        start=(),
        end=tuple(name for name in gone if name not in held),
        leave=tuple(name for name in gone if name in held),
    )


def pool_of(name: str) -> str | None:
    head, dash, number = name.rpartition("-")
    return head if dash and number.isdecimal() else None


def _number(name: str) -> int:
    return int(name.rpartition("-")[2])
