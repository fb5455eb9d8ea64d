"""Owns the writing side of the index: tickets are appended, epochs replaced. Only the keeper has it.

Only the process that holds the keeper's lock may use it; claimers read the same words meanwhile (store/index.py).
"""

import os

from snakepit.core.order import ClassKey
from snakepit.store.index import (
    CLASSES,
    EPOCH,
    N_CLASSES,
    OPEN,
    PRIORITIES,
    WORDS,
    Buckets,
    Head,
    Lock,
    Ticket,
    bucket_path,
    encode_class,
    encode_tickets,
    read_classes,
    slot,
)


class TicketWriter:
    """The keeper's side: appends tickets, opens new epochs. Only the holder of the keeper's lock has one."""

    def __init__(self, index_fd: int, head: Head, lock: Lock) -> None:
        self.index_fd = index_fd
        self.head = head
        self.lock = lock
        self._ids: dict[ClassKey, int] = {}
        self._buckets: dict[int, int] = {}
        self._classes_fd = -1

    def start(self, buckets: Buckets) -> dict[str, int]:
        """A new epoch that holds just these tickets, put in place of the old one in one hold of the lock.

        Gives where each name's ticket ends in its bucket.
        """
        if not self.head.open():
            self.head.create()
        epoch = self.head.words[EPOCH] + 1
        self._close()
        self._ids.clear()
        _make_empty(f"{epoch}", self.index_fd)
        self._classes_fd = os.open(
            f"{epoch}/classes", OPEN | os.O_APPEND, 0o600, dir_fd=self.index_fd
        )
        filled: dict[int, tuple[int, int]] = {}
        positions: dict[str, int] = {}
        for (key, priority), tickets in buckets.items():
            class_id = self._class_id(key)
            if class_id is not None:
                at = slot(class_id, priority)
                end = 0
                lines = []
                for ticket in sorted(tickets):
                    lines.append(encode_tickets([ticket]))
                    end += len(lines[-1])
                    positions[ticket[1]] = end
                os.pwrite(self._bucket(epoch, at), b"".join(lines), 0)
                filled[at] = (end, len(tickets))
        self._switch(epoch, filled)
        self._drop_epochs(epoch)
        return positions

    def resume(self) -> dict[str, tuple[ClassKey, int, int, int]] | None:
        """Go on with the epoch that is there: name -> class, priority, ctime, end of its ticket.

        None when it is damaged: then only a new one helps.
        """
        words = self.head.words
        epoch, count = words[EPOCH], words[N_CLASSES]
        classes = read_classes(self.index_fd, epoch)[:count] if epoch else []
        if not epoch or len(classes) != count:
            return None
        self._close()
        self._ids = {key: number for number, key in enumerate(classes)}
        self._classes_fd = os.open(
            f"{epoch}/classes", OPEN | os.O_APPEND, 0o600, dir_fd=self.index_fd
        )
        found: dict[str, tuple[ClassKey, int, int, int]] = {}
        for key, class_id in self._ids.items():
            for priority in range(PRIORITIES):
                tickets = self._read(epoch, slot(class_id, priority))
                if tickets is None:
                    return None
                for came, name, end in tickets:
                    found[name] = (key, priority, came, end)
        return found

    def _read(self, epoch: int, at: int) -> list[tuple[int, str, int]] | None:
        """What claimers have not taken from one bucket; None when it is damaged."""
        end, start = self.head.words[at], self.head.words[at + 1]
        if start >= end:
            return [] if start == end else None
        data = os.pread(self._bucket(epoch, at), end - start, start)
        if len(data) != end - start or not data.endswith(b"\n"):
            return None
        tickets = []
        for line in data.split(b"\n")[:-1]:
            start += len(line) + 1
            came, _, name = line.partition(b" ")
            if not came.isdigit():
                return None
            tickets.append((int(came), os.fsdecode(name), start))
        return tickets

    def _switch(self, epoch: int, filled: dict[int, tuple[int, int]]) -> None:
        words = self.head.words
        held = self.lock.acquire()  # a stopped holder must not stop the pool
        try:
            words[EPOCH] = epoch
            for at in range(WORDS, len(words)):
                words[at] = 0
            for at, (size, count) in filled.items():
                words[at], words[at + 2] = size, count
            words[N_CLASSES] = len(self._ids)
        finally:
            if held:
                self.lock.release()
        self.head.beat()

    def add(self, key: ClassKey, priority: int, tickets: list[Ticket]) -> int | None:
        """Append tickets `(ctime_ns, name)`; the position after them, None when the index is full."""
        class_id = self._class_id(key)
        if class_id is None:
            return None
        words = self.head.words
        words[N_CLASSES] = len(self._ids)
        at = slot(class_id, priority)
        data = encode_tickets(tickets)
        os.pwrite(self._bucket(words[EPOCH], at), data, words[at])
        words[at + 2] += len(tickets)
        words[at] += len(data)
        return words[at]

    def position(self, key: ClassKey, priority: int) -> int:
        """How far claimers have read in the bucket."""
        class_id = self._ids.get(key)
        return -1 if class_id is None else self.head.words[slot(class_id, priority) + 1]

    def size(self) -> int:
        words = self.head.words
        return sum(words[at] for at in range(WORDS, slot(len(self._ids), 0), 4))

    def is_drained(self) -> bool:
        words = self.head.words
        return all(words[at] == words[at + 1] for at in range(WORDS, slot(len(self._ids), 0), 4))

    def _class_id(self, key: ClassKey) -> int | None:
        class_id = self._ids.get(key)
        if class_id is None:
            if len(self._ids) == CLASSES:
                return None
            class_id = len(self._ids)
            os.write(self._classes_fd, encode_class(key))
            self._ids[key] = class_id
        return class_id

    def _bucket(self, epoch: int, at: int) -> int:
        fd = self._buckets.get(at)
        if fd is None:
            fd = self._buckets[at] = os.open(
                bucket_path(epoch, at), OPEN, 0o600, dir_fd=self.index_fd
            )
        return fd

    def _drop_epochs(self, current: int) -> None:
        for name in os.listdir(self.index_fd):
            if name.isdigit() and int(name) < current:
                _make_empty(name, self.index_fd)
                os.rmdir(name, dir_fd=self.index_fd)

    def _close(self) -> None:
        for fd in (*self._buckets.values(), self._classes_fd):
            if fd >= 0:
                os.close(fd)
        self._buckets.clear()
        self._classes_fd = -1

    def close(self) -> None:
        self._close()


def _make_empty(name: str, dir_fd: int) -> None:
    try:
        os.mkdir(name, 0o700, dir_fd=dir_fd)
    except FileExistsError:
        fd = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=dir_fd)
        try:
            for entry in os.listdir(fd):
                os.unlink(entry, dir_fd=fd)
        finally:
            os.close(fd)
