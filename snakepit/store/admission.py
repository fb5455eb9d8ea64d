"""Owns what a file must be to count as a task, and where it goes when it is none.

Nothing is followed, opened for more than reading, or executed. What is no plain, whole, readable text is moved
aside by one rename: a thing that could hurt (link, FIFO, folder, device, huge, unreadable) to `.pit/refused/`
with a plain note in the dead letters; a text that cannot be read as a task to the dead letters, unchanged,
with its reason in `<name>.why.md` beside it.
"""

import errno
import os
import stat
from enum import Enum, auto
from typing import NamedTuple

from snakepit.core.names import printable, problem_with, root_of, stem
from snakepit.core.task import Task
from snakepit.errors import TaskError
from snakepit.store import layout
from snakepit.store.atomic import publish, read_fd, write_new
from snakepit.store.folders import Folders
from snakepit.store.reader import read_task
from snakepit.store.settle import TASK_LIMIT
from snakepit.system.files import is_being_written, open_file, rename_noreplace

NOTE_NAME_BYTES = 150


class Kind(Enum):
    TASK = auto()
    GONE = auto()
    UNFINISHED = auto()  # empty, or somebody is writing it
    REFUSED = auto()  # not a file to open
    UNREADABLE = auto()  # a file, but no task


class Look(NamedTuple):
    """What one look at one name found. `needs_second_look`: nobody can tell whether a writer has it open."""

    kind: Kind
    name: str
    reason: str = ""
    task: Task | None = None
    text: bytes = b""
    ctime_ns: int = 0
    inode: int = 0
    needs_second_look: bool = False
    status: os.stat_result | None = None

    @property
    def identity(self) -> tuple[int, ...]:
        """What changes when the file does."""
        seen = self.status
        if seen is None:
            return ()
        return (seen.st_ino, seen.st_size, seen.st_mtime_ns, seen.st_ctime_ns)


def examine(dir_fd: int, name: str) -> Look:
    """Look at `name` through the folder's descriptor; changes nothing."""
    problem = problem_with(name)
    if problem:
        return Look(kind=Kind.REFUSED, name=name, reason=problem)
    try:
        fd = open_file(name, dir_fd)
    except FileNotFoundError:
        return Look(kind=Kind.GONE, name=name)
    except OSError as error:
        return Look(kind=Kind.REFUSED, name=name, reason=_open_problem(error))
    try:
        return _examine_open(fd, name)
    finally:
        os.close(fd)


def _open_problem(error: OSError) -> str:
    if error.errno == errno.ELOOP:
        return "it is a symbolic link; the pit follows none"
    if error.errno in (errno.ENXIO, errno.ENODEV):
        return "it is a device or a socket"
    if error.errno == errno.EACCES:
        return "it may not be read; its rights or its owner forbid it"
    return f"it cannot be opened: {error.strerror}"


def _examine_open(fd: int, name: str) -> Look:
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        return Look(kind=Kind.REFUSED, name=name, reason=f"it is {_type_name(status.st_mode)}")
    size = status.st_size
    if size == 0:
        return Look(kind=Kind.UNFINISHED, name=name, reason="it is empty")
    if size > TASK_LIMIT:
        reason = f"it has {size:,} bytes; a task has at most {TASK_LIMIT:,}"
        return Look(kind=Kind.REFUSED, name=name, reason=reason)
    writing = is_being_written(fd)
    if writing:
        return Look(kind=Kind.UNFINISHED, name=name, reason="somebody has it open for writing")
    data = read_fd(fd, TASK_LIMIT, size)
    try:
        if b"\0" in data:
            message = "it is binary, not text"
            raise TaskError(message, fix="put the data beside the task and name it in the text")
        task = read_task(name, data)
    except TaskError as error:
        return Look(kind=Kind.UNREADABLE, name=name, reason=str(error), inode=status.st_ino)
    unsure = writing is None
    return Look(Kind.TASK, name, "", task, data, status.st_ctime_ns, status.st_ino, unsure, status)


def _type_name(mode: int) -> str:
    tests = (
        (stat.S_ISDIR, "a folder"),
        (stat.S_ISLNK, "a symbolic link; the pit follows none"),
        (stat.S_ISFIFO, "a FIFO"),
        (stat.S_ISSOCK, "a socket"),
        (stat.S_ISBLK, "a block device"),
        (stat.S_ISCHR, "a character device"),
    )
    return next((text for test, text in tests if test(mode)), "not a plain file")


def refuse(folders: Folders, hand: int, dir_fd: int, name: str, reason: str) -> str | None:
    """Move the thing itself aside and leave a note; the note's name, None when the thing was gone."""
    try:
        status = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        target = os.readlink(name, dir_fd=dir_fd) if stat.S_ISLNK(status.st_mode) else ""
        place = os.urandom(6).hex()
        rename_noreplace(name, place, dir_fd, folders.refused)
    except FileNotFoundError:
        return None
    lines = [
        "---",
        "refused: true",
        "---",
        f"# Refused: {printable(name)}",
        "",
        f"`{printable(name)}` was not taken as a task: {reason}.",
        "",
        f"- type: {_type_name(status.st_mode)}"
        if not stat.S_ISREG(status.st_mode)
        else "- type: a file",
        f"- size: {status.st_size:,} bytes",
        *([f"- points to: `{printable(target)}`"] if target else []),
        f"- it lies untouched in `{layout.PRIVATE}/{layout.REFUSED}/{place}`",
        "",
    ]
    return _publish_note(folders, hand, note_name(name), "\n".join(lines))


def reject(
    folders: Folders, hand: int, dir_fd: int, source: str, name: str, reason: str
) -> str | None:
    """Move a text that is no task, unchanged, to the dead letters, its reason beside it; its new name."""
    try:
        final = publish(source, dir_fd, folders.dead, name, sync=True)
    except FileNotFoundError:
        return None
    text = f"# Why `{printable(final)}` is here\n\n{reason}\n\nMend it and feed it again.\n"
    _publish_note(folders, hand, f"{stem(final)}.why.md", text)
    return final


def _publish_note(folders: Folders, hand: int, name: str, text: str) -> str:
    write_new(hand, layout.BEING_WRITTEN, text.encode(), sync=False)
    return publish(layout.BEING_WRITTEN, hand, folders.dead, name, sync=False)


def note_name(name: str) -> str:
    """A safe name for the note about any name."""
    safe = printable(stem(name)).lstrip("-.") or "unnamed"
    while len(safe.encode()) > NOTE_NAME_BYTES:
        safe = safe[:-1]
    return f"{safe}.md"


def is_note(name: str) -> bool:
    """What stands beside dead letters and is no task itself; a second one of a name has a number."""
    return root_of(name).endswith((".why.md", "~late.md"))
