"""Owns the question whether what a task needs is done: by looking at the folders, never at the index.

A need is met when done/ has it and nothing live bears its name or its name with a number.
"""

import os
from collections.abc import Callable, Mapping

from snakepit.core.lifecycle import State
from snakepit.core.names import numbered, task_name
from snakepit.core.task import Task
from snakepit.store import layout
from snakepit.store.atomic import stat_or_none
from snakepit.store.folders import Folders

NUMBERS = (2, 3, 4, 5)  # a name is rarely used more often while its first task still lives


def blocked_by(folders: Folders, task: Task, ids: Mapping[str, str]) -> str | None:
    """Why the task must wait, in words for its author; None when all its needs are met."""
    for need in task.needs:
        name = ids.get(need) or task_name(need)
        reason = _blocked_by_one(folders, name)
        if reason:
            return reason
    return None


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
    if _any_number(folders.queued, name):
        return "waiting"
    if in_work_folders(folders, lambda fd: _any_number(fd, name)):
        return "being worked on"
    return None


def _any_number(dir_fd: int, name: str) -> bool:
    if stat_or_none(name, dir_fd) is not None:
        return True
    return any(stat_or_none(numbered(name, n), dir_fd) is not None for n in NUMBERS)


Found = Callable[[int], bool]


def in_work_folders(folders: Folders, found: Found) -> bool:
    """Ask `found` of the open descriptor of each folder that holds claims, and of each hand."""
    for parent, inner in ((folders.claimed, layout.HAND), (folders.hands, layout.HAND)):
        for worker in _listed(parent):
            for path in (worker, f"{worker}/{inner}"):
                fd = _open(path, parent)
                if fd < 0:
                    continue
                try:
                    if found(fd):
                        return True
                finally:
                    os.close(fd)
    return False


def _listed(dir_fd: int) -> list[str]:
    return [name for name in os.listdir(dir_fd) if not name.startswith(".")]


def _open(path: str, dir_fd: int) -> int:
    try:
        return os.open(
            path, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=dir_fd
        )
    except OSError:
        return -1
