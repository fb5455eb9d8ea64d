"""Kills every transition inside the kernel's own entry of each system call that changes the disk."""

import itertools
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from tests.crash.scenes import SCENES, Scene, check
from tests.crash.test_points import recover_all
from tests.crash.tracing import killed_by_strace

pytestmark = [pytest.mark.needs("strace"), pytest.mark.timeout(240)]

# (calls, every how-manyth of them): opens and writes are many and mostly change nothing
CALLS = (
    ("rename", 1),
    ("renameat", 1),
    ("renameat2", 1),
    ("linkat", 1),
    ("unlinkat", 1),
    ("unlink", 1),
    ("fsync", 1),
    ("ftruncate", 1),
    ("openat", 5),
    ("write", 2),
)
FEWEST = {
    "publish": 9,
    "start": 6,
    "claim": 16,
    "complete": 20,
    "complete_by_verb": 23,
    "complete_linked": 21,
    "fail": 21,
    "bury": 21,
    "release": 17,
    "split": 30,
    "recover": 36,
    "down": 36,
    "retry": 11,
    "cancel": 10,
}


def points_of(scene: Scene, call: str, stride: int, root: Path) -> int:
    for number in itertools.count(1, stride):
        path = root / f"{call}-{number}"
        scene.prepare(path)
        died = killed_by_strace(call, number, partial(scene.act, path), root / "log")
        recover_all(path)
        check(scene, path)
        shutil.rmtree(path)
        if not died:
            return (number - 1) // stride
    raise AssertionError


@pytest.mark.parametrize("scene", SCENES, ids=lambda scene: scene.name)
def test_a_kill_inside_any_call_loses_nothing_and_settles_once(
    scene: Scene, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    points = sum(points_of(scene, call, stride, tmp_path) for call, stride in CALLS)
    record_property("points", points)
    assert points >= FEWEST[scene.name], "fewer points than before: is every call still seen?"
