"""Owns recovery: what dead lives held goes back, whatever instant they died at; and so does what recovery held.

Under one lock, in a hand of its own: judge each folder through its descriptor; of the dead end every process
that carries the mark; rename the folder away (the reap, one rename for all its claims); then finish what was
committed and give back the rest. Any death here leaves a dead hand, and the next recovery goes on from there.
"""

import fcntl
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from snakepit.clock import stamp, wall
from snakepit.core.lifecycle import State
from snakepit.core.names import is_ignored, numbered, problem_with, stem
from snakepit.core.result import attempt_block, cut_torn
from snakepit.core.retry import Dead, next_step
from snakepit.errors import TaskError
from snakepit.store import layout, origins
from snakepit.store.admission import refuse, reject
from snakepit.store.atomic import publish, read_all, stat_or_none, unlink_if_there
from snakepit.store.base import EndLife, LifeRecord, Recovered, Verdict
from snakepit.store.folders import Folders
from snakepit.store.life import PERSON, Hand, read_record, read_settled
from snakepit.store.origins import Origin
from snakepit.store.reader import read_task
from snakepit.store.settle import TASK_LIMIT, Pen, failed_text, late_name, rewrite_and_publish
from snakepit.store.split import discard, finish_split
from snakepit.system.files import open_folder, rename_noreplace

MOST_TAKES = 5
MOST_ROUNDS = 60
MOST_NUMBERS = 100
KEEP = "keep"
SWEEP_AFTER_S = 86400.0
WORKER_SUFFIX = ".w"
SKIPPED = frozenset(
    {layout.RECORD, layout.NEWBORN_RECORD, layout.HAND, layout.SETTLED, layout.TAKEN}
)


@contextmanager
def recover_lock(folders: Folders) -> Iterator[bool]:
    """False when another process holds it: it is at the same work."""
    flags = os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC
    fd = os.open(layout.RECOVER_LOCK, flags, 0o600, dir_fd=folders.private)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(fd)
        yield False
        return
    try:
        os.ftruncate(fd, 0)
        os.pwrite(fd, b"%d\n" % os.getpid(), 0)
        yield True
    finally:
        os.close(fd)


