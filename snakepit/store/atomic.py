"""Owns the small steps that every transition is made of: write whole, rename, publish under a free name.

1. Nobody changes a file outside a folder that is theirs alone; a change is a new file, renamed.
2. A contended source is renamed, never linked: two workers can link one file into two folders.
3. A shared target is never replaced: a taken name becomes `x~2.md`, `x~3.md`, …
4. New text is fsynced before the name that commits it, the folder before success is told (`durable = "power"`).
"""

import os

from snakepit.core.names import numbered
from snakepit.system.files import open_file, rename_noreplace

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 20


def write_new(dir_fd: int, name: str, data: bytes, *, sync: bool, mode: int = 0o666) -> None:
    """Create `name` with all of `data`; whatever stood there from an earlier, unfinished try is removed first."""
    try:
        fd = os.open(name, _NEW, mode, dir_fd=dir_fd)
    except FileExistsError:
        os.unlink(name, dir_fd=dir_fd)
        fd = os.open(name, _NEW, mode, dir_fd=dir_fd)
    try:
        write_all(fd, data)
        if sync:
            os.fsync(fd)
    finally:
        os.close(fd)


def write_all(fd: int, data: bytes) -> None:
    written = os.write(fd, data)
    while written < len(data):
        written += os.write(fd, data[written:])


def read_all(name: str, dir_fd: int, limit: int) -> bytes:
    """At most `limit` bytes, never through a link."""
    fd = open_file(name, dir_fd)
    try:
        return read_fd(fd, limit, os.fstat(fd).st_size)
    finally:
        os.close(fd)


def read_fd(fd: int, limit: int, size: int = 4096) -> bytes:
    """From where the descriptor stands; `size` is how much is expected, and costs one call when it is right."""
    data = os.read(fd, min(limit, size + 1))
    if len(data) <= size:
        return data
    parts = [data]
    total = len(data)
    while data and total < limit:
        data = os.read(fd, min(_CHUNK, limit - total))
        parts.append(data)
        total += len(data)
    return b"".join(parts)


def publish(source: str, source_dir: int, target_dir: int, name: str, *, sync: bool) -> str:
    """Rename out of a hand into a shared folder under `name` or the next free number; the name it got.

    FileNotFoundError: the source is gone, recovery published it.
    """
    chosen, number = name, 1
    while True:
        try:
            rename_noreplace(source, chosen, source_dir, target_dir)
        except FileExistsError:
            if same_inode(source, source_dir, chosen, target_dir):
                os.unlink(source, dir_fd=source_dir)  # linked here by an earlier, killed publish
            else:
                number += 1
                chosen = numbered(name, number)
                continue
        if sync:
            os.fsync(target_dir)
        return chosen


def same_inode(name: str, dir_fd: int, other: str, other_dir: int) -> bool:
    """Two names of one file; False when either is gone."""
    try:
        mine = os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
        theirs = os.stat(other, dir_fd=other_dir, follow_symlinks=False)
    except FileNotFoundError:
        return False
    return (mine.st_dev, mine.st_ino) == (theirs.st_dev, theirs.st_ino)


def stat_or_none(name: str, dir_fd: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=dir_fd, follow_symlinks=False)
    except (FileNotFoundError, NotADirectoryError):
        return None


def unlink_if_there(name: str, dir_fd: int) -> None:
    try:
        os.unlink(name, dir_fd=dir_fd)
    except FileNotFoundError:
        pass
