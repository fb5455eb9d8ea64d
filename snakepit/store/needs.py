"""Owns the question whether what a task needs is done: by looking at the folders, never at the index.

A need is met when done/ has it and nothing live bears its name or its name with a number.
"""

import os
from collections.abc import Mapping

from snakepit.clock import wall
from snakepit.core.lifecycle import State
from snakepit.core.names import numbered, stem, task_name
from snakepit.core.task import Task
from snakepit.store import layout
from snakepit.store.atomic import stat_or_none
from snakepit.store.folders import Folders

TICK_NS = 50_000_000
NUMBERS = (2, 3, 4, 5)  # a name is rarely used more often while its first task still lives


def blocked_by(folders: Folders, task: Task, ids: Mapping[str, str]) -> str | None:
    """Why the task must wait, in words for its author; None when all its needs are met."""
    for need in task.needs:
        name = needed_name(need, ids)
        reason = _blocked_by_one(folders, name)
        if reason:
            return reason
    return None


def needed_name(need: str, ids: Mapping[str, str]) -> str:
    """The file that a need means: an explicit id, or a name with or without .md."""
    return ids.get(need) or ids.get(stem(need)) or task_name(need)


def _blocked_by_one(folders: Folders, name: str) -> str | None:
    live = live_place(folders, name)
    if live:
        return f"needs {name}, which is {live}"
    if stat_or_none(name, folders.done) is not None and live_place(folders, name) is None:
        return None
    if stat_or_none(name, folders.dead) is not None:
        return f"needs {name}, which lies in {layout.FOLDER[State.DEAD]}/"
    return f"needs {name}, which was never seen"


def live_place(folders: Folders, name: str) -> str | None:
    """Where a live task of that name, or of that name with a number, is; seen in the order tasks move."""
    names = (name, *(numbered(name, number) for number in NUMBERS))
    if any(stat_or_none(one, folders.queued) is not None for one in names):
        return "waiting"
    return "being worked on" if any(is_in_work(folders, one) for one in names) else None


def is_in_work(folders: Folders, name: str) -> bool:
    """Whether any worker's folder or hand has exactly this name."""
    return any(
        stat_or_none(path + name, dir_fd) is not None for dir_fd, path in _work_folders(folders)
    )


def _work_folders(folders: Folders) -> list[tuple[int, str]]:
    """Each folder that may hold claims, as a descriptor and a path below it.

    Remembered while the folders above did not change, once that change is older than a tick of their clock.
    """
    stamps = tuple(os.fstat(fd).st_mtime_ns for fd in (folders.claimed, folders.hands))
    if folders.work_seen == stamps:
        return folders.work_folders
    found = [
        (fd, f"{owner}/{inner}")
        for fd in (folders.claimed, folders.hands)
        for owner in os.listdir(fd)
        for inner in ("", f"{layout.HAND}/")
    ]
    is_old = wall() * 1e9 - max(stamps) > TICK_NS
    folders.work_folders, folders.work_seen = found, stamps if is_old else ()
    return found
