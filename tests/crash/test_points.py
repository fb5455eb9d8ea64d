"""Kills every transition before every call that changes the disk, and recovery at every one of its own too."""

import itertools
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.crash.killing import killed_at
from tests.crash.scenes import SCENES, Scene, check, nothing_runs, open_it

STRIDE = 5  # for pairs of points; single points are all taken

FEWEST = {
    "publish": 30,
    "start": 26,
    "claim": 58,
    "complete": 70,
    "complete_by_verb": 92,
    "complete_linked": 73,
    "fail": 67,
    "bury": 67,
    "release": 60,
    "split": 68,
    "recover": 75,
    "down": 76,
    "retry": 32,
    "cancel": 31,
}


def recover_all(path: Path) -> None:
    pit = open_it(path)
    pit.recover(nothing_runs)
    pit.close()


def points_of(scene: Scene, root: Path) -> int:
    for point in itertools.count(1):
        path = root / f"{point}"
        scene.prepare(path)
        died = killed_at(point, partial(scene.act, path))
        recover_all(path)
        check(scene, path)
        shutil.rmtree(path)
        if not died:
            return point - 1
    raise AssertionError


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_death_at_any_point_loses_nothing_and_settles_once(
    scene: Scene, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    points = points_of(scene, tmp_path)
    record_property("points", points)
    assert points >= FEWEST[scene.name], "fewer points than before: is every call still seen?"


@pytest.mark.timeout(240)
@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_recovery_that_dies_is_finished_by_the_next(scene: Scene, tmp_path: Path) -> None:
    path, spare = tmp_path / "pit", tmp_path / "spare"
    for point in itertools.count(1, STRIDE):
        shutil.rmtree(path, ignore_errors=True)
        scene.prepare(path)
        died = killed_at(point, partial(scene.act, path))
        kill_every_recovery(scene, path, spare)
        if not died:
            break


def kill_every_recovery(scene: Scene, path: Path, spare: Path) -> None:
    for point in itertools.count(1, STRIDE):
        shutil.rmtree(spare, ignore_errors=True)
        shutil.copytree(path, spare, symlinks=True)
        killed = killed_at(point, partial(recover_all, spare))
        recover_all(spare)
        check(scene, spare)
        if not killed:
            return
