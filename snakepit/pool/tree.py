"""Owns ending what a life or a run started: all of it, proved by a scan; it settles no task.

A process belongs to a life when it bears the life's generation in the environment it was started
with, or when it descends from its guard: the guard is the subreaper of its pane, so what left
its session, its parent and its environment still hangs below it. Where guard and worker were killed
at once, a third sign is left: the open file that the life's children inherit. All are stopped before
any is killed: a tree that forks while it is being killed would outrun the killer.

What closed that file too (Python's subprocess does), dropped the environment and left its parent is
found by none of these once guard and worker are both gone.
"""

import os
import signal
from collections.abc import Callable, Collection, Iterable

from snakepit import clock
from snakepit.store.base import LifeRecord
from snakepit.system import process

MARK = "SNAKEPIT_GENERATION"
PATIENCE = 3.0  # seconds until what does not die is reported as left


def end_life(record: LifeRecord, *, keep: Collection[int] = ()) -> bool:
    """True when nothing that the life started is left. Safe to repeat, and for a life long gone."""
    if record.boot and record.boot != process.boot_id():
        return True
    spared = {os.getpid(), *keep}
    if record.lock:
        spared.add(record.pid)  # its lock is free: dead, or at its own orderly end
    return _end(lambda: _of_life(record) - spared)


def end_tree(roots: Iterable[int], *, keep: Collection[int] = ()) -> bool:
    """End the roots and everything below them."""
    tops = set(roots)
    spared = {os.getpid(), *keep}

    def find() -> set[int]:
        table = process.parents()
        return ((tops & table.keys()) | process.descendants(*tops, table=table)) - spared

    return _end(find)


def end_below(pid: int, *, keep: Collection[int] = ()) -> bool:
    """End everything below `pid`, not `pid`; a kept process keeps what is below it too."""
    return _end(lambda: process.descendants(pid, without=keep))


class RunTree:
    """What one run starts below this process, which does nothing else meanwhile."""

    def __init__(self, generation: str, *, is_subreaper: bool) -> None:
        self._generation = generation
        self._is_subreaper = is_subreaper
        table = {} if is_subreaper and process.has_no_child() else process.parents()
        self._others = {pid for pid, parent in table.items() if parent == os.getpid()}

    def end(self) -> bool:
        """True when nothing of it is left; a microsecond where nothing was."""
        if self._is_subreaper and process.has_no_child():
            return True
        return _end(self._find)

    def _find(self) -> set[int]:
        found = process.descendants(os.getpid(), without=self._others)
        if not self._is_subreaper:
            found |= process.pids_with_mark(MARK, self._generation)
            found |= process.descendants(*found)
        return found - {os.getpid()} - self._others


def _of_life(record: LifeRecord) -> set[int]:
    found = process.pids_with_mark(MARK, record.generation)
    roots = set()
    if record.pidns == process.pid_namespace():
        if process.is_running(record.pid, record.start):
            found.add(record.pid)
            roots.add(record.pid)
        if record.guard and _is_guard_of(record):
            roots.add(record.guard)
        elif record.start:  # no guard any more; this look costs most
            name = open_mark(record.generation)
            found |= process.pids_with_open_mark(name, since=record.start)
    if found or roots:
        found |= process.descendants(*found, *roots)
    return found - {record.guard}


def open_mark(generation: str) -> str:
    return f"snakepit-{generation}"


def _is_guard_of(record: LifeRecord) -> bool:
    """A guard is older than its life; a stranger with its pid is younger."""
    start = process.start_time(record.guard)
    return start is not None and start <= record.start and not process.is_zombie(record.guard)


def _end(find: Callable[[], set[int]]) -> bool:
    deadline = clock.monotonic() + PATIENCE
    while clock.monotonic() < deadline:
        targets = _stop(find)
        if not targets:
            return True
        for pid in targets:
            process.send(pid, signal.SIGKILL)
        _await_exits(targets, deadline)
    return not find()


def _stop(find: Callable[[], set[int]]) -> set[int]:
    """Stop what is found until a scan finds nothing more: a scan beside a fork can miss the child."""
    stopped: set[int] = set()
    while running := find() - stopped:
        for pid in running:
            process.send(pid, signal.SIGSTOP)
        stopped |= running
    return stopped


def _await_exits(pids: set[int], deadline: float) -> None:
    watch = process.ExitWatch()
    for pid in pids:
        watch.add(pid)
    left = set(pids)
    while left and clock.monotonic() < deadline:
        left -= watch.poll(max(0.0, deadline - clock.monotonic()))
    watch.close()
