"""Owns the beginning of a life: a folder made aside, locked, and then given its name; and acting for one.

1 mkdir .pit/hand/<generation>/ with .hand/ and a locked record -> an empty dead hand
2 rename it, without replacing, to claimed/<worker> -> reaped
The next life of a name starts only when recovery has proved the former one gone.
"""

import os
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from snakepit.clock import monotonic
from snakepit.errors import ClaimLost, WorkerNameTaken
from snakepit.store import layout
from snakepit.store.atomic import publish, unlink_if_there
from snakepit.store.base import Verdict
from snakepit.store.folders import Folders
from snakepit.store.life import FileLife, new_generation, own_record, read_record, write_record
from snakepit.store.recover import recover_lock
from snakepit.system.files import open_folder, rename_noreplace

PATIENCE_S = 10.0
PAUSE_S = 0.005


@dataclass(frozen=True, slots=True)
class Birth:
    """`recover` gives back what dead lives held, ending their processes first."""

    folders: Folders
    recover: Callable[[], object]

    def open_worker(
        self,
        worker: str,
        *,
        session: str,
        lock: bool,
        guard: int,
    ) -> FileLife:
        generation = new_generation()
        record = own_record(worker, generation, session=session, lock=lock, guard=guard)
        os.mkdir(generation, 0o700, dir_fd=self.folders.hands)
        fd = open_folder(generation, self.folders.hands)
        os.mkdir(layout.HAND, 0o700, dir_fd=fd)
        hand_fd = open_folder(layout.HAND, fd)
        lock_fd = write_record(fd, record)
        life = FileLife(record, fd, hand_fd, lock_fd, own=True)
        try:
            self._name_life(worker, generation)
        except BaseException:
            self._unmake(life)
            raise
        return life

    def _name_life(self, worker: str, generation: str) -> None:
        """Give the newborn folder its name in claimed/, once the name's former holder is proved gone."""
        deadline = monotonic() + PATIENCE_S
        pause = threading.Event()
        while monotonic() < deadline:
            try:
                rename_noreplace(generation, worker, self.folders.hands, self.folders.claimed)
            except FileExistsError:
                self._make_way(worker)
                pause.wait(PAUSE_S)  # another process may be at the recovery that frees it
            else:
                return
        message = f"the name {worker} could not be freed"
        raise WorkerNameTaken(message, fix="agents.py fsck shows who holds it")

    def _make_way(self, worker: str) -> None:
        try:
            fd = open_folder(worker, self.folders.claimed)
        except FileNotFoundError:
            return
        except OSError:
            self.recover()  # a file of that name: recovery moves it to the queue
            return
        try:
            record = read_record(fd)
            if record is None:
                self._empty_by_hand(worker, fd)
            elif record.verdict is Verdict.DEAD:
                self.recover()
            else:
                message = (
                    f"the name {worker} is held by process {record.pid} ({record.verdict.value})"
                )
                raise WorkerNameTaken(
                    message, fix="give this worker another name, or stop that one"
                )
        finally:
            os.close(fd)

    def _empty_by_hand(self, worker: str, fd: int) -> None:
        """A person's folder of that name: its files wait again, unchanged."""
        with recover_lock(self.folders) as held:
            if not held or read_record(fd) is not None:
                return
            for name in os.listdir(fd):
                with suppress(FileNotFoundError):
                    publish(name, fd, self.folders.queued, name, sync=False)
            with suppress(OSError):
                os.rmdir(worker, dir_fd=self.folders.claimed)

    def _unmake(self, life: FileLife) -> None:
        generation = life.generation
        unlink_if_there(layout.RECORD, life.fd)
        with suppress(OSError):
            os.rmdir(layout.HAND, dir_fd=life.fd)
            os.rmdir(generation, dir_fd=self.folders.hands)
        life.close()


def adopt(folders: Folders, worker: str, generation: str, hand: int) -> FileLife:
    """A verb's view of a running life, checked through the folder's descriptor; it settles from its own hand."""
    try:
        fd = open_folder(worker, folders.claimed)
    except OSError:
        message = f"no worker {worker} holds anything here"
        raise ClaimLost(message, fix="the task went back and may be another worker's now") from None
    record = read_record(fd)
    if record is None or record.generation != generation:
        os.close(fd)
        message = f"{worker} is in another life now; what you held went back when yours ended"
        raise ClaimLost(message, fix="stop working on it; claim anew")
    return FileLife(record, fd, hand, -1, own=False)
