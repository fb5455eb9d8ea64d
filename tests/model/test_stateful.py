"""Plays random histories against the files and the in-memory store, and compares both after every step.

Producers, two workers, verbs that act for a life that may be over, a recoverer, deaths, people. What a death
inside a transition does is the matter of tests/crash; here a life ends between two of them.
"""

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from snakepit.core.lifecycle import State
from snakepit.core.names import root_of
from snakepit.core.order import Diet
from snakepit.core.result import result_of
from snakepit.errors import SnakepitError, WorkerNameTaken
from snakepit.store.base import Claim, Life, LifeRecord, Part, PitStore, Settled
from snakepit.store.files import open_pit
from snakepit.store.listing import in_hands
from snakepit.store.memory import MemoryPit
from snakepit.store.reader import read_task
from tests.support.wait import wait_for

T = TypeVar("T")
ATTEMPTS = 2  # the second counted run is the last, so no task waits for a clock
NAMES = ("a.md", "b.md", "c.md", "d.md")
WORKERS = ("w1", "w2")
MOST_OF_A_NAME = 4
MOST_WAITING = 5

numbers = st.integers(min_value=0, max_value=99)


def nothing_runs(_: LifeRecord) -> bool:
    return True


@dataclass
class Lived:
    """One life in both stores: a worker's own, or a verb that acts for it."""

    worker: str
    files: Life
    model: Life
    is_verb: bool = False


@dataclass
class Held:
    """One claim in both stores, by the life that made it; it may be over since."""

    life: Lived
    files: Claim
    model: Claim

    @property
    def name(self) -> str:
        return self.model.name


