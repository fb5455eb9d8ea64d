"""Owns MemoryPit: the same contract without a disk, for unit tests and as the model the files are held against."""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from threading import Condition

from snakepit.clock import stamp, wall
from snakepit.core.header import edit
from snakepit.core.lifecycle import State
from snakepit.core.names import numbered, problem_with, root_of, task_name, worker_problem
from snakepit.core.needs import find_cycle
from snakepit.core.order import Diet
from snakepit.core.result import attempt_block, result_block
from snakepit.core.retry import Dead, next_step, retry_delay, waits_until
from snakepit.core.task import Task
from snakepit.errors import ClaimLost, NotFound, StoreError, TaskError, WorkerNameTaken
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
from snakepit.store.life import new_generation
from snakepit.store.reader import read_task
from snakepit.store.settle import failed_text, late_name


@dataclass
class Item:
    """One task: where it is, who holds it, when it came there."""

    name: str
    text: bytes
    state: State
    came: int
    worker: str = ""
    generation: str = ""


class MemoryLife(Life):
    def __init__(self, record: LifeRecord, *, by_verb: bool = False) -> None:
        self.record = record
        self.is_alive = True
        self.by_verb = by_verb

    def close(self) -> None:
        self.is_alive = False


@dataclass
class MemoryPit(PitStore):
    attempts: int = DEFAULT_ATTEMPTS
    items: dict[str, Item] = field(default_factory=dict)
    alive: dict[str, MemoryLife] = field(default_factory=dict)
    _came: int = 0
    _paused: bool = False
    _changed: Condition = field(default_factory=Condition)

    # --- publish and the verbs of people

    def publish(self, text: bytes, name: str) -> str:
        problem = problem_with(name)
        if problem:
            message = f"cannot feed {name!r}: {problem}"
            raise StoreError(message, fix="give it another name")
        chosen, number = name, 1
        while chosen in self.items:
            number += 1
            chosen = numbered(name, number)
        self._put(chosen, text, State.QUEUED)
        return chosen

    def _put(self, name: str, text: bytes, state: State) -> None:
        self._came += 1
        self.items[name] = Item(name, text, state, self._came)
        with self._changed:
            self._changed.notify_all()

    def _item(self, name: str, state: State) -> Item:
        item = self.items.get(task_name(name))
        if item is None or item.state is not state:
            message = f"{name} is not {state.value}"
            raise NotFound(message)
        return item

    def retry(self, name: str) -> str:
        item = self._item(name, State.DEAD)
        changes = {"attempt": 0, "reason": None, "not_before": None}
        self._put(item.name, edit(item.text, changes), State.QUEUED)
        return item.name

    def cancel(self, name: str, reason: str) -> str:
        item = self._item(name, State.QUEUED)
        self._put(item.name, edit(item.text, {"reason": reason}), State.DEAD)
        return item.name

    def allow(self, name: str) -> str:
        item = self._item(name, State.QUEUED)
        self._put(item.name, edit(item.text, {"allowed": True}), State.QUEUED)
        return item.name

    # --- lives

    def open_worker(
        self,
        worker: str,
        *,
        session: str = "",
        lock: bool = True,
        guard: int = 0,
        end_life: EndLife = nothing_to_end,
    ) -> MemoryLife:
        problem = worker_problem(worker)
        if problem:
            raise StoreError(problem)
        old = self.alive.get(worker)
        if old is not None and old.is_alive:
            message = f"the name {worker} is held"
            raise WorkerNameTaken(message)
        if old is not None:
            self.recover(end_life)
        record = LifeRecord(
            worker=worker, generation=new_generation(), session=session, lock=lock, guard=guard
        )
        self.alive[worker] = MemoryLife(record)
        return self.alive[worker]

    def adopt(self, worker: str, generation: str) -> MemoryLife:
        life = self.alive.get(worker)
        if life is None or life.generation != generation:
            message = f"{worker} is in another life now"
            raise ClaimLost(message)
        return MemoryLife(life.record, by_verb=True)

    def lives(self) -> list[LifeRecord]:
        return [life.record for life in self.alive.values()]

    # --- claim

    def claim(self, life: Life, diet: Diet) -> Claim | None:
        found = [
            (task.priority, item.came, item, task)
            for item in self._waiting()
            if (task := self._readable(item)) is not None
            and diet.eats(task.kind, task.labels, task.to)
            and self._why_held(task) is None
        ]
        if not found:
            return None
        _, _, item, task = min(found, key=lambda one: one[:2])
        return self._claimed(item, task, life)

    def _claimed(self, item: Item, task: Task, life: Life) -> Claim:
        item.state, item.worker, item.generation = State.CLAIMED, life.worker, life.generation
        return Claim(
            name=item.name,
            task=task,
            text=item.text,
            attempt=task.attempt + 1,
            worker=life.worker,
            generation=life.generation,
            by_verb=isinstance(life, MemoryLife) and life.by_verb,
        )

    def claim_name(self, life: Life, name: str) -> Claim:
        item = self._item(name, State.QUEUED)
        return self._claimed(item, read_task(item.name, item.text), life)

    def claims_of(self, life: Life) -> list[Claim]:
        return [
            self._claimed(item, read_task(item.name, item.text), life)
            for item in self.items.values()
            if item.state is State.CLAIMED and item.generation == life.generation
        ]

    def _waiting(self) -> list[Item]:
        return [item for item in self.items.values() if item.state is State.QUEUED]

    def _readable(self, item: Item) -> Task | None:
        """A text that is no task is a dead letter from its first look on."""
        try:
            return read_task(item.name, item.text)
        except TaskError:
            item.state = State.DEAD
            return None

    def _why_held(self, task: Task) -> str | None:
        if task.by and task.runs and not task.allowed:
            return "waits for a person"
        until = waits_until(task, wall())
        if until is not None:
            return f"waits until {stamp(until)}"
        unmet = [need for need in task.needs if not self._is_met(task_name(need))]
        return f"needs {unmet[0]}" if unmet else None

    def _is_met(self, name: str) -> bool:
        live = (State.QUEUED, State.CLAIMED)
        if any(i.state in live and root_of(i.name) == root_of(name) for i in self.items.values()):
            return False
        item = self.items.get(name)
        return item is not None and item.state is State.DONE

    def wait(self, life: Life, seconds: float) -> bool:
        with self._changed:
            return bool(self._waiting()) or self._changed.wait(seconds)

    # --- settle

    def _mine(self, claim: Claim, life: Life) -> Item | None:
        item = self.items.get(claim.name)
        held = item is not None and item.state is State.CLAIMED
        if item is not None and held and item.generation == life.generation:
            return item
        if claim.by_verb:
            raise _lost(claim.name)
        return None

    def complete(
        self,
        claim: Claim,
        life: Life,
        result: str,
        *,
        seconds: float = 0.0,
        keep: Path | None = None,
    ) -> Settled:
        block = result_block(
            life.generation,
            result,
            worker=life.worker,
            attempt=claim.attempt,
            seconds=seconds,
            at=stamp(),
        )
        item = self._mine(claim, life)
        if item is None:
            late = self.publish(block, late_name(claim.name))
            self.items[late].state = State.DEAD
            return Settled(name=late, state=State.DEAD, late=True)
        self._put(item.name, item.text + block, State.DONE)
        return Settled(name=item.name, state=State.DONE, attempt=claim.task.attempt)

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
        item = self._mine(claim, life)
        if item is None:
            raise _lost(claim.name)
        state, attempt = self._failed(
            item, reason, counted=counted, dead=dead, delay_s=delay_s, worker=life.worker
        )
        return Settled(name=item.name, state=state, attempt=attempt)

    def _failed(
        self,
        item: Item,
        reason: str,
        *,
        counted: bool,
        dead: bool,
        delay_s: float | None,
        worker: str,
    ) -> tuple[State, int]:
        task = read_task(item.name, item.text)
        step = next_step(task, counted=counted, limit=self.attempts, now=wall())
        state = State.DEAD if dead or isinstance(step, Dead) else State.QUEUED
        delay = retry_delay(step.attempt) if delay_s is None else delay_s
        not_before = stamp(wall() + delay) if delay and state is State.QUEUED else None
        story = attempt_block(task.attempt + 1, worker, reason, stamp(), "")
        text = failed_text(
            item.text, attempt=step.attempt, reason=reason, not_before=not_before, story=story
        )
        self._put(item.name, text, state)
        return state, step.attempt

    def release(self, claim: Claim, life: Life) -> Settled:
        item = self._mine(claim, life)
        if item is None:
            raise _lost(claim.name)
        self._put(item.name, item.text, State.QUEUED)
        return Settled(name=item.name, state=State.QUEUED, attempt=claim.task.attempt)

    def split(self, claim: Claim, life: Life, parts: Sequence[Part]) -> tuple[str, ...]:
        names = [task_name(part.name) for part in parts]
        if not names or len(set(names)) < len(names) or any(n in self.items for n in names):
            message = "the parts need names of their own"
            raise StoreError(message)
        graph: dict[str, tuple[str, ...]] = {}
        for name, part in zip(names, parts, strict=True):
            graph[name] = tuple(task_name(need) for need in read_task(name, part.text).needs)
        if find_cycle(graph) or any(claim.name in needs for needs in graph.values()):
            message = "the parts need each other, or their parent, in a circle"
            raise StoreError(message)
        item = self._mine(claim, life)
        if item is None:
            raise _lost(claim.name)
        for name, part in zip(names, parts, strict=True):
            keys = {"parent": claim.name, "by": claim.worker, "allowed": None}
            self._put(name, edit(part.text, keys), State.QUEUED)
        needs = list(dict.fromkeys([*claim.task.needs, *names]))
        self._put(item.name, edit(item.text, {"parts": names, "needs": needs}), State.QUEUED)
        return tuple(names)

    # --- recovery

    def recover(self, end_life: EndLife, *, counted: bool = True) -> list[Recovered]:
        recovered = []
        for worker, life in list(self.alive.items()):
            if life.is_alive or not end_life(life.record):
                continue
            del self.alive[worker]
            reason = f"{worker} ended while it held the task"
            for item in list(self.items.values()):
                if item.state is not State.CLAIMED or item.generation != life.generation:
                    continue
                if counted:
                    state, attempt = self._failed(
                        item, reason, counted=True, dead=False, delay_s=None, worker=worker
                    )
                else:
                    self._put(item.name, item.text, State.QUEUED)
                    state, attempt = State.QUEUED, read_task(item.name, item.text).attempt
                recovered.append(
                    Recovered(
                        name=item.name,
                        worker=worker,
                        generation=life.generation,
                        state=state,
                        attempt=attempt,
                        reason=reason,
                    )
                )
        return recovered

    # --- looking

    def entries(self, state: State) -> Iterator[Entry]:
        for item in sorted(self.items.values(), key=lambda one: one.name):
            if item.state is state and not item.name.endswith("~late.md"):
                yield self._entry(item)

    def _entry(self, item: Item) -> Entry:
        return Entry(
            name=item.name,
            state=item.state,
            path=Path(item.name),
            worker=item.worker or None,
            size=len(item.text),
            ctime_ns=item.came,
        )

    def locate(self, name: str) -> tuple[Entry, ...]:
        item = self.items.get(task_name(name))
        return () if item is None else (self._entry(item),)

    def read(self, entry: Entry) -> bytes:
        return self.items[entry.name].text

    def counts(self) -> Mapping[State, int]:
        return {state: sum(1 for _ in self.entries(state)) for state in State}

    def held(self) -> Mapping[str, str]:
        tasks = [task for item in self._waiting() if (task := self._readable(item)) is not None]
        return {task.name: why for task in tasks if (why := self._why_held(task)) is not None}

    def waste_dir(self, name: str, attempt: int) -> Path:
        return Path(tempfile.mkdtemp(prefix=f"snakepit-{attempt}-"))

    @property
    def paused(self) -> bool:
        return self._paused

    def set_paused(self, paused: bool) -> None:
        self._paused = paused

    def close(self) -> None:
        for life in self.alive.values():
            life.close()


def _lost(name: str) -> ClaimLost:
    message = f"{name} is no longer yours"
    return ClaimLost(message, fix="stop working on it; claim anew")
