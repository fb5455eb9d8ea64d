"""Owns the order of the journal: its files, the lock, the numbers, mending after a death, rotation.

Invariants, which hold whenever the lock is free:
- events.jsonl is written by the holder of state/events.lock alone; every line of it has a number;
- numbers grow by one from line to line, through all segments in the order of their names;
- the lock file holds seq, offset, inode, late (four 64 bit numbers) of the last line. Where the
  file is longer, a holder died before its note: whole lines are kept, half a line is cut off;
- who did not get the lock in time appends to state/events.late; the next holder moves it over.
"""

import json
import os
import re
import struct
import threading
from collections.abc import Iterator
from fcntl import LOCK_EX, LOCK_NB, LOCK_SH, LOCK_UN, flock
from os import SEEK_END
from pathlib import Path
from typing import NamedTuple

from snakepit import clock

PATIENCE_S = 0.05
SPINS = 200
TAIL = 256 * 1024  # bytes; longer than any line or batch of late lines
BATCH = 128 * 1024  # bytes of late lines that are moved in one write
LATE_LIMIT = 1024 * 1024  # bytes after which the late file is emptied
LOOK_EVERY = 64  # lines between two looks whether a person removed the lock file
DAY_S = 86400.0

_SEGMENT = re.compile(r"events-([0-9]{6,})\.jsonl")
_NUMBER = re.compile(rb'\{"seq": *([0-9]+),')
_ID = re.compile(rb'"id":"([^"]*)"')
_NOTE = struct.Struct("=4q")
NOTE_BYTES = _NOTE.size
_pack, _unpack = _NOTE.pack, _NOTE.unpack
AT_ONCE = LOCK_EX | LOCK_NB
_PAUSE = threading.Event()


class Mark(NamedTuple):
    """What the lock file remembers; `late` is how much of the late file was moved over."""

    seq: int
    offset: int
    inode: int
    late: int


NOTHING_NOTED = Mark(0, -1, 0, 0)


def numbered(seq: int, rest: bytes) -> bytes:
    return b'{"seq":%12d' % seq + rest


def segments(folder: Path) -> list[Path]:
    """The full segments, oldest first."""
    try:
        names = [
            (int(m[1]), name) for name in os.listdir(folder) if (m := _SEGMENT.fullmatch(name))
        ]
    except (FileNotFoundError, NotADirectoryError):
        return []
    return [folder / name for _, name in sorted(names)]