class Histories(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.path = Path(tempfile.mkdtemp(prefix="snakepit-model-"))
        self.files = open_pit(self.path / "pit", durable="kill", settle_s=0.0, attempts=ATTEMPTS)
        self.verbs = open_pit(self.path / "pit", durable="kill", settle_s=0.0, attempts=ATTEMPTS)
        self.keeper = self.files.keeper()
        self.model = MemoryPit(attempts=ATTEMPTS)
        self.lives: dict[str, Lived] = {}
        self.acting: list[Lived] = []
        self.held: list[Held] = []
        self.splits = 0

    def teardown(self) -> None:
        for lived in (*self.lives.values(), *self.acting):
            lived.files.close()
        self.keeper.close()
        self.files.close()
        self.verbs.close()
        shutil.rmtree(self.path)

    # --- both at once

    def both(self, act: Callable[[PitStore, bool], T]) -> T | None:
        """Do it to the files and to the model; both refuse for the same cause, or both give a result."""
        results: list[T | None] = []
        causes: list[type[SnakepitError] | None] = []
        for store, is_model in ((self.files, False), (self.model, True)):
            try:
                results.append(act(store, is_model))
                causes.append(None)
            except SnakepitError as error:
                results.append(None)
                causes.append(type(error))
        assert causes[0] == causes[1], causes
        assert results[0] == results[1], results
        return results[0]

    def count(self, state: State) -> int:
        return self.model.counts()[state]

    def held_by(self, life: Lived) -> list[Claim]:
        return self.model.claims_of(life.model)

    def has_room(self, name: str) -> bool:
        return sum(root_of(item) == root_of(name) for item in self.model.items) < MOST_OF_A_NAME

    # --- producers and people

    def text(self, name: str, number: int) -> bytes:
        need = f"needs: [{NAMES[number % 4]}]\n" if number % 3 == 0 else ""
        limit = f"attempts: {1 + number % 2}\n" if number % 5 == 0 else ""
        return f"---\npriority: {number % 10}\n{need}{limit}---\nthe text of {name}\n".encode()

    @precondition(lambda self: self.count(State.QUEUED) < MOST_WAITING)
    @rule(name=st.sampled_from(NAMES), number=numbers)
    def publish(self, name: str, number: int) -> None:
        if self.has_room(name):
            self.both(lambda store, _: store.publish(self.text(name, number), name))

    @precondition(lambda self: self.count(State.QUEUED) < MOST_WAITING)
    @rule(name=st.sampled_from(NAMES), number=numbers)
    def drop(self, name: str, number: int) -> None:
        """As `mv` does it; the keeper numbers a name that is in use."""
        food = self.path / "pit" / "food"
        if not self.has_room(name) or (food / name).exists():
            return
        (self.path / name).write_bytes(self.text(name, number))
        (self.path / name).rename(food / name)
        final = self.model.publish(self.text(name, number), name)
        wait_for(lambda: self.keeper.step(0.02) is not None and (food / final).exists(), 5)

    @precondition(lambda self: self.count(State.QUEUED) == MOST_WAITING)
    @rule(number=numbers)
    def cancel(self, number: int) -> None:
        name = self.one_that_is(State.QUEUED, number)
        self.both(lambda store, _: store.cancel(name, "not wanted"))

    @precondition(lambda self: self.count(State.DEAD))
    @rule(number=numbers)
    def retry(self, number: int) -> None:
        name = self.one_that_is(State.DEAD, number)
        self.both(lambda store, _: store.retry(name))

    def one_that_is(self, state: State, number: int) -> str:
        names = [entry.name for entry in self.model.entries(state)]
        return self.pick(names or list(NAMES), number)

    # --- lives

    @initialize()
    def both_workers_begin(self) -> None:
        for name in NAMES[:3]:
            self.publish(name, 1)
        for worker in WORKERS:
            self.begin_life(worker)

    @precondition(lambda self: len(self.lives) < len(WORKERS))
    @rule(number=numbers)
    def begin(self, number: int) -> None:
        self.begin_life(self.pick([name for name in WORKERS if name not in self.lives], number))

    def begin_life(self, worker: str) -> None:
        lives: dict[bool, Life] = {}

        def open_one(store: PitStore, is_model: bool) -> None:
            lives[is_model] = store.open_worker(worker, end_life=nothing_runs)

        self.both(open_one)
        if lives:
            self.lives[worker] = Lived(worker, lives[False], lives[True])

    @precondition(lambda self: self.lives)
    @rule(number=numbers)
    def die(self, number: int) -> None:
        """The name is taken until then; the claims stay where they are until somebody recovers."""
        lived = self.pick(list(self.lives.values()), number)
        for store in (self.files, self.model):
            with pytest.raises(WorkerNameTaken):
                store.open_worker(lived.worker, end_life=nothing_runs)
        del self.lives[lived.worker]
        lived.files.close()
        lived.model.close()
        self.held = [held for held in self.held if held.life is not lived]

    @precondition(lambda self: any(self.held_by(life) for life in self.lives.values()))
    @rule(number=numbers)
    def adopt(self, number: int) -> None:
        """A verb of a running life that holds something; it stays when that life is over."""
        lived = self.pick([one for one in self.lives.values() if self.held_by(one)], number)
        generations = {False: lived.files.generation, True: lived.model.generation}
        lives: dict[bool, Life] = {}

        def adopt_one(store: PitStore, is_model: bool) -> None:
            store = store if is_model else self.verbs
            lives[is_model] = store.adopt(lived.worker, generations[is_model])

        self.both(adopt_one)
        if lives:
            self.acting.append(Lived(lived.worker, lives[False], lives[True], is_verb=True))

    @precondition(lambda self: not all(life.is_alive for life in self.model.alive.values()))
    @rule(counted=st.booleans())
    def recover(self, counted: bool) -> None:
        found = []
        for store in (self.verbs, self.model):
            recovered = store.recover(nothing_runs, counted=counted)
            assert recovered is not None
            found.append(sorted((r.name, r.worker, r.state, r.attempt) for r in recovered))
        assert found[0] == found[1]

    @staticmethod
    def pick(items: list[T], number: int) -> T:
        return items[number % len(items)]

    # --- claims

    @precondition(lambda self: self.lives and self.count(State.QUEUED))
    @rule(number=numbers)
    def claim(self, number: int) -> None:
        """Any task that the model would give; none when it would give none."""
        lived = self.pick(list(self.lives.values()), number)
        diet = Diet(species=frozenset({"worker"}), worker=lived.worker)
        waiting = {entry.name for entry in self.model.entries(State.QUEUED)}
        ready = waiting - self.model.held().keys()
        self.keeper.step(0)
        found = self.files.claim(lived.files, diet)
        if found is None and ready:
            found = wait_for(lambda: self.claim_after_a_look(lived, diet), what=f"one of {ready}")
        assert found.name in ready if found else not ready
        if found is not None:
            self.held.append(Held(lived, found, self.model.claim_name(lived.model, found.name)))

    def claim_after_a_look(self, lived: Lived, diet: Diet) -> Claim | None:
        self.keeper.step(0.02)
        return self.files.claim(lived.files, diet)

    @precondition(lambda self: self.acting)
    @rule(number=numbers, turn=numbers)
    def claim_by_verb(self, number: int, turn: int) -> None:
        """What the life holds, as `done` and `fail` see it, also when that life is over."""
        lived = self.pick(self.acting, number)
        files = self.verbs.claims_of(lived.files)
        model = {claim.name: claim for claim in self.model.claims_of(lived.model)}
        assert {claim.name for claim in files} == model.keys()
        if files:
            found = self.pick(files, turn)
            self.held.append(Held(lived, found, model[found.name]))

    # --- ends

    def settle(
        self, number: int, end: Callable[[PitStore, Claim, Life], Settled | tuple[str, ...]]
    ) -> None:
        held = self.held.pop(number % len(self.held))
        life = held.life

        def act(store: PitStore, is_model: bool) -> tuple[object, ...] | None:
            if is_model:
                settled = end(store, held.model, life.model)
            else:
                settled = end(self.verbs if life.is_verb else store, held.files, life.files)
            if not isinstance(settled, Settled):
                return settled
            if settled.late or settled.by_hand:
                return ("not its own any more",)
            return (settled.name, settled.state, settled.attempt)

        self.both(act)

    @precondition(lambda self: self.held)
    @rule(number=numbers)
    def complete(self, number: int) -> None:
        self.settle(number, lambda store, claim, life: store.complete(claim, life, "twelve"))

    @precondition(lambda self: self.held)
    @rule(number=numbers, counted=st.booleans(), dead=st.booleans())
    def fail(self, number: int, counted: bool, dead: bool) -> None:
        if self.is_mine(number):
            self.settle(
                number,
                lambda store, claim, life: store.fail(
                    claim, life, "no", counted=counted, dead=dead, delay_s=0
                ),
            )

    @precondition(lambda self: self.held)
    @rule(number=numbers)
    def release(self, number: int) -> None:
        if self.is_mine(number):
            self.settle(number, lambda store, claim, life: store.release(claim, life))

    @precondition(lambda self: self.held)
    @rule(number=numbers, parts=st.integers(min_value=0, max_value=2))
    def split(self, number: int, parts: int) -> None:
        self.splits += 1
        made = [Part(name=f"p{self.splits}-{n}.md", text=b"a part\n") for n in range(parts)]
        if self.is_mine(number):
            self.settle(number, lambda store, claim, life: store.split(claim, life, made))

    def is_mine(self, number: int) -> bool:
        """A worker's own call for a claim that its verb settled tells more over files: who settled it."""
        held = self.pick(self.held, number)
        item = self.model.items.get(held.name)
        return held.life.is_verb or (
            item is not None
            and item.state is State.CLAIMED
            and item.generation == held.life.model.generation
        )

    # --- what must hold

    @invariant()
    def every_task_is_where_the_model_has_it(self) -> None:
        assert list(in_hands(self.files.folders)) == []
        assert self.places(self.files) == self.places(self.model)

    @staticmethod
    def places(store: PitStore) -> dict[str, tuple[object, ...]]:
        found: dict[str, tuple[object, ...]] = {}
        for state in State:
            for entry in store.entries(state):
                assert entry.name not in found, entry
                text = store.read(entry)
                task = read_task(entry.name, text)
                worker = entry.worker if state is State.CLAIMED else None
                result = result_of(text) if state is State.DONE else ""
                found[entry.name] = (
                    state,
                    worker,
                    task.attempt,
                    task.parts,
                    bool(task.reason),
                    result,
                )
        return found


def test_files_and_model_agree_after_every_step_of_any_history() -> None:
    run_state_machine_as_test(
        Histories,
        settings=settings(
            max_examples=120,
            stateful_step_count=50,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
