"""Owns conversation.jsonl: records appended, each on the disk before the next step; it gives them no meaning.

A run that goes on with an earlier one begins with a copy of its whole lines: the earlier file stays what it was,
and a line that was being written when its writer died is no line.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from snakepit.core.conversation import Conversation, fold

NAME = "conversation.jsonl"


class Transcript:
    """One run's file, open for appending."""

    def __init__(self, path: Path, *, earlier: Path | None = None) -> None:
        self.path = path
        kept = b"" if earlier is None else whole_lines(earlier)
        if kept:
            _write_whole(path, kept)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
        self._file = os.open(path, flags, 0o600)
        self.conversation: Conversation = fold(records(kept))

    def add(self, kind: str, /, **fields: object) -> None:
        """On the disk when this returns, and part of the conversation."""
        record = {"t": kind, **fields}
        data = json.dumps(record, ensure_ascii=False, default=str).encode("utf-8", "replace")
        view = memoryview(data + b"\n")
        while view:
            view = view[os.write(self._file, view) :]
        os.fsync(self._file)
        self.conversation.add(json.loads(data))  # as whoever goes on with it will read it

    def close(self) -> None:
        os.close(self._file)


def whole_lines(path: Path) -> bytes:
    """The file up to its last whole record; b"" where there is none."""
    try:
        data = path.read_bytes()
    except OSError:
        return b""
    good = 0
    for _, end in _parsed(data):
        good = end
    return data[:good]


def records(data: bytes) -> Iterator[Mapping[str, object]]:
    for record, _ in _parsed(data):
        yield record


def _parsed(data: bytes) -> Iterator[tuple[dict[str, Any], int]]:
    """Each record and where its line ends; what follows a line that is none is not trusted."""
    start = 0
    while (end := data.find(b"\n", start)) >= 0:
        try:
            record = json.loads(data[start:end])
        except ValueError:
            return
        if not isinstance(record, dict):
            return
        yield record, end + 1
        start = end + 1


def earlier_transcript(folder: Path) -> Path | None:
    """That of the newest run before the one whose folder this is."""
    if not folder.name.isdecimal():
        return None
    own = int(folder.name)
    numbers = sorted(
        (int(name) for name in os.listdir(folder.parent) if name.isdecimal() and int(name) < own),
        reverse=True,
    )
    paths = (folder.parent / str(number) / NAME for number in numbers)
    return next((path for path in paths if path.is_file() and not path.is_symlink()), None)


def _write_whole(path: Path, data: bytes) -> None:
    beside = path.with_name(f".{path.name}.t")
    file = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(file, view) :]
        os.fsync(file)
    finally:
        os.close(file)
    beside.rename(path)
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
