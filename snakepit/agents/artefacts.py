"""Owns keeping what a task's `artefacts:` globs name: copies regular files, follows and overwrites nothing."""

import os
import stat
from collections.abc import Iterable
from pathlib import Path, PurePath

LIMIT = 2_000_000_000  # bytes in all
COUNT_LIMIT = 10_000  # files
CHUNK = 1 << 20


def keep(patterns: Iterable[str], source: Path, target: Path) -> list[str]:
    """Copy what matches in `source` to the same place in `target`; what could not be kept, in sentences."""
    problems: list[str] = []
    left, count = LIMIT, COUNT_LIMIT
    root = source.resolve()
    for pattern in patterns:
        if PurePath(pattern).is_absolute() or ".." in PurePath(pattern).parts:
            problems.append(f"artefacts: {pattern!r} leaves the task's folder; not kept")
            continue
        found = sorted(path for path in root.glob(pattern) if _is_inside(path, root))
        if not found:
            problems.append(f"artefacts: nothing matches {pattern!r}")
        for path in found:
            size = path.stat().st_size
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
