"""Owns the shared index of waiting tasks: one cursor for each class and priority, read by every claimer.

The index is a hint: it may be stale, damaged or gone without harm, since the rename alone decides who claims.
A ticket is one line `<ctime_ns> <name>` in the bucket file `<class>-<priority>` of the current epoch; claimers
take tickets by advancing the bucket's read position under a lock held for some microseconds. A ticket that is
lost (its claimer died) or useless (the file is gone) costs one wasted rename or waits for the keeper's next scan.

`head` is a file of 64-bit words, mapped by everybody and never truncated:
  0 magic  1 epoch  2 heartbeat (monotonic ns)  3 boot  4 classes  5 last writer  6 waiting  7 held
  64 + (class * 10 + priority) * 4: write position, read position, tickets written, tickets read
"""

import mmap
import os
from fcntl import LOCK_EX, LOCK_NB, LOCK_UN, flock

from snakepit.clock import monotonic
from snakepit.core.order import ClassKey, Diet
from snakepit.store.atomic import read_all, write_new
from snakepit.system.files import ENCODING, ON_ERROR
from snakepit.system.process import boot_id

MAGIC = 0x534E414B45000001
WORDS = 64
PRIORITIES = 10
CLASSES = 1024
HEAD_BYTES = 8 * (WORDS + CLASSES * PRIORITIES * 4)
FRESH_S = 3.0
LOCK_S = 0.05
AT_ONCE = LOCK_EX | LOCK_NB
TICKET_LIMIT = 300
EPOCH, BEAT, BOOT, N_CLASSES, WRITER, WAITING, HELD = range(1, 8)

Ticket = tuple[int, str]
Buckets = dict[tuple[ClassKey, int], list[Ticket]]

OPEN = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC


def boot_word() -> int:
    return int(boot_id().replace("-", "")[:14], 16)


def slot(class_id: int, priority: int) -> int:
    return WORDS + (class_id * PRIORITIES + priority) * 4


