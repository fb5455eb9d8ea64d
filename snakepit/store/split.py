"""Owns the one transaction that replaces a task by its parts.

1 take the parent -> back, counted   2 write parts and the parent's new text into .split.tmp/ -> thrown away, back
3 rename .split.tmp -> .split = commit -> the rest by recovery   4 unlink the parent's old text
5 publish each part (a stranger of that name becomes ~2)   6 publish the parent, last   7 rmdir .split
"""

import os
from collections.abc import Sequence

from snakepit.core.header import edit
from snakepit.core.names import numbered, problem_with, root_of, stem, task_name
from snakepit.core.needs import find_cycle
from snakepit.errors import StoreError, TaskError
from snakepit.store import layout
from snakepit.store.atomic import publish, stat_or_none, unlink_if_there, write_new
from snakepit.store.base import Claim, Part
from snakepit.store.folders import Folders
from snakepit.store.needs import live_place
from snakepit.store.reader import read_task
from snakepit.store.settle import Pen
from snakepit.system.files import open_folder, rename_noreplace


def prepared(folders: Folders, claim: Claim, parts: Sequence[Part]) -> list[Part]:
    """The parts with their `parent` and `by`, checked: readable, names free and different, no circle."""
    if not parts:
        msg = "a split needs at least one part"
        raise StoreError(msg, fix="give the parts as files or on stdin")
    names = [task_name(part.name) for part in parts]
    seen: set[str] = set()
    graph: dict[str, tuple[str, ...]] = {}
    ready: list[Part] = []
    for name, part in zip(names, parts, strict=True):
        _check_name(folders, name, claim.name, seen)
        seen.add(name)
        text = edit(part.text, {"parent": claim.name, "by": claim.worker, "allowed": None})
        try:
            task = read_task(name, text)
        except TaskError as error:
            message = f"part {name} cannot be read: {error.message}"
            raise StoreError(message, fix=error.fix) from error
        needs = tuple(task_name(need) for need in task.needs)
        if claim.name in needs or (claim.task.id and claim.task.id in task.needs):
            message = f"part {name} needs its own parent {claim.name}, which waits for its parts"
            raise StoreError(message, fix=f"remove {claim.name} from its needs")
        graph[name] = needs
        ready.append(Part(name=name, text=text))
    cycle = find_cycle(graph)
    if cycle:
        message = f"the parts need each other in a circle: {' -> '.join(cycle)}"
        raise StoreError(message, fix="remove one of these needs")
    return ready


def _check_name(folders: Folders, name: str, parent: str, seen: set[str]) -> None:
    problem = problem_with(name)
    if problem:
        msg = f"part {name!r}: {problem}"
        raise StoreError(msg, fix="give the part another name")
    taken = (
        name in seen
        or root_of(name) == root_of(parent)
        or live_place(folders, name) is not None
        or stat_or_none(name, folders.done) is not None
        or stat_or_none(name, folders.dead) is not None
    )
    if taken:
        msg = f"the name {name} is taken"
        raise StoreError(msg, fix="give the part a name of its own")


def free_part_name(parent: str, number: int) -> str:
    return f"{stem(root_of(parent))}-part-{number}.md"


def write_split(pen: Pen, claim: Claim, parts: Sequence[Part]) -> None:
    """Step 2, in the hand."""
    discard(layout.SPLIT_BEING_WRITTEN, pen.hand)
    os.mkdir(layout.SPLIT_BEING_WRITTEN, 0o700, dir_fd=pen.hand)
    fd = open_folder(layout.SPLIT_BEING_WRITTEN, pen.hand)
    try:
        for part in parts:
            write_new(fd, part.name, part.text, sync=True)
        names = [part.name for part in parts]
        needs = list(dict.fromkeys([*claim.task.needs, *names]))
        parent = edit(claim.text, {"parts": names, "needs": needs})
        write_new(fd, layout.PARENT_PREFIX + claim.name, parent, sync=True)
        os.fsync(fd)
    finally:
        os.close(fd)


def commit_split(pen: Pen) -> None:
    """Step 3."""
    os.rename(layout.SPLIT_BEING_WRITTEN, layout.SPLIT, src_dir_fd=pen.hand, dst_dir_fd=pen.hand)


def finish_split(folders: Folders, hand: int) -> tuple[str, list[str]]:
    """Steps 4 to 7, by the splitter or by recovery: every one may have happened already. (parent, parts)"""
    fd = open_folder(layout.SPLIT, hand)
    try:
        entries = sorted(os.listdir(fd))
        parents = [name for name in entries if name.startswith(layout.PARENT_PREFIX)]
        parent = parents[0][len(layout.PARENT_PREFIX) :] if parents else ""
        if parent:
            _unlink_old_text(hand, parent)
        parts = [name for name in entries if not name.startswith(".")]
        for name in parts:
            _publish_part(folders, fd, name)
        if parent:
            publish(parents[0], fd, folders.queued, parent, sync=False)
        os.fsync(folders.queued)
    finally:
        os.close(fd)
    os.rmdir(layout.SPLIT, dir_fd=hand)
    return parent, parts


def _unlink_old_text(hand: int, parent: str) -> None:
    for entry in os.listdir(hand):
        taken = layout.parse_taken(entry)
        if taken and taken[1] == parent:
            unlink_if_there(entry, hand)


def _publish_part(folders: Folders, split: int, name: str) -> None:
    while True:
        try:
            rename_noreplace(name, name, split, folders.queued)
        except FileNotFoundError:
            return
        except FileExistsError:
            _move_stranger(folders, name)
        else:
            return


def _move_stranger(folders: Folders, name: str) -> None:
    number = 2
    while True:
        try:
            rename_noreplace(name, numbered(name, number), folders.queued, folders.queued)
        except FileExistsError:
            number += 1
        except FileNotFoundError:
            return
        else:
            return


def discard(name: str, hand: int) -> None:
    try:
        fd = open_folder(name, hand)
    except FileNotFoundError:
        return
    try:
        for entry in os.listdir(fd):
            os.unlink(entry, dir_fd=fd)
    finally:
        os.close(fd)
    os.rmdir(name, dir_fd=hand)
