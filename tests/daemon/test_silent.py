import signal
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from snakepit.daemon.silent import SilentWatch
from snakepit.pool.claim import claim_next
from snakepit.pool.context import Pit, opened
from snakepit.pool.feed import feed_one
from snakepit.pool.settle import release
from snakepit.store.base import Claim, Life
from tests.support.pits import make_config

SCRIPT = b"```bash run\ntrue\n```\n"


@dataclass
class FakeSigns:
    stopped: bool = False
    children: bool = False
    cpu: float = 0.0

    def is_stopped(self, pid: int) -> bool:
        return self.stopped

    def has_children(self, pid: int) -> bool:
        return self.children

    def cpu_seconds(self, pid: int) -> float:
        return self.cpu


@dataclass
class Scene:
    pit: Pit
    life: Life
    claim: Claim
    signs: FakeSigns = field(default_factory=FakeSigns)
    sent: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.watch = SilentWatch(
            self.pit, signs=self.signs, send=self._send, silent_s=90, stopped_s=30, grace_s=10
        )

    def _send(self, pid: int, number: int) -> bool:
        assert pid == self.life.record.pid
        self.sent.append(number)
        return True

    def steps(self, start: int, end: int) -> list[int]:
        """A step each 5 s from start on, before end; the signals that were sent."""
        self.sent.clear()
        for now in range(start, end, 5):
            self.watch.step(float(now))
        return list(self.sent)

    def silences(self) -> list[object]:
        return [
            (event.worker, event.data["seconds"])
            for event in self.pit.journal.read()
            if event.type == "worker.silent"
        ]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(make_config(tmp_path)) as pit:
        feed_one(pit, "x.md", SCRIPT)
        keeper = pit.store.keeper()
        keeper.step(0)
        life = pit.store.open_worker("snake-1")
        claim = claim_next(pit, life, pit.config.agents[0].diet)
        assert claim is not None
        yield Scene(pit=pit, life=life, claim=claim)
        life.close()
        keeper.close()


def test_silent_for_long_enough_is_continued_then_ended_then_killed(scene: Scene) -> None:
    assert scene.steps(0, 90) == []
    assert scene.watch.workers == frozenset()
    assert scene.steps(90, 95) == [signal.SIGCONT, signal.SIGTERM]
    assert scene.watch.workers == {"snake-1"}
    assert scene.steps(95, 100) == []
    assert scene.steps(100, 105) == [signal.SIGKILL]
    assert scene.silences() == [("snake-1", 90)]


def test_cpu_is_a_sign_of_life(scene: Scene) -> None:
    for now in range(0, 1000, 50):
        scene.signs.cpu += 0.01
        assert scene.steps(now, now + 50) == []


def test_children_are_a_sign_of_life(scene: Scene) -> None:
    scene.signs.children = True
    assert scene.steps(0, 3600) == []


def test_a_stopped_one_has_less_time_and_its_children_do_not_count(scene: Scene) -> None:
    scene.signs.children = True
    assert scene.steps(0, 20) == []
    scene.signs.stopped = True
    assert scene.steps(20, 50) == []
    assert scene.steps(50, 55) == [signal.SIGCONT, signal.SIGTERM]


def test_who_is_continued_in_time_is_left_alone(scene: Scene) -> None:
    scene.signs.stopped = True
    assert scene.steps(0, 25) == []
    scene.signs.stopped = False
    assert scene.steps(25, 110) == []
    assert scene.silences() == []


def test_who_holds_nothing_may_be_silent_for_ever(scene: Scene) -> None:
    release(scene.pit, scene.life, scene.claim)
    scene.signs.stopped = True
    assert scene.steps(0, 3600) == []


def test_another_life_of_the_name_starts_anew(scene: Scene) -> None:
    scene.steps(0, 95)
    scene.life.close()
    scene.steps(95, 100)
    assert scene.watch.workers == frozenset()
