"""Owns what recovery must still know of a task when it dies itself: whose claim it was, and what had been settled.

One JSON line in `.taken` of recovery's own hand, written before the task is taken there.
"""

import json
import os
from dataclasses import dataclass

from snakepit.store import layout
from snakepit.store.atomic import read_all

LIMIT = 64 << 20
_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """The life that claimed it; `settled` has the inodes of results it had of that name."""

    worker: str
    generation: str
    pid: int
    settled: frozenset[int] = frozenset()


def note(hand: int, name: str, origin: Origin) -> None:
    fields = [name, origin.worker, origin.generation, origin.pid, sorted(origin.settled)]
    fd = os.open(layout.TAKEN, _FLAGS, 0o600, dir_fd=hand)
    try:
        os.write(fd, json.dumps(fields).encode() + b"\n")
    finally:
        os.close(fd)


def read(hand: int) -> dict[str, Origin]:
    try:
        lines = read_all(layout.TAKEN, hand, LIMIT).splitlines()
    except OSError:
        return {}
    found: dict[str, Origin] = {}
    for line in lines:
        try:
            name, worker, generation, pid, settled = json.loads(line)
        except ValueError:
            continue  # torn by a death: its task was not taken yet
        found[name] = Origin(
            worker=worker, generation=generation, pid=pid, settled=frozenset(settled)
        )
    return found
