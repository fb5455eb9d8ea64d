from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.config.model import Agent
from snakepit.core.lifecycle import State
from snakepit.daemon.wake import WakeTimers
from snakepit.pool.context import Pit, opened
from snakepit.pool.deliver import Delivery, Outcome
from snakepit.pool.fleet import Fleet, save_fleet
from snakepit.pool.statefile import read_state, write_state
from snakepit.store.reader import read_task
from tests.support.fake_host import FakeHost
from tests.support.pits import make_config

CONFIG = """\
[[agent]]
name = "keeper"
backend = "demo"
wake = { interval = 1800, prompt_file = "survey.md" }

[[agent]]
name = "other"
backend = "demo"
"""


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    (tmp_path / "survey.md").write_text("Look at the scraps.\n", encoding="utf-8")
    with opened(make_config(tmp_path, CONFIG)) as pit:
        save_fleet(pit.config, Fleet(is_up=True, members=("keeper", "other")))
        yield pit


def host_with_sessions() -> FakeHost:
    host = FakeHost()
    for name in ("snakepit-keeper", "snakepit-other"):
        host.start(name, ["cli"], cwd=Path("/"))
    return host


def wake(pit: Pit, *, ago: float | None, outcome: Outcome = Outcome.DELIVERED) -> list[str]:
    """What was told, when the last wake was so many seconds ago."""
    told: list[str] = []

    def tell(agent: Agent, prompt: str) -> Delivery:
        told.append(f"{agent.name}: {prompt}")
        return Delivery(outcome)

    if ago is not None:
        write_state(pit.config.state_dir / "wakes" / "keeper.json", {"last": clock.wall() - ago})
    timers = WakeTimers(pit, host_with_sessions(), tell)
    timers.step(0.0)
    timers.step(1.0)
    return told


def test_the_first_sight_starts_the_interval(pit: Pit) -> None:
    assert wake(pit, ago=None) == []
    assert (pit.config.state_dir / "wakes" / "keeper.json").is_file()


def test_after_the_interval_once(pit: Pit) -> None:
    assert wake(pit, ago=1801) == ["keeper: Look at the scraps."]
    assert [event.data["prompt"] for event in pit.journal.read()] == ["survey.md"]


def test_one_that_could_not_be_told_is_told_soon_again(pit: Pit) -> None:
    assert wake(pit, ago=1801, outcome=Outcome.QUEUED) == ["keeper: Look at the scraps."]
    last = read_state(pit.config.state_dir / "wakes" / "keeper.json")["last"]
    assert isinstance(last, float)
    assert 1700 < clock.wall() - last < 1800
    assert list(pit.journal.read()) == []


def test_before_it_not(pit: Pit) -> None:
    assert wake(pit, ago=1700) == []


def test_a_clock_that_jumped_back_starts_it_anew(pit: Pit) -> None:
    assert wake(pit, ago=-100_000) == []
    assert wake(pit, ago=1801) != []


def test_who_holds_food_is_not_woken(pit: Pit) -> None:
    life = pit.store.open_worker("keeper")
    (pit.config.pit_dir / "claimed" / "keeper" / "x.md").write_bytes(b"x")
    assert wake(pit, ago=1801) == []
    life.close()


def test_a_missing_prompt_is_told(pit: Pit, tmp_path: Path) -> None:
    (tmp_path / "survey.md").unlink()
    assert wake(pit, ago=1801) == []
    assert [event.type for event in pit.journal.read()] == ["log.error"]


GROWN = """\
[[agent]]
name = "sweeper"
backend = "claude"
kind = "task"
species = "cleanup"
wake = { interval = "30m", prompt_file = "survey.md", grown = ["waste", "scraps"] }
"""


class Sweeping:
    """A daemon's timer for one snake that our worker drives; `later` is the next half hour."""

    def __init__(self, folder: Path, pit: Pit) -> None:
        self.pit = pit
        self.folder = folder
        self.host = FakeHost()
        self.host.start("snakepit-sweeper", ["worker"], cwd=Path("/"))
        save_fleet(pit.config, Fleet(is_up=True, members=("sweeper",)))
        self.timers = WakeTimers(pit, self.host)
        self.timers.step(0.0)

    def later(self) -> list[str]:
        path = self.pit.config.state_dir / "wakes" / "sweeper.json"
        write_state(path, {**read_state(path), "last": clock.wall() - 1801})
        self.timers.step(0.0)
        return [entry.name for entry in self.pit.store.entries(State.QUEUED)]

    def leave(self, name: str) -> None:
        (self.pit.config.pit_dir / "scraps" / name).write_text("no")


@pytest.fixture
def sweeping(tmp_path: Path) -> Iterator[Sweeping]:
    (tmp_path / "survey.md").write_text("Look at the scraps.\n", encoding="utf-8")
    with opened(make_config(tmp_path, GROWN)) as pit:
        yield Sweeping(tmp_path, pit)


def test_a_driven_snake_gets_a_task_when_something_grew_and_only_then(sweeping: Sweeping) -> None:
    assert sweeping.later() == []
    sweeping.leave("bad.md")
    (name,) = sweeping.later()
    (entry,) = sweeping.pit.store.locate(name)
    task = read_task(name, sweeping.pit.store.read(entry))
    assert (task.to, task.kind) == ("sweeper", "cleanup")
    assert sweeping.host.sessions["snakepit-sweeper"].keys == []
    assert sweeping.later() == [name]  # it waits still: no second one
    entry.path.unlink()
    assert sweeping.later() == []


def test_what_the_waking_left_itself_is_no_growth(sweeping: Sweeping) -> None:
    sweeping.leave("bad.md")
    (name,) = sweeping.later()
    (sweeping.pit.config.pit_dir / "food" / name).rename(
        sweeping.pit.config.pit_dir / "scraps" / name
    )
    (sweeping.pit.config.pit_dir / "waste" / Path(name).stem / "1").mkdir(parents=True)
    assert sweeping.later() == []
    sweeping.leave("worse.md")
    assert len(sweeping.later()) == 1


def test_what_went_away_is_no_growth(sweeping: Sweeping) -> None:
    sweeping.leave("bad.md")
    sweeping.leave("worse.md")
    (name,) = sweeping.later()
    (sweeping.pit.config.pit_dir / "food" / name).unlink()
    (sweeping.pit.config.pit_dir / "scraps" / "worse.md").unlink()
    assert sweeping.later() == []
