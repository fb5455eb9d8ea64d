import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.core.events import Event
from snakepit.core.lifecycle import State
from snakepit.pool.claim import claim_next
from snakepit.pool.context import Pit, opened
from snakepit.pool.feed import feed_one
from snakepit.pool.observe import UNTOLD_S, Observer, Told
from snakepit.pool.settle import complete, release
from snakepit.store.reader import read_task
from tests.support.pits import make_config

SCRIPT = b"```bash run\ntrue\n```\n"


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    with opened(make_config(tmp_path)) as pit:
        yield pit


class Looks:
    """An observer that has always read the whole journal."""

    def __init__(self, pit: Pit, *, believe_old: bool = False) -> None:
        self._pit = pit
        self._since = 0
        self.observer = Observer(pit, believe_old=believe_old)

    def read(self) -> None:
        for event in self._pit.journal.read(self._since):
            self.observer.fold(event)
            self._since = event.seq or self._since

    def look(self) -> list[Event]:
        """What one look tells."""
        self.read()
        before = self._since
        self.observer.compare()
        return list(self._pit.journal.read(before))

    def twice(self) -> list[tuple[str, str | None, str | None]]:
        assert self.look() == []
        found = self.look()
        assert all(event.data["observed"] is True for event in found)
        return [(event.type, event.task, event.worker) for event in found]


def place(pit: Pit, folder: str, name: str = "x.md") -> Path:
    path = pit.config.pit_dir / folder / name
    path.parent.mkdir(exist_ok=True)
    return path


def test_what_was_told_is_not_told_again(pit: Pit) -> None:
    keeper = pit.store.keeper()
    life = pit.store.open_worker("snake-1")
    looks = Looks(pit)
    for name in ("a.md", "b.md"):
        feed_one(pit, name, SCRIPT)
    keeper.step(0)
    agent = pit.config.agents[0]
    claim = claim_next(pit, life, agent.diet)
    assert claim is not None
    assert looks.twice() == []
    complete(pit, life, claim, "fine")
    assert looks.twice() == []
    claim = claim_next(pit, life, agent.diet)
    assert claim is not None
    release(pit, life, claim)
    assert looks.twice() == []
    life.close()
    keeper.close()


def test_raw_moves_are_told_once(pit: Pit) -> None:
    looks = Looks(pit)
    feed_one(pit, "x.md", SCRIPT)
    for step, expected in (
        ("claimed/me", ("task.claimed", "x.md", "me")),
        ("done", ("task.completed", "x.md", "me")),
        ("claimed/you", ("task.claimed", "x.md", "you")),
        ("food", ("task.released", "x.md", "you")),
        ("scraps", ("task.dead", "x.md", None)),
    ):
        source = next(pit.config.pit_dir.glob("[!w]*/**/x.md"))
        os.rename(source, place(pit, step))
        assert looks.twice() == [expected]
        assert looks.twice() == []


def test_one_look_is_not_enough(pit: Pit) -> None:
    """Whoever moves a file tells it a moment later."""
    looks = Looks(pit)
    feed_one(pit, "x.md", SCRIPT)
    os.rename(place(pit, "food"), place(pit, "done"))
    assert looks.look() == []
    pit.journal.append("task.completed", task="x.md", worker="w")
    assert looks.look() == []
    assert looks.look() == []


def test_reports_that_come_late_are_not_believed(pit: Pit) -> None:
    looks = Looks(pit)
    place(pit, "claimed/b").write_bytes(SCRIPT)
    pit.journal.append("task.claimed", task="x.md", worker="a", generation="1")
    pit.journal.append("task.claimed", task="x.md", worker="b", generation="2")
    pit.journal.append("task.recovered", task="x.md", worker="a", generation="1", state="queued")
    pit.journal.append("task.failed", task="x.md", worker="a", generation="1")
    pit.journal.append("task.queued", task="x.md")
    assert looks.twice() == []


def test_a_recovery_that_tells_after_the_next_life_is_done_is_not_believed(pit: Pit) -> None:
    looks = Looks(pit)
    place(pit, "done").write_bytes(SCRIPT)
    pit.journal.append("task.claimed", task="x.md", worker="a", generation="1")
    pit.journal.append("task.claimed", task="x.md", worker="b", generation="2")
    pit.journal.append("task.completed", task="x.md", worker="b", generation="2")
    pit.journal.append("task.recovered", task="x.md", worker="a", generation="1", state="queued")
    assert looks.twice() == []


