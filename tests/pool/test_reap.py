"""What the journal says of lives that are over."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.pool.context import Pit, opened
from snakepit.pool.reap import reap
from tests.support.pits import make_config


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    with opened(make_config(tmp_path)) as pit:
        yield pit


def end_a_life(pit: Pit, worker: str, *, in_order: bool) -> str:
    life = pit.store.open_worker(worker)
    if in_order:
        pit.journal.append("worker.stopped", worker=worker, generation=life.generation)
    life.close()
    return life.generation


def test_a_life_has_one_end(pit: Pit) -> None:
    stopped = end_a_life(pit, "snake-1", in_order=True)
    died = end_a_life(pit, "snake-2", in_order=False)
    reap(pit)
    told = [(event.type, event.data["generation"]) for event in pit.journal.read()]
    assert told == [("worker.stopped", stopped), ("worker.died", died)]
    assert not pit.store.lives()
