"""Owns reading what hooks appended: each line once, however often the reader is started anew.

Writers (snakepit/hook.py) know no lock and may be killed in mid-line. A spool that has grown is put aside under
another name, read to its end, and removed when nobody has written to it for a while.
"""

import fcntl
import json
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snakepit import clock
from snakepit.pool.statefile import read_state, write_state

if TYPE_CHECKING:
    from snakepit.config.model import Config

BATCH = 1024 * 1024  # bytes read at once
HEAD = 100  # bytes
LARGE = 4 * 1024 * 1024
QUIET_S = 5.0  # a writer that had opened it before it was put aside has written by then
LONGEST_LINE = 8 * 1024 * 1024  # far more than a hook writes: what has no end is no line

Stamps = tuple[tuple[float, float], ...]

_CUT = re.compile(r'"(\w+)"\s*:\s*("(?:[^"\\]|\\.){0,2000}")')


class Place(NamedTuple):
    """Up to where a spool was read. `head`: its first bytes, which bear a time: no other file begins so."""

    offset: int = 0
    head: str = ""


class Line(NamedTuple):
    """`said`: what the program told, empty where that was no JSON object. `is_cut`: only parts of it are left."""

    at: float
    worker: str
    generation: str
    task: str
    attempt: int
    said: Mapping[str, object]
    is_cut: bool = False


def spool_path(config: "Config", worker: str) -> Path:
    return config.state_dir / "hooks" / f"{worker}.jsonl"


def status_path(config: "Config", worker: str) -> Path:
    return config.state_dir / "hooks" / f"{worker}.status.json"


def make_folder(config: "Config") -> None:
    (config.state_dir / "hooks").mkdir(mode=0o700, parents=True, exist_ok=True)


def workers(config: "Config") -> list[str]:
    """Whose hooks ever wrote."""
    try:
        names = os.listdir(config.state_dir / "hooks")
    except OSError:
        return []
    found = (name.removesuffix(".old") for name in names)
    return sorted({name.removesuffix(".jsonl") for name in found if name.endswith(".jsonl")})


def stamps_of(config: "Config", worker: str) -> Stamps:
    """Others when somebody wrote, and each time while a spool that was put aside is there."""
    path = spool_path(config, worker)
    found = []
    for one in (path, status_path(config, worker)):
        try:
            stat = os.stat(one)
        except OSError:
            found.append((0, 0))
        else:
            found.append((stat.st_size, stat.st_mtime_ns))
    is_old = path.with_suffix(".jsonl.old").exists()
    return (*found, (clock.monotonic() if is_old else 0, 0))


@contextmanager
def new_lines(config: "Config", worker: str) -> Iterator[list[Line]]:
    """The next ones, in order; done with when the block ends well. None while another process reads them."""
    path = spool_path(config, worker)
    with _mine(path.with_suffix(".lock")) as is_mine:
        if not is_mine:
            yield []
            return
        mark = path.with_suffix(".read.json")
        record = read_state(mark)
        old = path.with_suffix(".jsonl.old")
        source = old if old.exists() else path
        lines, place = _read(source, record)
        yield lines
        offset = place.offset
        if place.head and place._asdict() != record:
            write_state(mark, place._asdict())
        if source is old:
            if _is_quiet(old, offset):
                os.unlink(old)
                write_state(mark, {})
        elif offset > LARGE and offset == _size(path):
            os.rename(path, old)


def read_all(path: Path, most: int) -> Iterator[Line]:
    """What is at the end of a spool, without a mark of what was read; for a look."""
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - most))
            data = file.read()
    except OSError:
        return
    for raw in data.split(b"\n"):
        line = parse(raw)
        if line is not None:
            yield line


def parse(raw: bytes) -> Line | None:
    """None for what is torn, or was not written by a hook."""
    try:
        found = json.loads(raw)
    except (ValueError, RecursionError):
        return None
    if not isinstance(found, dict) or not isinstance(found.get("said"), str):
        return None
    said, is_cut = _said(found["said"], found.get("end"))
    at, attempt = found.get("at"), found.get("attempt")
    return Line(
        at=float(at) if isinstance(at, int | float) else 0.0,
        worker=str(found.get("worker", "")),
        generation=str(found.get("generation", "")),
        task=str(found.get("task", "")),
        attempt=int(attempt) if isinstance(attempt, str) and attempt.isdecimal() else 0,
        said=said,
        is_cut=is_cut,
    )


def _said(text: str, end: object) -> tuple[Mapping[str, object], bool]:
    if end is None:
        try:
            found = json.loads(text)
        except (ValueError, RecursionError):
            return {}, False
        return (found, False) if isinstance(found, dict) else ({}, False)
    # Cut in the middle: short texts under their keys are what can still be told of it.
    kept: dict[str, object] = {}
    for key, value in _CUT.findall(f"{text[:8192]}\n{end}"):
        try:
            kept.setdefault(key, json.loads(value))
        except (ValueError, RecursionError):
            continue
    return kept, True


def _read(path: Path, record: Mapping[str, object]) -> tuple[list[Line], Place]:
    """Whole lines after the mark, and where the next ones begin."""
    try:
        with open(path, "rb") as file:
            size = os.fstat(file.fileno()).st_size
            head = file.read(HEAD).hex()
            offset, known = record.get("offset"), record.get("head")
            is_same = isinstance(known, str) and head.startswith(known)
            start = offset if is_same and isinstance(offset, int) and 0 <= offset <= size else 0
            file.seek(start)
            data = file.read(BATCH)
            while b"\n" not in data[1:] and len(data) < LONGEST_LINE:
                more = file.read(BATCH)
                if not more:
                    break
                data += more
    except OSError:
        return [], Place()
    end = data.rfind(b"\n") + 1
    if not end and len(data) >= LONGEST_LINE:
        end = len(data)
    lines = [line for line in map(parse, data[:end].split(b"\n")) if line is not None]
    return lines, Place(start + end, head)


def _is_quiet(old: Path, offset: int) -> bool:
    try:
        found = os.stat(old)
    except OSError:
        return False
    return offset >= found.st_size and clock.wall() - found.st_mtime > QUIET_S


def _size(path: Path) -> int:
    try:
        return os.stat(path).st_size
    except OSError:
        return -1


@contextmanager
def _mine(path: Path) -> Iterator[bool]:
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        fd = os.open(path, flags, 0o600)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            yield False
            return
        yield True
    finally:
        os.close(fd)
