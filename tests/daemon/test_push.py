"""Proves push feeding in a real pane: three steps on disk, what a daemon that begins anew does with each."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.core.lifecycle import State
from snakepit.daemon.push import PushFeeder
from snakepit.pool import push, settle
from snakepit.pool.claim import claim_next
from snakepit.pool.fleet import Fleet, save_fleet
from snakepit.pool.push import Record, Step
from tests.support.panes import Scene, scene
from tests.support.tmux import tmux
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(40)]


@pytest.fixture
def pane(tmp_path: Path) -> Iterator[Scene]:
    with scene(tmp_path, 'feed = "push"') as made:
        save_fleet(made.pit.config, Fleet(is_up=True, members=("snake-1",)))
        yield made.start()


def feed(pane: Scene, name: str = "x.md", text: bytes = b"# x\n") -> None:
    """Into food/, and admitted, as the daemon's keeper of the index does."""
    pane.pit.store.publish(text, name)
    keeper = pane.pit.store.keeper()
    assert keeper.acquire()
    wait_for(lambda: keeper.step(0.1), what="it to be admitted")
    keeper.close()


def feeder(pane: Scene) -> PushFeeder:
    return PushFeeder(pane.pit, pane.host, lambda worker, generation: True, quiet_s=0.0)


def places(pane: Scene, name: str = "x.md") -> list[State]:
    return [entry.state for entry in pane.pit.store.locate(name)]


def record(pane: Scene) -> Record:
    return push.load(pane.pit.config, "snake-1")


def attempts(pane: Scene) -> bytes:
    (entry,) = pane.pit.store.locate("x.md")
    return pane.pit.store.read(entry)


def generation(pane: Scene) -> str:
    (life,) = pane.pit.store.lives()
    return life.generation


def test_an_idle_one_is_told_of_a_claimed_copy(pane: Scene) -> None:
    feed(pane)
    feeder(pane).step(0.0)
    assert places(pane) == [State.CLAIMED]
    (prompt,) = pane.prompts()
    (copy,) = (pane.pit.config.pit_dir / "waste").rglob("task.md")
    assert f"Your task is x.md, attempt 1, claimed for you already. Read {copy}" in prompt
    assert copy.read_bytes() == b"# x\n"
    assert record(pane).step is Step.DELIVERED
    assert record(pane).mark in prompt


def test_nothing_is_claimed_while_a_line_stands_typed(pane: Scene) -> None:
    feed(pane)
    tmux(pane.host, "send-keys", "-t", "=snakepit-snake-1:", "-l", "a person's")
    wait_for(lambda: "a person's" in pane.screen(), what="the half line")
    feeder(pane).step(0.0)
    assert places(pane) == [State.QUEUED]
    assert pane.events("task.") == []


def test_the_next_one_comes_when_the_first_is_settled(pane: Scene) -> None:
    for name in ("x.md", "y.md"):
        feed(pane, name)
    feeding = feeder(pane)
    feeding.step(0.0)
    life = pane.pit.store.adopt("snake-1", generation(pane))
    (claim,) = pane.pit.store.claims_of(life)
    settle.complete(pane.pit, life, claim, "eaten")
    life.close()
    feeding.step(1.0)
    assert (places(pane), places(pane, "y.md")) == ([State.DONE], [State.CLAIMED])
    assert len(pane.prompts()) == 2


@pytest.mark.parametrize("step", [Step.CLAIMING, Step.CLAIMED])
def test_a_claim_without_a_receipt_goes_back_uncounted(step: Step, pane: Scene) -> None:
    """As a daemon that died after the claim, or before it was on record, left it."""
    feed(pane)
    life = pane.pit.store.adopt("snake-1", generation(pane))
    claim = claim_next(pane.pit, life, pane.agent.diet)
    assert claim is not None
    life.close()
    task = "x.md" if step is Step.CLAIMED else ""
    push.save(pane.pit.config, "snake-1", Record(step, generation(pane), task, 1))
    feeder(pane).step(0.0)
    assert pane.events("task.released") == ["task.released"]
    assert attempts(pane) == b"# x\n"
    assert pane.prompts() == []


def test_a_claim_with_a_receipt_is_asked_about(pane: Scene) -> None:
    feed(pane)
    feeder(pane).step(0.0)
    for daemon in range(2):
        begun = feeder(pane)
        begun.step(10.0)
        begun.step(11.0)
        assert len(pane.prompts()) == 2 + daemon
        assert "Your task x.md is still open" in pane.prompts()[-1]
    assert places(pane) == [State.CLAIMED]


def test_who_does_not_settle_is_reminded_once_and_then_chokes(pane: Scene) -> None:
    feed(pane)
    feeding = feeder(pane)
    for now in range(6):
        feeding.step(float(now))
    assert len(pane.prompts()) == 2
    assert places(pane) == [State.QUEUED]
    assert b"attempt: 1" in attempts(pane)
    assert pane.events("push.") == ["push.reminded"]


def test_its_own_claim_is_its_own_affair(pane: Scene) -> None:
    feed(pane)
    life = pane.pit.store.adopt("snake-1", generation(pane))
    assert claim_next(pane.pit, life, pane.agent.diet) is not None
    life.close()
    feeding = feeder(pane)
    for now in range(4):
        feeding.step(float(now))
    assert places(pane) == [State.CLAIMED]
    assert pane.prompts() == []


def test_a_run_over_its_time_is_given_up(pane: Scene) -> None:
    feed(pane, text=b"---\ntimeout: 1h\n---\n# x\n")
    feeding = feeder(pane)
    feeding.step(0.0)
    held = record(pane)
    push.save(pane.pit.config, "snake-1", held._replace(claimed_at=held.claimed_at - 3601))
    feeding.step(1.0)
    assert b"its time of 3600 s was over" in attempts(pane)
