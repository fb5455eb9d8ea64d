"""Owns the contract of every store: a new store is one class and a test class of ten lines that inherits this."""

from collections.abc import Iterator

import pytest

from snakepit.core.lifecycle import State
from snakepit.core.order import Diet
from snakepit.core.result import result_of
from snakepit.errors import ClaimLost, NotFound, StoreError, WorkerNameTaken
from snakepit.store.base import Claim, Life, LifeRecord, Part, PitStore
from tests.support.wait import wait_for

WORKER = Diet(species=frozenset({"worker"}), worker="w1")
PLANNER = Diet(species=frozenset({"planner"}), worker="p1")


def nothing_runs(_: LifeRecord) -> bool:
    return True


class PitContract:
    """`make` gives an empty store; `reopen` another handle of the same one, as a second process has it."""

    def make(self) -> PitStore:
        raise NotImplementedError

    def reopen(self, pit: PitStore) -> PitStore:
        return pit

    @pytest.fixture
    def pit(self) -> Iterator[PitStore]:
        pit = self.make()
        yield pit
        pit.close()

    @pytest.fixture
    def life(self, pit: PitStore) -> Life:
        return pit.open_worker("w1", end_life=nothing_runs)

    def take(self, pit: PitStore, life: Life, diet: Diet = WORKER) -> Claim:
        def claim() -> Claim | None:
            found = pit.claim(life, diet)
            if found is None:
                pit.wait(life, 0.05)
            return found

        found = wait_for(claim, 8, "a claim")
        assert found is not None
        return found

    def place(self, pit: PitStore, name: str) -> State:
        found = pit.locate(name)
        assert len(found) == 1, found
        return found[0].state

    def text(self, pit: PitStore, name: str) -> str:
        return pit.read(pit.locate(name)[0]).decode()

    # --- publish and claim

    def test_an_empty_store_gives_nothing(self, pit: PitStore, life: Life) -> None:
        assert pit.claim(life, WORKER) is None
        assert set(pit.counts().values()) == {0}

    def test_a_claim_gives_the_task_as_it_was_published(self, pit: PitStore, life: Life) -> None:
        assert pit.publish(b"# Eggs\n\ncount them\n", "eggs.md") == "eggs.md"
        claim = self.take(pit, life)
        assert (claim.name, claim.text) == ("eggs.md", b"# Eggs\n\ncount them\n")
        assert (claim.task.title, claim.attempt) == ("Eggs", 1)
        assert self.place(pit, "eggs.md") is State.CLAIMED
        assert pit.claim(life, WORKER) is None

    def test_a_taken_name_gets_a_number(self, pit: PitStore) -> None:
        names = [pit.publish(b"eggs\n", "x.md") for _ in range(3)]
        assert names == ["x.md", "x~2.md", "x~3.md"]

    @pytest.mark.parametrize("name", ["../x.md", "a\nb.md", "-x.md", "x" * 300 + ".md", "x.txt"])
    def test_a_hostile_name_is_refused(self, pit: PitStore, name: str) -> None:
        with pytest.raises(StoreError):
            pit.publish(b"eggs\n", name)

    def test_priority_comes_first_then_the_first_come(self, pit: PitStore, life: Life) -> None:
        for name, priority in (("a", 5), ("b", 1), ("c", 5), ("d", 9), ("e", 1)):
            pit.publish(f"---\npriority: {priority}\n---\nx\n".encode(), f"{name}.md")
        wait_for(lambda: pit.wait(life, 0.05) or True)
        order = [self.take(pit, life).name for _ in range(5)]
        assert order == ["b.md", "e.md", "a.md", "c.md", "d.md"]

    def test_each_diet_gets_its_own(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"---\nbig: true\n---\nx\n", "big.md")
        pit.publish(b"---\nto: w1\n---\nx\n", "mine.md")
        pit.publish(b"---\nto: other\n---\nx\n", "theirs.md")
        pit.publish(b"```bash run\ntrue\n```\n", "code.md")
        assert self.take(pit, life).name == "mine.md"
        assert pit.claim(life, WORKER) is None
        planner = pit.open_worker("p1", end_life=nothing_runs)
        assert self.take(pit, planner, PLANNER).name == "big.md"

    def test_labels_narrow_a_diet(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"---\nlabels: [rust]\n---\nx\n", "rust.md")
        pit.publish(b"x\n", "plain.md")
        diet = Diet(species=frozenset({"worker"}), labels=frozenset({"rust"}), worker="w1")
        assert self.take(pit, life, diet).name == "rust.md"
        assert pit.claim(life, diet) is None

    def test_claiming_by_name(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"x\n", "a.md")
        pit.publish(b"x\n", "b.md")
        assert pit.claim_name(life, "b").name == "b.md"
        with pytest.raises(NotFound):
            pit.claim_name(life, "b.md")

    # --- lives

    def test_a_name_is_held_by_one_life(self, pit: PitStore, life: Life) -> None:
        with pytest.raises(WorkerNameTaken):
            pit.open_worker("w1", end_life=nothing_runs)
        life.close()
        again = pit.open_worker("w1", end_life=nothing_runs)
        assert again.generation != life.generation

    def test_another_generation_is_not_adopted(self, pit: PitStore, life: Life) -> None:
        assert pit.adopt("w1", life.generation).generation == life.generation
        with pytest.raises(ClaimLost):
            pit.adopt("w1", "0" * 16)
        with pytest.raises(ClaimLost):
            pit.adopt("nobody", life.generation)

    # --- ends

    def test_complete_keeps_the_task_and_adds_the_result(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        settled = pit.complete(self.take(pit, life), life, "twelve")
        assert (settled.name, settled.state, settled.late) == ("a.md", State.DONE, False)
        text = self.text(pit, "a.md")
        assert text.startswith("count\n")
        assert result_of(text.encode()) == "twelve"

    def test_a_second_end_is_refused_to_a_verb(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        self.take(pit, life)
        acting = pit.adopt("w1", life.generation)
        claim = pit.claims_of(acting)[0]
        pit.complete(claim, acting, "twelve")
        with pytest.raises(ClaimLost):
            pit.complete(claim, acting, "thirteen")
        with pytest.raises(ClaimLost):
            pit.fail(claim, acting, "no")
        with pytest.raises(ClaimLost):
            pit.release(claim, acting)
        assert result_of(pit.read(pit.locate("a.md")[0])) == "twelve"

    def test_an_old_life_cannot_end_the_claim_of_a_new_one(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        old = self.take(pit, life)
        acting = pit.adopt("w1", life.generation)
        stale = pit.claims_of(acting)[0]
        life.close()
        pit.recover(nothing_runs)
        new_life = pit.open_worker("w1", end_life=nothing_runs)
        new = self.take(pit, new_life)
        assert new.attempt == 2
        with pytest.raises(ClaimLost):
            pit.complete(stale, acting, "from the grave")
        assert self.place(pit, "a.md") is State.CLAIMED
        assert pit.complete(new, new_life, "twelve").state is State.DONE
        assert old.generation != new.generation

    def test_a_failure_counts_and_tells_its_story(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"---\nattempts: 2\n---\ncount\n", "a.md")
        assert pit.fail(self.take(pit, life), life, "an egg broke", delay_s=0).attempt == 1
        claim = self.take(pit, life)
        assert (claim.attempt, claim.task.reason) == (2, "an egg broke")
        settled = pit.fail(claim, life, "another broke", delay_s=0)
        assert (settled.state, settled.attempt) == (State.DEAD, 2)
        text = self.text(pit, "a.md")
        assert text.index("## Attempt 1") < text.index("an egg broke", text.index("## Attempt 1"))
        assert "## Attempt 2" in text

    def test_an_uncounted_failure_never_kills(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"---\nattempts: 1\n---\ncount\n", "a.md")
        for _ in range(3):
            settled = pit.fail(self.take(pit, life), life, "limit", counted=False, delay_s=0)
            assert (settled.state, settled.attempt) == (State.QUEUED, 0)

    def test_a_failure_can_be_final(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        assert pit.fail(self.take(pit, life), life, "no", dead=True).state is State.DEAD

    def test_a_delay_is_waited_for(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        pit.fail(self.take(pit, life), life, "later", delay_s=3600)
        pit.wait(life, 0.2)
        assert pit.claim(life, WORKER) is None
        assert "waits until" in wait_for(lambda: self._held(pit, life, "a.md"), what="the reason")

    def test_a_release_leaves_no_trace(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        pit.release(self.take(pit, life), life)
        assert self.text(pit, "a.md") == "count\n"
        assert self.take(pit, life).attempt == 1

    # --- needs and split

    def _held(self, pit: PitStore, life: Life, name: str) -> str:
        pit.wait(life, 0.05)
        return pit.held().get(name, "")

    def test_a_need_is_waited_for(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"---\nneeds: [a]\npriority: 0\n---\nsecond\n", "b.md")
        wait_for(lambda: "a.md" in self._held(pit, life, "b.md"), what="b to be held")
        pit.publish(b"first\n", "a.md")
        first = self.take(pit, life)
        assert first.name == "a.md"
        assert pit.claim(life, WORKER) is None
        pit.complete(first, life, "done")
        assert self.take(pit, life).name == "b.md"

    def test_a_split_replaces_the_task_by_its_parts(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"both halves\n", "a.md")
        claim = self.take(pit, life)
        parts = [Part(name="p1.md", text=b"one\n"), Part(name="p2.md", text=b"two\n")]
        assert pit.split(claim, life, parts) == ("p1.md", "p2.md")
        assert {entry.name for entry in pit.entries(State.QUEUED)} == {"a.md", "p1.md", "p2.md"}
        names = set()
        for _ in range(2):
            part = self.take(pit, life)
            assert (part.task.parent, part.task.by) == ("a.md", "w1")
            names.add(part.name)
            pit.complete(part, life, "half")
        assert names == {"p1.md", "p2.md"}
        parent = self.take(pit, life)
        assert (parent.name, parent.task.parts) == ("a.md", ("p1.md", "p2.md"))

    @pytest.mark.parametrize(
        "parts",
        [
            [],
            [Part(name="p1.md", text=b"x"), Part(name="p1.md", text=b"y")],
            [Part(name="p1.md", text=b"---\nneeds: [a]\n---\nx")],
            [
                Part(name="p1.md", text=b"---\nneeds: [p2]\n---\nx"),
                Part(name="p2.md", text=b"---\nneeds: [p1]\n---\nx"),
            ],
            [Part(name="taken.md", text=b"x")],
        ],
        ids=["none", "same name", "needs its parent", "circle", "taken"],
    )
    def test_a_wrong_split_changes_nothing(
        self, pit: PitStore, life: Life, parts: list[Part]
    ) -> None:
        pit.publish(b"both halves\n", "a.md")
        pit.publish(b"---\nbig: true\n---\nx\n", "taken.md")
        claim = self.take(pit, life)
        with pytest.raises(StoreError):
            pit.split(claim, life, parts)
        assert self.place(pit, "a.md") is State.CLAIMED
        assert {entry.name for entry in pit.entries(State.QUEUED)} == {"taken.md"}

    # --- recovery and people

    def test_what_a_dead_life_held_comes_back_counted(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        self.take(pit, life)
        life.close()
        recovered = pit.recover(nothing_runs)
        assert recovered is not None
        assert [(item.name, item.worker, item.attempt) for item in recovered] == [("a.md", "w1", 1)]
        assert pit.recover(nothing_runs) == []
        assert self.place(pit, "a.md") is State.QUEUED

    def test_what_cannot_be_ended_keeps_its_claim(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        self.take(pit, life)
        life.close()
        assert pit.recover(lambda _: False) == []
        assert self.place(pit, "a.md") is State.CLAIMED

    def test_down_does_not_count(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        self.take(pit, life)
        life.close()
        pit.recover(nothing_runs, counted=False)
        assert self.text(pit, "a.md") == "count\n"

    def test_attempts_end_in_the_dead_letters(self, pit: PitStore) -> None:
        pit.publish(b"---\nattempts: 2\n---\nkiller\n", "a.md")
        for _ in range(2):
            life = pit.open_worker("w1", end_life=nothing_runs)
            self.take(pit, life)
            life.close()
            pit.recover(nothing_runs)
        assert self.place(pit, "a.md") is State.DEAD
        assert self.text(pit, "a.md").count("## Attempt") == 2

    def test_a_person_retries_and_cancels(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"count\n", "a.md")
        pit.fail(self.take(pit, life), life, "no", dead=True)
        assert pit.retry("a") == "a.md"
        assert self.take(pit, life).attempt == 1
        pit.publish(b"count\n", "b.md")
        assert pit.cancel("b", "not wanted") == "b.md"
        assert self.place(pit, "b.md") is State.DEAD
        with pytest.raises(NotFound):
            pit.cancel("b", "again")

    def test_code_of_an_agent_waits_for_a_person(self, pit: PitStore, life: Life) -> None:
        pit.publish(b"---\nby: w9\n---\n```bash run\ntrue\n```\n", "a.md")
        diet = Diet(species=frozenset({"script"}), worker="w1")
        wait_for(lambda: self._held(pit, life, "a.md"), what="a to be held")
        assert pit.claim(life, diet) is None
        pit.allow("a")
        assert self.take(pit, life, diet).name == "a.md"

    def test_pausing_is_seen_by_all(self, pit: PitStore) -> None:
        other = self.reopen(pit)
        pit.set_paused(True)
        assert other.paused
        other.set_paused(False)
        assert not pit.paused

    def test_waste_is_never_shared(self, pit: PitStore) -> None:
        first, second = pit.waste_dir("a.md", 1), pit.waste_dir("a.md", 1)
        assert first != second
        assert first.is_dir()
        assert second.is_dir()