class Sequence:
    """The journal's files as one process holds them open. Not for two threads at once."""

    def __init__(self, path: Path, *, segment_bytes: int, keep_days: float) -> None:
        self.path = path
        self._name = os.fspath(path)
        self.late_path = path.parent / "state" / "events.late"
        self._lock_path = path.parent / "state" / "events.lock"
        self._segment_bytes = segment_bytes
        self._keep_s = keep_days * DAY_S
        self._fd = self._lock = self._late = -1
        self._inode = 0

    def add(self, rest: bytes) -> int:
        """Appends one line; its number, or 0 when it waits in the late file for the next holder."""
        try:
            if os.stat(self._name).st_ino != self._inode:
                self._open_anew()
            return self._add(rest)
        except FileNotFoundError:  # the file or its folder was removed under us: begin again
            self._open_anew()
            return self._add(rest)

    def _add(self, rest: bytes) -> int:
        lock = self._lock
        try:
            flock(lock, AT_ONCE)
        except BlockingIOError:
            if not _acquire(lock, LOCK_EX, PATIENCE_S):
                self._add_late(rest)
                return 0
        try:
            # The usual case in one piece: all is as noted and the line fits.
            noted = os.pread(lock, NOTE_BYTES, 0)
            if len(noted) == NOTE_BYTES:
                seq, offset, inode, late = _unpack(noted)
                file = self._fd
                line = b'{"seq":%12d%b' % (seq + 1, rest)
                size = len(line)
                if (
                    seq % LOOK_EVERY
                    and inode == self._inode
                    and offset + size < self._segment_bytes
                    and os.lseek(file, 0, SEEK_END) == offset
                    and os.lseek(self._late, 0, SEEK_END) == late
                    and os.write(file, line) == size  # torn: mended with care
                ):
                    os.pwrite(lock, _pack(seq + 1, offset + size, inode, late), 0)
                    return int(seq) + 1
            return self._add_with_care(rest)
        finally:
            flock(lock, LOCK_UN)

    def _add_with_care(self, rest: bytes) -> int:
        self._check_lock()
        mark = self._current()
        seq = mark.seq + 1
        line = numbered(seq, rest)
        self._write(line, mark)
        self._note(Mark(seq, mark.offset + len(line), self._inode, mark.late))
        if mark.offset + len(line) >= self._segment_bytes:
            self._rotate(seq, mark.late)
        return seq

    def settle(self) -> None:
        """Moves late lines over when the lock is free; else leaves them to its holder."""
        self._open_in_place()
        if _acquire(self._lock, LOCK_EX, 0.0):
            try:
                self._current()
            finally:
                flock(self._lock, LOCK_UN)

    def close(self) -> None:
        for descriptor in (self._fd, self._lock, self._late):
            if descriptor >= 0:
                os.close(descriptor)
        self._fd = self._lock = self._late = -1
        self._inode = 0

    def _open_in_place(self) -> None:
        """Open what the path names now: a person may have moved or removed the file.

        One stat before each line, without the lock, which nobody shall hold the longer for it.
        """
        try:
            if os.stat(self._name).st_ino == self._inode:
                return
        except FileNotFoundError:
            pass
        self._open_anew()

    def _open_anew(self) -> None:
        self.close()
        for folder in (self.path.parent, self._lock_path.parent):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._lock = os.open(self._lock_path, flags | os.O_RDWR, 0o600)
        self._late = os.open(self.late_path, flags | os.O_RDWR | os.O_APPEND, 0o600)
        self._open_current()

    def _open_current(self) -> None:
        if self._fd >= 0:
            os.close(self._fd)
        flags = os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_RDWR | os.O_APPEND
        self._fd = os.open(self.path, flags, 0o600)
        self._inode = os.fstat(self._fd).st_ino

    def _current(self) -> Mark:
        """Under the lock: where the journal stands, mended where someone died, late lines moved."""
        try:
            mark = Mark(*_unpack(os.pread(self._lock, NOTE_BYTES, 0)))
        except struct.error:
            mark = NOTHING_NOTED
        size = os.lseek(self._fd, 0, SEEK_END)
        if mark.inode != self._inode or size != mark.offset:
            mark = self._mended(mark)
        if os.lseek(self._late, 0, SEEK_END) != mark.late:
            mark = self._with_late_lines(mark)
        return mark

    def _check_lock(self) -> None:
        """FileNotFoundError where the lock that others take is another."""
        if os.fstat(self._lock).st_nlink == 0:
            raise FileNotFoundError(str(self._lock_path))

    def _mended(self, mark: Mark) -> Mark:
        self._open_current()
        size = os.fstat(self._fd).st_size
        if mark.inode == self._inode and mark.offset == size:
            return mark
        end, seq = _last_number(self._fd, size)
        if end < size:
            os.ftruncate(self._fd, end)
        if not seq:
            seq = self._last_of_segments()
        mended = Mark(max(seq, 0 if end else mark.seq), end, self._inode, mark.late)
        self._note(mended)
        return mended

    def _last_of_segments(self) -> int:
        for path in reversed(segments(self.path.parent)):
            with path.open("rb") as file:
                seq = _last_number(file.fileno(), os.fstat(file.fileno()).st_size)[1]
            if seq:
                return seq
        return 0

    def _with_late_lines(self, mark: Mark) -> Mark:
        """In batches; a batch that a dead holder appended without noting it is known by its ids."""
        late = mark.late if mark.late <= os.fstat(self._late).st_size else 0
        while waiting := _whole_lines(os.pread(self._late, BATCH, late)):
            known = set(_ID.findall(os.pread(self._fd, TAIL, max(0, mark.offset - TAIL))))
            fresh = [line for line in waiting.splitlines() if _is_fresh(line, known)]
            text = b"".join(
                numbered(mark.seq + 1 + n, line) + b"\n" for n, line in enumerate(fresh)
            )
            late += len(waiting)
            if text:
                self._write(text, mark)
            mark = Mark(mark.seq + len(fresh), mark.offset + len(text), self._inode, late)
            self._note(mark)
        return self._without_late_file(mark) if late >= LATE_LIMIT else mark

    def _without_late_file(self, mark: Mark) -> Mark:
        """Empties it, when nobody is about to append: late writers hold it shared."""
        try:
            flock(self._late, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            return mark
        try:
            if os.fstat(self._late).st_size == mark.late:
                emptied = mark._replace(late=0)
                os.ftruncate(self._late, 0)
                self._note(emptied)
                return emptied
        finally:
            flock(self._late, LOCK_UN)
        return mark

    def _add_late(self, rest: bytes) -> None:
        """Begins with a line break: half a line of a dead writer stays a line of its own."""
        _acquire(self._late, LOCK_SH, PATIENCE_S / 2)
        try:
            os.write(self._late, b"\n" + rest)
        finally:
            flock(self._late, LOCK_UN)

    def _write(self, text: bytes, mark: Mark) -> None:
        """All of it or nothing: a full disk must not leave half a line."""
        written = os.write(self._fd, text)
        if written != len(text):
            os.ftruncate(self._fd, mark.offset)
            raise OSError(28, "No space left on device", str(self.path))

    def _note(self, mark: Mark) -> None:
        os.pwrite(self._lock, _pack(*mark), 0)

    def _rotate(self, seq: int, late: int) -> None:
        full = segments(self.path.parent)
        last = int(_SEGMENT.fullmatch(full[-1].name)[1]) if full else 0  # type: ignore[index]
        os.rename(self.path, self.path.with_name(f"events-{last + 1:06d}.jsonl"))
        self._open_current()
        self._note(Mark(seq, 0, self._inode, late))
        oldest_kept = clock.wall() - self._keep_s
        for path in full:
            if path.stat().st_mtime < oldest_kept:
                path.unlink()


def _acquire(descriptor: int, how: int, patience: float) -> bool:
    """A lock, waited for so long; a holder that was stopped must not stop the others."""
    spins = 0
    deadline = 0.0
    while True:
        try:
            flock(descriptor, how | LOCK_NB)
        except BlockingIOError:
            now = clock.monotonic()
            deadline = deadline or now + patience
            if now >= deadline:
                return False
            spins += 1
            if spins < SPINS:
                os.sched_yield()
            else:
                _PAUSE.wait(0.001)
        else:
            return True


def _whole_lines(data: bytes) -> bytes:
    return data[: data.rfind(b"\n") + 1]


def _is_fresh(line: bytes, known: set[bytes]) -> bool:
    """A whole late line that no holder has moved over yet."""
    found = _ID.match(line, 1)
    if found is None or found[1] in known:
        return False
    try:
        json.loads(numbered(0, line))
    except ValueError:
        return False
    return True


def _last_number(descriptor: int, size: int) -> tuple[int, int]:
    """Where the last whole, numbered line ends and its number; (0, 0) where there is none."""
    for start in (max(0, size - TAIL), 0):
        data = os.pread(descriptor, size - start, start)
        for end, line in _lines_backwards(data):
            found = _NUMBER.match(line)
            if found:
                return start + end, int(found[1])
    return 0, 0


def _lines_backwards(data: bytes) -> Iterator[tuple[int, bytes]]:
    end = data.rfind(b"\n") + 1
    while end:
        start = data.rfind(b"\n", 0, end - 1) + 1
        yield end, data[start:end]
        end = start
