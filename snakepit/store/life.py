"""Owns lives: the record and the lock that prove a process, the hands they work in, and the judgement of both.

A life is one process with a random generation that is never used twice. A hand is a folder that one life alone
may touch. A record counts as locked from birth: it is written aside, locked, and then named.
The lock's descriptor is close-on-exec and whoever holds it must not fork without exec: a forked copy would keep it.
"""

import fcntl
import json
import os
from contextlib import suppress
from dataclasses import asdict, replace

from snakepit.store import layout
from snakepit.store.atomic import read_all, unlink_if_there, write_all
from snakepit.store.base import Life, LifeRecord, Verdict
from snakepit.system import process
from snakepit.system.files import ENCODING, ON_ERROR, open_file, open_folder

RECORD_LIMIT = 65536
PERSON = "(person)"  # roles of hands; no worker has such a name
VERB = "(verb)"
RECOVERY = "(recovery)"
KEEPER = "(keeper)"
SETTLED_LIMIT = 64 << 20
_NEW = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC


def new_generation() -> str:
    return os.urandom(8).hex()


def own_record(worker: str, generation: str, *, session: str, lock: bool, guard: int) -> LifeRecord:
    pid = os.getpid()
    return LifeRecord(
        worker=worker,
        generation=generation,
        pid=pid,
        start=process.start_time(pid) or 0,
        boot=process.boot_id(),
        pidns=process.pid_namespace(),
        host=os.uname().nodename,
        session=session,
        guard=guard,
        lock=lock,
        verdict=Verdict.ALIVE,
    )


def write_record(dir_fd: int, record: LifeRecord) -> int:
    """Give the folder its record, locked before it is named; the descriptor that holds the lock."""
    fields = asdict(record)
    del fields["verdict"]
    fd = os.open(layout.NEWBORN_RECORD, _NEW, 0o600, dir_fd=dir_fd)
    try:
        if record.lock:
            fcntl.flock(fd, fcntl.LOCK_EX)
        write_all(fd, json.dumps(fields, indent=1).encode() + b"\n")
        os.rename(layout.NEWBORN_RECORD, layout.RECORD, src_dir_fd=dir_fd, dst_dir_fd=dir_fd)
    except BaseException:
        os.close(fd)
        raise
    return fd


def read_record(dir_fd: int) -> LifeRecord | None:
    """The record of an open folder with the verdict on its life; None when it bears none."""
    try:
        data = read_all(layout.RECORD, dir_fd, RECORD_LIMIT)
    except FileNotFoundError:
        return None
    except OSError:
        return LifeRecord(worker="", generation="")
    try:
        fields = json.loads(data)
        record = LifeRecord(
            worker=str(fields["worker"]),
            generation=str(fields["generation"]),
            pid=int(fields["pid"]),
            start=int(fields["start"]),
            boot=str(fields["boot"]),
            pidns=str(fields["pidns"]),
            host=str(fields["host"]),
            session=str(fields["session"]),
            guard=int(fields.get("guard", 0)),
            lock=bool(fields["lock"]),
        )
    except (ValueError, KeyError, TypeError, RecursionError):
        return LifeRecord(worker="", generation="")
    return replace(record, verdict=judge(record, dir_fd))


def judge(record: LifeRecord, dir_fd: int) -> Verdict:
    """DEAD needs positive proof; age proves nothing."""
    boot = process.boot_id()
    if not boot or not record.boot:
        return Verdict.UNKNOWN
    if record.boot != boot:
        return Verdict.DEAD
    return _judge_lock(dir_fd) if record.lock else _judge_process(record)


def _judge_lock(dir_fd: int) -> Verdict:
    try:
        fd = open_file(layout.RECORD, dir_fd)
    except OSError:
        return Verdict.UNKNOWN
    try:
        fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return Verdict.ALIVE
    except OSError:
        return Verdict.UNKNOWN
    finally:
        os.close(fd)
    return Verdict.DEAD


def _judge_process(record: LifeRecord) -> Verdict:
    if record.pidns != process.pid_namespace():
        return Verdict.UNKNOWN
    try:
        start = process.start_time(record.pid)
    except PermissionError:
        return Verdict.UNKNOWN
    if start is None or (record.start and start != record.start):
        return Verdict.DEAD
    return Verdict.DEAD if process.is_zombie(record.pid) else Verdict.ALIVE


class Hand:
    """A private folder of this process under `.pit/hand/`, proved by the lock on its record."""

    def __init__(self, hands_fd: int, role: str) -> None:
        self.generation = new_generation()
        self._hands_fd = hands_fd
        self._owner = os.getpid()
        os.mkdir(self.generation, 0o700, dir_fd=hands_fd)
        self.fd = open_folder(self.generation, hands_fd)
        record = own_record(role, self.generation, session="", lock=True, guard=0)
        self._lock_fd = write_record(self.fd, record)

    def close(self) -> None:
        """An empty hand is removed, any other is left to recovery. Idempotent."""
        if self.fd < 0:
            return
        if os.getpid() == self._owner and set(os.listdir(self.fd)) <= {layout.RECORD, layout.TAKEN}:
            unlink_if_there(layout.TAKEN, self.fd)
            unlink_if_there(layout.RECORD, self.fd)
            with suppress(FileNotFoundError):  # a person has removed it, or all of .pit/
                os.rmdir(self.generation, dir_fd=self._hands_fd)
        os.close(self.fd)
        os.close(self._lock_fd)
        self.fd = self._lock_fd = -1


class FileLife(Life):
    """A worker's life over files: `fd` is its folder in claimed/, `hand_fd` the hand it settles from."""

    def __init__(
        self, record: LifeRecord, fd: int, hand_fd: int, lock_fd: int, *, own: bool
    ) -> None:
        self.record = record
        self.fd = fd
        self.hand_fd = hand_fd
        self.settled_fd = -1
        self.is_own = own
        self._lock_fd = lock_fd

    @property
    def closed(self) -> bool:
        return self.fd < 0

    def hand_generation(self, own_hand: Hand | None) -> str:
        return self.generation if self.is_own or own_hand is None else own_hand.generation

    def note_settled(self, inode: int, name: str) -> None:
        """One line: a file of that name here is a late copy from now on, while done/ holds the inode."""
        if self.settled_fd < 0:
            flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_CLOEXEC
            self.settled_fd = os.open(layout.SETTLED, flags, 0o600, dir_fd=self.fd)
        os.write(self.settled_fd, b"%d\t%s\n" % (inode, name.encode(ENCODING, ON_ERROR)))

    def close(self) -> None:
        for fd in {self.fd, self.settled_fd, self._lock_fd, self.hand_fd if self.is_own else -1}:
            if fd >= 0:
                os.close(fd)
        self.fd = self.hand_fd = self.settled_fd = self._lock_fd = -1


def read_settled(dir_fd: int) -> dict[str, set[int]]:
    """The names that the folder's life finished, each with the inodes of the results."""
    try:
        lines = read_all(layout.SETTLED, dir_fd, SETTLED_LIMIT).split(b"\n")
    except OSError:
        return {}
    settled: dict[str, set[int]] = {}
    for line in lines:
        inode, tab, name = line.partition(b"\t")
        if tab and inode.isdigit():
            settled.setdefault(os.fsdecode(name), set()).add(int(inode))
    return settled