def test_what_lies_in_a_hand_is_on_its_way(pit: Pit) -> None:
    looks = Looks(pit)
    feed_one(pit, "x.md", SCRIPT)
    os.rename(place(pit, "food"), place(pit, "claimed/w"))
    place(pit, "claimed/w/.hand").write_bytes(SCRIPT)
    assert looks.twice() == []


def test_without_the_beginning_of_the_journal_old_ends_are_believed(pit: Pit) -> None:
    for folder in ("done", "scraps"):
        place(pit, folder, f"{folder}.md").write_bytes(SCRIPT)
    assert Looks(pit, believe_old=True).twice() == []
    assert len(Looks(pit).twice()) == 2


def test_notes_and_late_results_are_no_tasks(pit: Pit) -> None:
    for name in ("x.why.md", "x~late.md", ".x.md", "x.draft.md", "x.txt"):
        place(pit, "scraps", name).write_bytes(b"x")
    assert Looks(pit).twice() == []


def test_a_dropped_file_is_told_as_it_was_read(pit: Pit) -> None:
    looks = Looks(pit)
    text = b"---\npriority: 2\n---\n# Title\n"
    looks.observer.arrived("x.md", read_task("x.md", text), 10.0)
    looks.observer.tell_arrivals(10.0 + UNTOLD_S / 2)
    assert list(pit.journal.read()) == []
    looks.observer.tell_arrivals(10.0 + UNTOLD_S)
    looks.observer.tell_arrivals(20.0)
    (event,) = pit.journal.read()
    assert (event.type, event.task, event.data["priority"]) == ("task.queued", "x.md", 2)
    assert event.data["title"] == "Title"


def test_what_a_verb_has_fed_is_told_by_the_verb_alone(pit: Pit) -> None:
    looks = Looks(pit)
    looks.observer.arrived("x.md", None, 10.0)
    feed_one(pit, "x.md", SCRIPT)
    looks.read()
    looks.observer.tell_arrivals(20.0)
    assert len(list(pit.journal.read())) == 1


def told(kind: str, **data: object) -> Event:
    return Event(seq=None, id="", ts="", type=kind, task="x.md", worker="w", data=data)


def test_a_feeder_that_tells_after_the_end_changes_nothing() -> None:
    """A fast task is done before the verb that fed it has written its line."""
    journal = Told()
    states = []
    for kind in ("task.claimed", "task.completed", "task.queued", "task.queued"):
        journal.fold(told(kind))
        states.append(journal.places["x.md"].state)
    assert states == [State.CLAIMED, State.DONE, State.DONE, State.QUEUED]


def test_an_arrival_told_by_its_feeder_is_not_told_again_after_its_end(pit: Pit) -> None:
    observer = Observer(pit)
    task = read_task("x.md", SCRIPT)
    observer.fold(told("task.claimed"))
    observer.arrived("x.md", task, 0.0)
    observer.fold(told("task.queued"))
    observer.fold(told("task.completed"))
    assert observer.tell_arrivals(UNTOLD_S + 1) == 0
    observer.fold(told("task.queued"))
    observer.fold(told("task.completed"))
    observer.arrived("x.md", task, 2.0)
    assert observer.tell_arrivals(UNTOLD_S + 4) == 0
    observer.arrived("x.md", task, 5.0)
    place(pit, "food").write_bytes(SCRIPT)
    assert observer.tell_arrivals(UNTOLD_S + 6) == 1, "the name is used again"


def test_a_hold_that_is_told_after_the_end_changes_nothing(pit: Pit) -> None:
    """A keeper tells what it has found after its step; the task may be done by then."""
    place(pit, "done").write_bytes(SCRIPT)
    observer = Observer(pit)
    for event in (
        told("task.claimed", generation="g1"),
        told("task.completed", generation="g1"),
        told("task.held", reason="needs y.md"),
    ):
        observer.fold(event)
    assert [observer.compare(), observer.compare()] == [0, 0]


def test_a_hold_of_a_file_that_was_moved_back_is_believed() -> None:
    states = []
    for waits in (True, False):
        journal = Told(waits=lambda _, waits=waits: waits)  # type: ignore[misc]
        for kind in ("task.dead", "task.held"):
            journal.fold(told(kind, reason="needs y.md"))
        states.append(journal.places["x.md"].state)
    assert states == [State.QUEUED, State.DEAD]
