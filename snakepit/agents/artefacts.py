"""Owns what of a run's files may be published: regular files and real folders; nothing is followed.

`keep` copies what a task's `artefacts:` globs name; `leave_out` clears a folder that the run filled itself.
"""

import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePath

LIMIT = 2_000_000_000  # bytes in all
COUNT_LIMIT = 10_000  # files
CHUNK = 1 << 20
NAMED = 20  # of what was left out


def keep(patterns: Iterable[str], source: Path, target: Path) -> list[str]:
    """Copy what matches in `source` to the same place in `target`; what could not be kept, in sentences."""
    problems: list[str] = []
    left, count = LIMIT, COUNT_LIMIT
    root = source.resolve()
    for pattern in patterns:
        if PurePath(pattern).is_absolute() or ".." in PurePath(pattern).parts:
            problems.append(f"artefacts: {pattern!r} leaves the task's folder; not kept")
            continue
        try:
            found = sorted(path for path in root.glob(pattern) if _is_inside(path, root))
        except (ValueError, IndexError, NotImplementedError, RecursionError, OSError) as error:
            problems.append(f"artefacts: {pattern[:200]!r} is no pattern: {str(error)[:200]}")
            continue
        if not found:
            problems.append(f"artefacts: nothing matches {pattern!r}")
        for path in found:
            size = _size(path)
            if size > left or not count:
                problems.append(f"artefacts: {path.relative_to(root)} is too much; not kept")
                continue
            try:
                _copy(path, target / path.relative_to(root))
            except FileExistsError:
                continue
            except OSError as error:
                problems.append(f"artefacts: {path.relative_to(root)}: {error.strerror}")
            left -= size
            count -= 1
    return problems


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:
        return 0


def _is_inside(path: Path, root: Path) -> bool:
    """A regular file, reached without leaving the root by a link."""
    try:
        is_file = stat.S_ISREG(path.lstat().st_mode)
        return is_file and path.resolve().is_relative_to(root)
    except OSError:
        return False


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    reader = os.open(source, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        mode = stat.S_IMODE(os.fstat(reader).st_mode) & 0o700 | 0o600
        writer = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            while data := os.read(reader, CHUNK):
                view = memoryview(data)
                while view:
                    view = view[os.write(writer, view) :]
        finally:
            os.close(writer)
    finally:
        os.close(reader)


def leave_out(folder: Path) -> list[str]:
    """Remove every link and special file below `folder`, which no process changes any more; what they were.

    A `folder` that is itself a link, or none, is removed too.
    """
    status = os.lstat(folder)
    if not stat.S_ISDIR(status.st_mode):
        os.unlink(folder)
        return [f". ({_kind(status.st_mode)})"]
    left: list[str] = []
    for path, folders, files, descriptor in os.fwalk(folder, follow_symlinks=False):
        for name in sorted([*folders, *files]):
            mode = os.lstat(name, dir_fd=descriptor).st_mode
            if stat.S_ISDIR(mode):
                if mode & stat.S_IRWXU != stat.S_IRWXU:  # what is in it must be looked at
                    os.chmod(name, mode | stat.S_IRWXU, dir_fd=descriptor)
            elif not stat.S_ISREG(mode):
                os.unlink(name, dir_fd=descriptor)
                left.append(f"{os.path.relpath(os.path.join(path, name), folder)} ({_kind(mode)})")
    return left


def copy_plain(folder: str, target: Path) -> list[str]:
    """A copy of the files and folders of `folder`, which others may still change; what else it holds."""
    import shutil

    left: list[str] = []

    def others(path: str, names: list[str]) -> list[str]:
        found = {name: os.lstat(os.path.join(path, name)).st_mode for name in sorted(names)}
        no = [n for n, mode in found.items() if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode))]
        below = os.path.relpath(path, folder)
        left.extend(f"{os.path.normpath(os.path.join(below, n))} ({_kind(found[n])})" for n in no)
        return no

    shutil.copytree(folder, target, symlinks=True, ignore=others)
    return left


def tell_left_out(left: list[str]) -> str:
    """For the end of a result."""
    more = f" and {len(left) - NAMED} more" if len(left) > NAMED else ""
    return f"Not kept, since only files and folders are: {', '.join(left[:NAMED])}{more}"


def _kind(mode: int) -> str:
    if stat.S_ISLNK(mode):
        return "a link"
    if stat.S_ISFIFO(mode):
        return "a FIFO"
    if stat.S_ISSOCK(mode):
        return "a socket"
    return "a device" if stat.S_ISCHR(mode) or stat.S_ISBLK(mode) else "no file"