def bucket_path(epoch: int, at: int) -> str:
    class_id, priority = divmod((at - WORDS) // 4, PRIORITIES)
    return f"{epoch}/{class_id}-{priority}"


def encode_tickets(tickets: list[Ticket]) -> bytes:
    return b"".join(b"%d %s\n" % (came, os.fsencode(name)) for came, name in tickets)


def encode_class(key: ClassKey) -> bytes:
    return "\t".join((key.kind, ",".join(key.labels), key.to or "")).encode() + b"\n"


def decode_class(line: bytes) -> ClassKey:
    kind, labels, to = line.decode().split("\t")
    return ClassKey(kind, tuple(filter(None, labels.split(","))), to or None)


class Lock:
    """A file lock that is waited for at most `LOCK_S`; False means somebody holds it and is not moving."""

    def __init__(self, name: str, dir_fd: int) -> None:
        self.fd = os.open(name, OPEN, 0o600, dir_fd=dir_fd)

    def acquire(self, seconds: float = LOCK_S) -> bool:
        for _ in range(50):
            if self.try_acquire():
                return True
            os.sched_yield()
        deadline = monotonic() + seconds
        while monotonic() < deadline:
            if self.try_acquire():
                return True
            os.sched_yield()
        return False

    def try_acquire(self) -> bool:
        try:
            flock(self.fd, AT_ONCE)
        except BlockingIOError:
            return False
        return True

    def release(self) -> None:
        flock(self.fd, LOCK_UN)

    def close(self) -> None:
        os.close(self.fd)


class Head:
    """The mapped words of the index; opened again when the file was replaced."""

    def __init__(self, index_fd: int) -> None:
        self.index_fd = index_fd
        self._map: mmap.mmap | None = None
        self.words: memoryview = memoryview(b"")
        self.boot = boot_word()

    def open(self) -> bool:
        """False where there is no usable head."""
        self.close()
        try:
            fd = os.open("head", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.index_fd)
        except FileNotFoundError:
            return False
        try:
            if os.fstat(fd).st_size != HEAD_BYTES:
                return False
            self._map = mmap.mmap(fd, HEAD_BYTES)
        finally:
            os.close(fd)
        self.words = memoryview(self._map).cast("Q")
        return self.words[0] == MAGIC and self.words[BOOT] == self.boot

    def create(self) -> None:
        """A new head in place of whatever is there; only the keeper does this."""
        words = bytearray(HEAD_BYTES)
        view = memoryview(words).cast("Q")
        view[0], view[BOOT] = MAGIC, self.boot
        write_new(self.index_fd, "head.new", bytes(words), sync=False, mode=0o600)
        os.rename("head.new", "head", src_dir_fd=self.index_fd, dst_dir_fd=self.index_fd)
        self.open()

    def is_open(self) -> bool:
        return self._map is not None

    def is_fresh(self) -> bool:
        if self._map is None:
            return False
        age = monotonic() - self.words[BEAT] / 1e9
        return 0 <= age < FRESH_S and self.words[BOOT] == self.boot

    def beat(self) -> None:
        self.words[BEAT] = int(monotonic() * 1e9)

    def close(self) -> None:
        if self._map is not None:
            self.words.release()
            self._map.close()
            self._map = None


class TicketReader:
    """The claimer's side: `next` gives names to try, in order, and never lists a folder."""

    def __init__(self, index_fd: int) -> None:
        self.index_fd = index_fd
        self.head = Head(index_fd)
        self.lock = Lock("lock", index_fd)
        self.was_busy = False
        self._epoch = -1
        self._n_classes = -1
        self._classes: list[ClassKey] = []
        self._diet: Diet | None = None
        self._eligible: list[int] = []
        self._slots: list[int] = []
        self._buckets: dict[int, int] = {}

    def is_fresh(self) -> bool:
        """Somebody keeps the index; looks for a new head when the one it knows went stale."""
        return self.head.is_fresh() or (self.head.open() and self.head.is_fresh())

    def next(self, diet: Diet) -> str | None:
        """The next name this diet may try; None when there is none, or the lock was held too long."""
        self.was_busy = False
        if not self.head.is_open() and not self.head.open():
            return None
        words = self.head.words
        lock = self.lock.fd
        while True:
            if (
                diet is not self._diet
                or words[EPOCH] != self._epoch
                or words[N_CLASSES] != self._n_classes
            ):
                self._refresh(diet)
            for at in self._slots:
                if words[at] > words[at + 1]:
                    break
            else:
                return None
            try:
                flock(lock, AT_ONCE)
            except BlockingIOError:
                if not self.lock.acquire():
                    self.was_busy = True
                    return None
            try:
                name = self._take_at(at) if len(self._eligible) == 1 else self._take()
            finally:
                flock(lock, LOCK_UN)
            if name is not None:
                return name

    def _take_at(self, at: int) -> str | None:
        """The usual case, one class: from the bucket that was seen to have tickets, if it still has."""
        words = self.head.words
        if words[at] <= words[at + 1]:
            return None
        ticket = self._peek(at)
        if ticket is None:
            words[at + 1] = words[at]  # damaged: the keeper's scan enters its tasks again
            return None
        return self._taken(at, *ticket)

    def _taken(self, at: int, came: bytes, name: bytes) -> str:
        words = self.head.words
        words[at + 1] += len(came) + len(name) + 2
        words[at + 3] += 1
        return name.decode(ENCODING, ON_ERROR)

    def _refresh(self, diet: Diet) -> None:
        words = self.head.words
        if words[EPOCH] != self._epoch or words[N_CLASSES] != self._n_classes:
            self._epoch, self._n_classes = words[EPOCH], words[N_CLASSES]
            self._close_buckets()
            self._classes = read_classes(self.index_fd, self._epoch)[: self._n_classes]
            self._diet = None
        if diet is not self._diet:
            self._diet = diet
            self._eligible = [
                number
                for number, key in enumerate(self._classes)
                if diet.eats(key.kind, key.labels, key.to)
            ]
            self._slots = [
                slot(class_id, priority)
                for priority in range(PRIORITIES)
                for class_id in self._eligible
            ]

    def _take(self) -> str | None:
        words = self.head.words
        for priority in range(PRIORITIES):
            best: tuple[int, int, bytes, bytes] | None = None
            for class_id in self._eligible:
                at = slot(class_id, priority)
                if words[at] > words[at + 1]:
                    ticket = self._peek(at)
                    if ticket is None:
                        words[at + 1] = words[at]  # damaged, as above
                        continue
                    came = int(ticket[0])
                    if best is None or came < best[0]:
                        best = (came, at, *ticket)
            if best is not None:
                return self._taken(*best[1:])
        return None

    def _peek(self, at: int) -> tuple[bytes, bytes] | None:
        """When the next ticket's task came and its name, as they are written; None: damaged."""
        fd = self._buckets.get(at)
        if fd is None:
            path = bucket_path(self._epoch, at)
            try:
                fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=self.index_fd)
            except FileNotFoundError:
                return None
            self._buckets[at] = fd
        line, newline, _ = os.pread(fd, TICKET_LIMIT, self.head.words[at + 1]).partition(b"\n")
        came, space, name = line.partition(b" ")
        return (came, name) if newline and space and came.isdigit() else None

    def waiting_by_class(self) -> dict[ClassKey, int]:
        """How many tickets each class has; a hint for status."""
        if not self.head.open():
            return {}
        words = self.head.words
        counts: dict[ClassKey, int] = {}
        for number, key in enumerate(read_classes(self.index_fd, words[EPOCH])[: words[N_CLASSES]]):
            base = slot(number, 0)
            count = sum(
                words[at + 2] - words[at + 3] for at in range(base, base + PRIORITIES * 4, 4)
            )
            if count > 0:
                counts[key] = count
        return counts

    def _close_buckets(self) -> None:
        for fd in self._buckets.values():
            os.close(fd)
        self._buckets.clear()

    def close(self) -> None:
        self._close_buckets()
        self.head.close()
        self.lock.close()


def read_classes(index_fd: int, epoch: int) -> list[ClassKey]:
    try:
        lines = read_all(f"{epoch}/classes", index_fd, 16 << 20).split(b"\n")
    except OSError:
        return []
    return [decode_class(line) for line in lines if line]
