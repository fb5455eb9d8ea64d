"""Somebody replaces a folder of the pit under the processes that have it open."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from snakepit.errors import LifeLost
from snakepit.store import place
from tests.store.conftest import WORKER, Bench
from tests.support.wait import wait_for


def _remove(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _move_aside(folder: Path) -> None:
    folder.rename(folder.parent.parent / f"{folder.name}.old")
    folder.mkdir()


def _only_remove(folder: Path) -> None:
    shutil.rmtree(folder)


REPLACE = pytest.mark.parametrize("replace", [_remove, _move_aside, _only_remove])


@pytest.fixture(autouse=True)
def always_look(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(place, "LOOK_S", 0.01)


@pytest.fixture
def alone(bench: Bench) -> Bench:
    """A worker that keeps the index itself, since nobody else does."""
    bench.keeper.retire()
    bench.pit.place = place.Place(bench.pit.folders, queue_opened=bench.pit._claiming.forget_keeper)
    bench.pit.wait(bench.life, 0.01)
    return bench


@REPLACE
def test_food_in_a_new_folder_is_eaten(alone: Bench, replace: Callable[[Path], None]) -> None:
    food = alone.path / "food"
    replace(food)
    wait_for(lambda: alone.pit.wait(alone.life, 0.02) or food.exists(), what="the folder")
    alone.drop("x.md")

    def claimed() -> str:
        alone.pit.wait(alone.life, 0.05)
        claim = alone.pit.claim(alone.life, WORKER)
        return claim.name if claim else ""

    assert wait_for(claimed, 5, "a claim") == "x.md"


@REPLACE
@pytest.mark.parametrize("name", ["done", "scraps"])
def test_a_result_goes_into_the_new_folder(
    bench: Bench, name: str, replace: Callable[[Path], None]
) -> None:
    bench.drop("x.md")
    claim = bench.take()
    folder = bench.path / name
    replace(folder)

    def is_opened() -> bool:
        bench.pit.wait(bench.life, 0.02)
        return folder.exists()

    wait_for(is_opened, 5, "the folder")
    wait_for(lambda: not bench.pit.place.replaced() or bench.pit.wait(bench.life, 0.02), 5)
    if name == "done":
        bench.pit.complete(claim, bench.life, "eaten")
    else:
        bench.pit.fail(claim, bench.life, "no", dead=True)
    assert bench.names(name) == ["x.md"]


@REPLACE
@pytest.mark.parametrize("name", ["claimed", "claimed/w1", ".pit", ".pit/hand", ".pit/index"])
def test_a_life_ends_where_only_a_new_one_can_go_on(
    bench: Bench, name: str, replace: Callable[[Path], None]
) -> None:
    replace(bench.path / name)

    def is_lost() -> bool:
        try:
            bench.pit.wait(bench.life, 0.02)
        except LifeLost as error:
            return name in str(error)
        return False

    wait_for(is_lost, 5, "LifeLost")


def test_a_folder_that_is_moved_and_put_back_is_the_same(bench: Bench) -> None:
    food = bench.path / "food"
    food.rename(bench.path / "aside")
    assert bench.pit.place.replaced() == []
    (bench.path / "aside").rename(food)
    assert bench.pit.place.replaced() == []