@dataclass
class Recovery:
    """One recovery, inside the lock. `limit` is the pit's number of attempts."""

    folders: Folders
    hand: Hand
    end_life: EndLife
    limit: int
    counted: bool
    done: list[Recovered] = field(default_factory=list)

    def run(self) -> list[Recovered]:
        for _ in range(MOST_ROUNDS):
            if not self._reap() | self._empty_hands():
                break
        self._return_strays()
        return self.done

    def _reap(self) -> bool:
        """Steps 1 and 2: rename the folders of dead workers away."""
        reaped = False
        for worker in sorted(os.listdir(self.folders.claimed)):
            fd = _open(worker, self.folders.claimed)
            if fd < 0:
                continue
            try:
                record = self._ended(fd)
                if record is not None:
                    target = record.generation + WORKER_SUFFIX
                    rename_noreplace(worker, target, self.folders.claimed, self.folders.hands)
                    reaped = True
            except (FileNotFoundError, FileExistsError):
                continue
            finally:
                os.close(fd)
        return reaped

    def _ended(self, fd: int) -> LifeRecord | None:
        """The record of a life that is dead and of which no process is left."""
        record = read_record(fd)
        if record is None or record.verdict is not Verdict.DEAD or not record.generation:
            return None
        if not self.end_life(record):
            return None
        again = read_record(fd)
        return again if again is not None and again.verdict is Verdict.DEAD else None

    def _empty_hands(self) -> bool:
        """Steps 3 and 4 for every dead hand; True when one of them held something."""
        found = False
        for name in sorted(os.listdir(self.folders.hands)):
            if name == self.hand.generation:
                continue
            fd = _open(name, self.folders.hands)
            if fd < 0:
                continue
            try:
                found |= self._empty_hand(name, fd)
            finally:
                os.close(fd)
        return found

    def _empty_hand(self, name: str, fd: int) -> bool:
        record = read_record(fd)
        if record is None:
            self._sweep(name, fd)
            return False
        if record.verdict is not Verdict.DEAD:
            return False
        if name.endswith(WORKER_SUFFIX) and not self.end_life(record):
            return False
        found = self._empty_folder(fd, record)
        inner = _open(layout.HAND, fd)
        if inner >= 0:
            try:
                found |= self._empty_folder(inner, record, settled_fd=fd)
            finally:
                os.close(inner)
        if not found:
            self._remove(name, fd)
        return found

    def _empty_folder(self, fd: int, record: LifeRecord, settled_fd: int | None = None) -> bool:
        entries = [entry for entry in os.listdir(fd) if entry not in SKIPPED]
        entries.sort(key=lambda entry: (not entry.startswith(layout.OUT_PREFIX), entry))
        if layout.SPLIT in entries:
            parent, parts = finish_split(self.folders, fd)
            if parent:  # else all of it was out already
                self._report(parent, record, State.QUEUED, 0, f"split into {len(parts)} parts")
            return True
        for entry in entries:
            self._empty_entry(fd, entry, record, fd if settled_fd is None else settled_fd)
        return bool(entries)

    def _empty_entry(self, fd: int, entry: str, record: LifeRecord, settled_fd: int) -> None:
        out = layout.parse_out(entry)
        taken = layout.parse_taken(entry)
        if entry == layout.BEING_WRITTEN:
            unlink_if_there(entry, fd)
        elif entry == layout.SPLIT_BEING_WRITTEN:
            discard(entry, fd)
        elif out is not None:
            self._publish_out(fd, entry, *out, record)
        elif taken is not None:
            self._give_back(fd, entry, *taken, record, settled_fd)
        else:
            refuse(self.folders, self.hand.fd, fd, entry, "it was left in a worker's folder")

    def _publish_out(
        self, fd: int, entry: str, state: State, name: str, record: LifeRecord
    ) -> None:
        for old in os.listdir(fd):
            taken = layout.parse_taken(old)
            if taken and taken[1] == name:
                unlink_if_there(old, fd)
        try:
            final = publish(entry, fd, self.folders.fd[state], name, sync=True)
        except FileNotFoundError:
            return
        self._report(final, record, state, 0, "its worker died after the decision was written")

    def _give_back(
        self, fd: int, entry: str, times: int, name: str, record: LifeRecord, settled_fd: int
    ) -> None:
        status = stat_or_none(entry, fd)
        if status is None:
            return
        if not stat.S_ISREG(status.st_mode) or problem_with(name) or is_ignored(name):
            refuse(self.folders, self.hand.fd, fd, entry, "it was left in a worker's folder")
            return
        origin = origins.read(fd).get(name) or Origin(
            worker=record.worker,
            generation=record.generation,
            pid=record.pid,
            settled=frozenset(read_settled(settled_fd).get(name, ())),
        )
        origins.note(self.hand.fd, name, origin)
        mine = layout.taken_name(times + 1, name)
        try:
            rename_noreplace(entry, mine, fd, self.hand.fd)
        except FileNotFoundError:
            return
        if times + 1 >= MOST_TAKES:
            reason = f"recovery took it {MOST_TAKES} times and died each time; it was not read"
            self._reject(mine, name, origin, reason)
        elif self._is_settled(name, origin):
            final = publish(mine, self.hand.fd, self.folders.dead, late_name(name), sync=False)
            self._report(final, origin, State.DEAD, 0, "written again after it was settled")
        else:
            self._fail(mine, name, origin)

    def _reject(self, mine: str, name: str, origin: Origin, reason: str) -> None:
        final = reject(self.folders, self.hand.fd, self.hand.fd, mine, name, reason)
        if final is not None:
            self._report(final, origin, State.DEAD, 0, reason)

    def _is_settled(self, name: str, origin: Origin) -> bool:
        if not origin.settled:
            return False
        for number in range(1, MOST_NUMBERS):
            chosen = name if number == 1 else numbered(name, number)
            status = stat_or_none(chosen, self.folders.done)
            if status is None:
                return False
            if status.st_ino in origin.settled:
                return True
        return False

    def _fail(self, mine: str, name: str, origin: Origin) -> None:
        """Steps 2 to 5 of Fail, on a task in recovery's own hand."""
        self._return_artefacts(name)
        pen = Pen(self.folders, self.hand.fd, self.hand.fd, self.hand.generation)
        data, torn = cut_torn(read_all(mine, self.hand.fd, TASK_LIMIT), origin.generation)
        reason = f"{origin.worker} ended while it held the task (process {origin.pid} is gone)"
        try:
            task = read_task(name, data)
        except TaskError as error:
            self._reject(mine, name, origin, str(error))
            return
        counted = self.counted and origin.worker != PERSON
        step = next_step(task, counted=counted, limit=self.limit, now=wall())
        state = State.DEAD if isinstance(step, Dead) else State.QUEUED
        if counted:
            logs = self._keep_torn(name, step.attempt, torn)
            not_before = None if isinstance(step, Dead) else step.not_before
            story = attempt_block(step.attempt, origin.worker, reason, stamp(), logs)
            text = failed_text(
                data,
                attempt=step.attempt,
                reason=reason,
                not_before=stamp(not_before) if not_before else None,
                story=story,
            )
        else:
            text = data
        final = rewrite_and_publish(pen, mine, name, text, state)
        self._report(final, origin, state, step.attempt, reason)

    def _return_artefacts(self, name: str) -> None:
        """A folder in done/ whose task never got there goes back to waste/."""
        for number in range(1, MOST_NUMBERS):
            chosen = name if number == 1 else numbered(name, number)
            has_file = stat_or_none(chosen, self.folders.done) is not None
            status = stat_or_none(stem(chosen), self.folders.done)
            if status is None and not has_file:
                return
            if status is None or has_file or not stat.S_ISDIR(status.st_mode):
                continue
            folder = make_waste(self.folders, name, 1)
            fd = open_folder(str(folder))
            try:
                rename_noreplace(stem(chosen), KEEP, self.folders.done, fd)
            except FileNotFoundError:
                continue
            finally:
                os.close(fd)

    def _keep_torn(self, name: str, attempt: int, torn: bytes) -> str:
        if not torn:
            return ""
        folder = make_waste(self.folders, name, attempt)
        (folder / "torn-result.md").write_bytes(torn)
        return f"{layout.WASTE}/{folder.parent.name}/{folder.name}"

    def _report(
        self, name: str, origin: Origin | LifeRecord, state: State, attempt: int, reason: str
    ) -> None:
        self.done.append(
            Recovered(
                name=name,
                worker=origin.worker,
                generation=origin.generation,
                state=state,
                attempt=attempt,
                reason=reason,
            )
        )

    def _remove(self, name: str, fd: int) -> None:
        try:
            os.rmdir(layout.HAND, dir_fd=fd)
        except FileNotFoundError:
            pass
        except OSError:
            return
        for entry in (layout.TAKEN, layout.SETTLED, layout.NEWBORN_RECORD, layout.RECORD):
            unlink_if_there(entry, fd)
        try:
            os.rmdir(name, dir_fd=self.folders.hands)
        except OSError:
            return

    def _sweep(self, name: str, fd: int) -> None:
        """A folder without a record was never used, or is being made: removed after a day."""
        if wall() - os.fstat(fd).st_mtime > SWEEP_AFTER_S:
            self._remove(name, fd)

    def _return_strays(self) -> None:
        """A file in claimed/ itself, where `mv` put it for want of a folder, waits again."""
        for name in os.listdir(self.folders.claimed):
            status = stat_or_none(name, self.folders.claimed)
            if status is None or stat.S_ISDIR(status.st_mode):
                continue
            if not stat.S_ISREG(status.st_mode):
                refuse(self.folders, self.hand.fd, self.folders.claimed, name, "it lay in claimed/")
                continue
            target = name if name.endswith(".md") else f"{name}.md"
            try:
                publish(name, self.folders.claimed, self.folders.queued, target, sync=False)
            except FileNotFoundError:
                continue


def make_waste(folders: Folders, name: str, attempt: int) -> Path:
    """`waste/<stem>/<n>/`, exclusively ours: the next free number from `attempt` on."""
    parent = folders.path / layout.WASTE / name.removesuffix(".md")
    parent.mkdir(mode=0o700, exist_ok=True)
    number = attempt
    while True:
        try:
            (parent / str(number)).mkdir(mode=0o700)
        except FileExistsError:
            number += 1
        else:
            return parent / str(number)


def _open(name: str, dir_fd: int) -> int:
    try:
        return open_folder(name, dir_fd)
    except OSError:
        return -1
