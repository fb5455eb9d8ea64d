"""Owns the ends of a claim: complete, fail and release, step by step as the protocol lists them.

Each first takes the task by one rename into the caller's hand: that is the fence. What recovery does when a
process dies after a step stands behind the step, so that the two can be read side by side:

complete  1 take -> back, counted   2 append the result -> the torn block is cut, back, counted
          3 artefacts to done/x/ -> back to waste/   4 note in .settled -> back, counted   5 publish = commit
fail      1 take -> back, counted   2 write .t -> dropped, back, counted   3 rename to .out.<state>.x = commit
          4 unlink the old text -> published   5 publish
release   one rename out of the worker's folder = commit
"""

import os
from pathlib import Path
from typing import NamedTuple

from snakepit.core.header import edit
from snakepit.core.lifecycle import State
from snakepit.core.names import numbered, stem
from snakepit.errors import LifeLost, StoreError
from snakepit.store import layout
from snakepit.store.atomic import (
    publish,
    read_all,
    stat_or_none,
    unlink_if_there,
    write_all,
    write_new,
)
from snakepit.store.base import Claim
from snakepit.store.folders import Folders
from snakepit.system.files import rename_noreplace

TASK_LIMIT = 16 << 20
_APPEND = os.O_WRONLY | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC


class Pen(NamedTuple):
    """What a settling life works with: its folder `work`, its hand, and the hand's generation."""

    folders: Folders
    work: int
    hand: int
    generation: str


def take(pen: Pen, name: str) -> bool:
    """The fence: False when the task is no longer in the life's folder."""
    try:
        rename_noreplace(name, name, pen.work, pen.hand)
    except FileNotFoundError:
        return False
    return True


def append_result(pen: Pen, name: str, block: bytes) -> int:
    """Add the result to the text in the hand; the inode that will be done. A text with other names is copied first."""
    fd = os.open(name, _APPEND, dir_fd=pen.hand)
    try:
        status = os.fstat(fd)
        if status.st_nlink == 1:
            write_all(fd, block)
            if pen.folders.power:
                os.fsync(fd)
            return status.st_ino
    finally:
        os.close(fd)
    text = read_all(name, pen.hand, TASK_LIMIT)
    write_new(pen.hand, layout.BEING_WRITTEN, text + block, sync=pen.folders.power)
    os.rename(layout.BEING_WRITTEN, name, src_dir_fd=pen.hand, dst_dir_fd=pen.hand)
    return os.stat(name, dir_fd=pen.hand, follow_symlinks=False).st_ino


def keep_artefacts(pen: Pen, keep: Path, name: str) -> str:
    """Move the kept folder to `done/<stem>/`; the task name whose folder it got."""
    chosen, number = name, 1
    parent = os.open(keep.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        while True:
            if stat_or_none(chosen, pen.folders.done) is None:
                try:
                    rename_noreplace(keep.name, stem(chosen), parent, pen.folders.done)
                except FileExistsError:
                    pass
                else:
                    return chosen
            number += 1
            chosen = numbered(name, number)
    finally:
        os.close(parent)


def give_back_artefacts(pen: Pen, keep: Path, name: str) -> None:
    parent = os.open(keep.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        rename_noreplace(stem(name), keep.name, pen.folders.done, parent)
    finally:
        os.close(parent)


def publish_done(pen: Pen, name: str, keep: Path | None) -> str:
    """Steps 3 and 5 of complete: artefacts under the name that the file then gets."""
    done = pen.folders.done
    if keep is None:
        return publish(name, pen.hand, done, name, sync=pen.folders.power)
    chosen = name
    while True:
        chosen = keep_artefacts(pen, keep, chosen)
        try:
            rename_noreplace(name, chosen, pen.hand, done)
        except FileExistsError:
            give_back_artefacts(pen, keep, chosen)
            continue
        if pen.folders.power:
            os.fsync(done)
        return chosen


def rewrite_and_publish(pen: Pen, held: str, name: str, text: bytes, state: State) -> str:
    """Steps 2 to 5 of fail: the text in the hand under `held` becomes `text` in the folder of `state`."""
    out = layout.out_name(state, name)
    try:
        write_new(pen.hand, layout.BEING_WRITTEN, text, sync=True)
    except OSError as error:
        unlink_if_there(layout.BEING_WRITTEN, pen.hand)
        publish(held, pen.hand, pen.folders.queued, name, sync=False)
        message = f"{name}: could not be written: {error.strerror}; it waits again as it was"
        raise StoreError(message, fix="free some space on the pit's filesystem") from error
    os.rename(layout.BEING_WRITTEN, out, src_dir_fd=pen.hand, dst_dir_fd=pen.hand)
    os.unlink(held, dir_fd=pen.hand)
    return publish(out, pen.hand, pen.folders.fd[state], name, sync=True)


def undone(pen: Pen, claim: Claim, error: OSError) -> StoreError:
    """Undo a complete that failed before its commit, as on a full disk: the text as it was waits again."""
    name = claim.name
    what = f"{name}: its result could not be written: {error.strerror}"
    try:
        fd = os.open(name, _APPEND, dir_fd=pen.hand)
        try:
            os.ftruncate(fd, len(claim.text))
        finally:
            os.close(fd)
        unlink_if_there(layout.BEING_WRITTEN, pen.hand)
        publish(name, pen.hand, pen.folders.queued, name, sync=False)
    except OSError as again:
        message = f"{what}, nor could it be given back: {again.strerror}"
        return LifeLost(message, fix="it is given back when this life ends")
    return StoreError(f"{what}; it waits again", fix="free some space on the pit's filesystem")


def release(pen: Pen, name: str) -> str | None:
    """One rename, out of the life's own folder; the name it got, None when the task was gone."""
    try:
        return publish(name, pen.work, pen.folders.queued, name, sync=False)
    except FileNotFoundError:
        return None


def failed_text(
    text: bytes, *, attempt: int, reason: str, not_before: str | None, story: bytes
) -> bytes:
    changes = {"attempt": attempt, "reason": _one_line(reason), "not_before": not_before}
    return edit(text, changes).rstrip(b"\n") + b"\n" + story


def _one_line(reason: str) -> str:
    line = " ".join(reason.split())
    return line if len(line) <= 500 else line[:497] + "..."


def find_settled_by_hand(
    pen: Pen, name: str, inode: int, since_ns: int
) -> tuple[State, str] | None:
    """Where the life's own agent moved the task by `mv`: the same inode, or the name with a later ctime."""
    for state in (State.DONE, State.QUEUED, State.DEAD):
        for number in range(1, 10):
            chosen = numbered(name, number) if number > 1 else name
            status = stat_or_none(chosen, pen.folders.fd[state])
            if status is None:
                break
            if status.st_ino == inode or (number == 1 and status.st_ctime_ns > since_ns):
                return state, chosen
    return None


def keep_late_result(pen: Pen, name: str, block: bytes) -> str:
    """A result whose claim is gone: a dead letter that is no task (`late: true`)."""
    text = edit(block.lstrip(b"\n"), {"late": True, "of": name})
    write_new(pen.hand, layout.BEING_WRITTEN, text, sync=pen.folders.power)
    late = late_name(name)
    return publish(layout.BEING_WRITTEN, pen.hand, pen.folders.dead, late, sync=pen.folders.power)


def late_name(name: str) -> str:
    return f"{stem(name)}~late.md"
