"""Owns FilePit: the store whose every state is a folder and every transition a rename.

The steps live in settle, split, recover and intake; here they are put in order for one process, which has one
hand of its own. A FilePit may be used by one thread; its keeper by another.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from snakepit.clock import stamp, wall
from snakepit.core.header import edit
from snakepit.core.lifecycle import State
from snakepit.core.names import problem_with, task_name
from snakepit.core.order import ClassKey, Diet
from snakepit.core.result import attempt_block, result_block
from snakepit.core.retry import Dead, next_step, retry_delay
from snakepit.core.task import Task
from snakepit.errors import ClaimLost, NotFound, StoreError
from snakepit.store import layout, listing, settle, split
from snakepit.store.admission import Kind, examine
from snakepit.store.atomic import publish, read_all, stat_or_none, unlink_if_there, write_new
from snakepit.store.base import (
    DEFAULT_ATTEMPTS,
    Claim,
    EndLife,
    Entry,
    Life,
    LifeRecord,
    Part,
    PitStore,
    Recovered,
    Settled,
    nothing_to_end,
)
from snakepit.store.birth import Birth, adopt
from snakepit.store.claiming import Claiming
from snakepit.store.folders import Folders
from snakepit.store.intake import Intake, free_name
from snakepit.store.keeper import IndexKeeper
from snakepit.store.life import KEEPER, PERSON, RECOVERY, VERB, FileLife, Hand
from snakepit.store.place import Place
from snakepit.store.recover import Recovery, make_waste, recover_lock
from snakepit.store.settle import TASK_LIMIT, Pen
from snakepit.system.files import rename_noreplace

RETRIED = {"attempt": 0, "reason": None, "not_before": None}


def open_pit(
    path: Path,
    *,
    durable: str = "power",
    settle_s: float = 1.0,
    attempts: int = DEFAULT_ATTEMPTS,
    accept_all: bool = False,
) -> "FilePit":
    """The pit in `path`, made where missing; refuses folders on different or network filesystems."""
    folders = Folders(path, power=durable == "power")
    return FilePit(folders, settle_s=settle_s, attempts=attempts, accept_all=accept_all)


class FilePit(PitStore):
    def __init__(
        self, folders: Folders, *, settle_s: float, attempts: int, accept_all: bool
    ) -> None:
        self.folders = folders
        self.path = folders.path
        self.attempts = attempts
        self._settle_s = settle_s
        self._accept_all = accept_all
        self._hands: dict[str, Hand] = {}
        self._last: tuple[FileLife, Pen] | None = None
        self._paths = {state: self.path / name for state, name in layout.FOLDER.items()}
        self._claiming = Claiming(folders, self._own_hand_fd, self.keeper, accept_all=accept_all)
        self.place = Place(folders, queue_opened=self._claiming.forget_keeper)

    # --- publish and the verbs of people

    def publish(self, text: bytes, name: str) -> str:
        return self.publish_many([(name, text)])[0]

    def publish_many(self, tasks: Sequence[tuple[str, bytes]]) -> list[str]:
        """As `publish`, with one fsync of the folder for all; each is visible as soon as it is written."""
        for name, text in tasks:
            problem = problem_with(name)
            if problem:
                msg = f"cannot feed {name!r}: {problem}"
                raise StoreError(msg, fix="give it another --name")
            if len(text) > TASK_LIMIT:
                message = f"{name} has {len(text):,} bytes; a task has at most {TASK_LIMIT:,}"
                raise StoreError(message, fix="keep the data in a file and name it in the task")
        hand = self._own_hand(PERSON).fd
        names = []
        for name, text in tasks:
            free = free_name(self.folders, name)
            write_new(hand, layout.BEING_WRITTEN, text, sync=True)
            out = layout.out_name(State.QUEUED, free)
            os.rename(layout.BEING_WRITTEN, out, src_dir_fd=hand, dst_dir_fd=hand)
            names.append(publish(out, hand, self.folders.queued, free, sync=False))
        os.fsync(self.folders.queued)
        return names

    def retry(self, name: str) -> str:
        name = task_name(name)
        self._check_retry(name)
        text = self._take_from(State.DEAD, name)
        unlink_if_there(f"{name.removesuffix('.md')}.why.md", self.folders.dead)
        return self._rewrite(name, edit(text, RETRIED), State.QUEUED)

    def _check_retry(self, name: str) -> None:
        """Before anything is taken: what is no task would only be refused again."""
        look = examine(self.folders.dead, name)
        path = self.path / layout.FOLDER[State.DEAD] / name
        if look.kind is Kind.GONE:
            raise _not_in(State.DEAD, name)
        if look.task is None:
            message = f"{name} is no task: {look.reason}"
            raise StoreError(message, fix=f"mend {path}, then retry it")
        if look.task.extra.get("refused") is True:
            message = f"{name} is a note about something that was refused, not a task"
            raise StoreError(message, fix=f"read it: {path}")

    def cancel(self, name: str, reason: str) -> str:
        name = task_name(name)
        text = self._take_from(State.QUEUED, name)
        return self._rewrite(name, edit(text, {"reason": reason}), State.DEAD)

    def allow(self, name: str) -> str:
        name = task_name(name)
        text = self._take_from(State.QUEUED, name)
        return self._rewrite(name, edit(text, {"allowed": True}), State.QUEUED)

    def _take_from(self, state: State, name: str) -> bytes:
        hand = self._own_hand(PERSON).fd
        try:
            rename_noreplace(name, name, self.folders.fd[state], hand)
        except FileNotFoundError:
            raise _not_in(state, name) from None
        return read_all(name, hand, TASK_LIMIT)

    def _rewrite(self, name: str, text: bytes, state: State) -> str:
        hand = self._own_hand(PERSON)
        pen = Pen(self.folders, hand.fd, hand.fd, hand.generation)
        return settle.rewrite_and_publish(pen, name, name, text, state)

    # --- lives

    def open_worker(
        self,
        worker: str,
        *,
        session: str = "",
        lock: bool = True,
        guard: int = 0,
        end_life: EndLife = nothing_to_end,
    ) -> FileLife:
        birth = Birth(self.folders, lambda: self.recover(end_life))
        return birth.open_worker(worker, session=session, lock=lock, guard=guard)

    def adopt(self, worker: str, generation: str) -> FileLife:
        return adopt(self.folders, worker, generation, self._own_hand_fd())

    def lives(self) -> list[LifeRecord]:
        return listing.lives(self.folders)

    # --- claim

    def claim(self, life: Life, diet: Diet) -> Claim | None:
        owner = _files(life)
        self.place.look(owner)
        return self._claiming.claim(owner, diet)

    def claim_name(self, life: Life, name: str) -> Claim:
        return self._claiming.claim_name(_files(life), task_name(name))

    def claims_of(self, life: Life) -> list[Claim]:
        return self._claiming.claims_of(_files(life))

    def wait(self, life: Life, seconds: float) -> bool:
        self.place.look(_files(life))
        return self._claiming.wait(seconds)

    def stop_keeping(self) -> None:
        """Leave the index to others until the next `wait`; idempotent."""
        self._claiming.stop_keeping()

    def poke(self) -> None:
        """End a `wait` of this process; from another thread."""
        self._claiming.poke()

    def keeper(self) -> IndexKeeper:
        """A keeper with a hand of its own: it may run in another thread than the rest of this store."""
        hand = Hand(self.folders.hands, KEEPER)
        intake = Intake(self.folders, lambda: hand.fd, accept_all=self._accept_all)
        return IndexKeeper(self.folders, intake, self._settle_s, hand)

    # --- settle

    def complete(
        self,
        claim: Claim,
        life: Life,
        result: str,
        *,
        seconds: float = 0.0,
        keep: Path | None = None,
    ) -> Settled:
        owner = _files(life)
        pen = self._pen(owner)
        block = result_block(
            pen.generation,
            result,
            worker=owner.worker,
            attempt=claim.attempt,
            seconds=seconds,
            at=stamp(),
        )
        name = claim.name
        if not settle.take(pen, name):
            return self._late(pen, owner, claim, block)
        try:
            inode = settle.append_result(pen, name, block)
            owner.note_settled(inode, name)
            final = settle.publish_done(pen, name, keep)
        except OSError as error:
            raise settle.undone(pen, claim, error) from error
        return self._settled(final, State.DONE, claim.task.attempt)

    def fail(
        self,
        claim: Claim,
        life: Life,
        reason: str,
        *,
        counted: bool = True,
        dead: bool = False,
        delay_s: float | None = None,
        logs: str = "",
    ) -> Settled:
        owner = _files(life)
        pen = self._pen(owner)
        if not settle.take(pen, claim.name):
            return self._late(pen, owner, claim, b"")
        text = read_all(claim.name, pen.hand, TASK_LIMIT)
        step = next_step(claim.task, counted=counted, limit=self.attempts, now=wall())
        attempt = step.attempt
        state = State.DEAD if dead or isinstance(step, Dead) else State.QUEUED
        delay = retry_delay(attempt) if delay_s is None else delay_s
        not_before = stamp(wall() + delay) if delay and state is State.QUEUED else None
        story = attempt_block(claim.attempt, owner.worker, reason, stamp(), logs)
        failed = settle.failed_text(
            text, attempt=attempt, reason=reason, not_before=not_before, story=story
        )
        final = settle.rewrite_and_publish(pen, claim.name, claim.name, failed, state)
        return self._settled(final, state, attempt)

    def release(self, claim: Claim, life: Life) -> Settled:
        owner = _files(life)
        pen = self._pen(owner)
        final = settle.release(pen, claim.name)
        if final is None:
            return self._late(pen, owner, claim, b"")
        return self._settled(final, State.QUEUED, claim.task.attempt)

    def split(self, claim: Claim, life: Life, parts: Sequence[Part]) -> tuple[str, ...]:
        owner = _files(life)
        pen = self._pen(owner)
        ready = split.prepared(self.folders, claim, parts)
        if not settle.take(pen, claim.name):
            raise _lost(claim.name)
        try:
            split.write_split(pen, claim, ready)
        except OSError as error:
            split.discard(layout.SPLIT_BEING_WRITTEN, pen.hand)
            publish(claim.name, pen.hand, self.folders.queued, claim.name, sync=False)
            message = f"{claim.name}: its parts could not be written: {error.strerror}"
            raise StoreError(message, fix="free some space on the pit's filesystem") from error
        split.commit_split(pen)
        split.finish_split(self.folders, pen.hand)
        return tuple(part.name for part in ready)

    def _late(self, pen: Pen, life: FileLife, claim: Claim, block: bytes) -> Settled:
        """The claim is gone: settled by the life's own agent with `mv`, or taken back."""
        if claim.by_verb:
            raise _lost(claim.name)
        found = settle.find_settled_by_hand(pen, claim.name, claim.inode, claim.claimed_at_ns)
        if found is not None:
            return self._settled(found[1], found[0], claim.task.attempt, by_hand=True)
        if not block:
            raise _lost(claim.name)
        name = settle.keep_late_result(pen, claim.name, block)
        return self._settled(name, State.DEAD, claim.task.attempt, late=True)

    def _settled(
        self, name: str, state: State, attempt: int, *, late: bool = False, by_hand: bool = False
    ) -> Settled:
        return Settled(name, state, self._paths[state], attempt, late, by_hand)

    # --- recovery

    def recover(self, end_life: EndLife, *, counted: bool = True) -> list[Recovered] | None:
        with recover_lock(self.folders) as held:
            if not held:
                return None
            hand = Hand(self.folders.hands, RECOVERY)
            try:
                return Recovery(self.folders, hand, end_life, self.attempts, counted).run()
            finally:
                hand.close()

    # --- looking

    def entries(self, state: State) -> Iterator[Entry]:
        return listing.entries(self.folders, state)

    def locate(self, name: str) -> tuple[Entry, ...]:
        return listing.locate(self.folders, task_name(name))

    def read(self, entry: Entry) -> bytes:
        try:
            return read_all(str(entry.path), self.folders.root, TASK_LIMIT)
        except OSError as error:
            msg = f"{entry.name} moved while it was read ({error.strerror})"
            raise NotFound(msg) from error

    def counts(self) -> Mapping[State, int]:
        return listing.counts(self.folders)

    def held(self) -> Mapping[str, str]:
        return listing.held(self.folders)

    def why_held(self, task: Task) -> str | None:
        """What keeps a readable task from being claimed, in words; looks now, asks no index."""
        intake = Intake(self.folders, self._own_hand_fd, accept_all=self._accept_all)
        intake.read_ids()
        return intake.why_held(task)

    def waiting_by_class(self) -> Mapping[ClassKey, int]:
        return self._claiming.tickets.waiting_by_class()

    def waste_dir(self, name: str, attempt: int) -> Path:
        return make_waste(self.folders, name, attempt)

    @property
    def paused(self) -> bool:
        return stat_or_none(layout.PAUSED, self.folders.private) is not None

    def set_paused(self, paused: bool) -> None:
        if paused:
            write_new(self.folders.private, layout.PAUSED, b"", sync=False)
        else:
            unlink_if_there(layout.PAUSED, self.folders.private)

    # --- this process

    def _own_hand(self, role: str = VERB) -> Hand:
        hand = self._hands.get(role)
        if hand is None:
            hand = self._hands[role] = Hand(self.folders.hands, role)
        return hand

    def _own_hand_fd(self) -> int:
        return self._own_hand().fd

    def _pen(self, life: FileLife) -> Pen:
        self.place.mend()
        if self._last is not None and self._last[0] is life:
            return self._last[1]
        if life.is_own:
            pen = Pen(self.folders, life.fd, life.hand_fd, life.generation)
            self._last = (life, pen)
            return pen
        hand = self._own_hand()
        return Pen(self.folders, life.fd, hand.fd, hand.generation)

    def close(self) -> None:
        self._claiming.close()
        for hand in self._hands.values():
            hand.close()
        self._hands.clear()
        self.folders.close()


def _files(life: Life) -> FileLife:
    if not isinstance(life, FileLife) or life.fd < 0:
        msg = "this life is over, or of another store"
        raise StoreError(msg, fix="open a new one")
    return life


def _not_in(state: State, name: str) -> NotFound:
    message = f"{name} is not in {layout.FOLDER[state]}/"
    return NotFound(message, fix=f"see where it is: agents.py show {name}")


def _lost(name: str) -> ClaimLost:
    return ClaimLost(f"{name} is no longer yours", fix="stop working on it; claim anew")
