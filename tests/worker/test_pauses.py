"""Proves when a worker takes no new task, and that it says why."""

import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from snakepit.config.overrides import set_paused
from snakepit.pool.fleet import Fleet, save_fleet
from snakepit.pool.gate import low_disk_path
from snakepit.worker.pauses import LEAST_FREE, Pauses
from tests.support.workers import Kitchen, kitchen


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Kitchen]:
    with kitchen(tmp_path) as made:
        yield made


@pytest.fixture
def pauses(box: Kitchen) -> Pauses:
    return Pauses(box.config, "cook")


def test_nothing_hinders(pauses: Pauses) -> None:
    assert pauses.reason() == ""


@pytest.mark.parametrize("name", ["cook", "*"])
def test_a_pause_counts_until_it_is_taken_back(box: Kitchen, pauses: Pauses, name: str) -> None:
    overrides = box.config.state_dir / "overrides.toml"
    set_paused(overrides, name, paused=True)
    assert "paused" in pauses.reason()
    set_paused(overrides, name, paused=False)
    assert pauses.reason() == ""


def test_a_removed_file_of_overrides_pauses_nobody(box: Kitchen, pauses: Pauses) -> None:
    overrides = box.config.state_dir / "overrides.toml"
    set_paused(overrides, "cook", paused=True)
    assert pauses.reason()
    overrides.unlink()
    assert pauses.reason() == ""


def test_another_workers_pause_is_not_ours(box: Kitchen, pauses: Pauses) -> None:
    set_paused(box.config.state_dir / "overrides.toml", "second", paused=True)
    assert pauses.reason() == ""


@pytest.mark.parametrize(("free", "hinders"), [(LEAST_FREE, False), (LEAST_FREE - 1, True)])
def test_a_full_disk_hinders(
    pauses: Pauses, monkeypatch: pytest.MonkeyPatch, free: int, hinders: bool
) -> None:
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_bavail=free, f_frsize=1))
    assert ("free" in pauses.reason()) is hinders


def test_what_the_daemon_sees_counts_too(box: Kitchen, pauses: Pauses) -> None:
    low_disk_path(box.config).touch()
    assert pauses.reason()


def test_a_leaving_worker_takes_nothing_new(box: Kitchen, pauses: Pauses) -> None:
    save_fleet(box.config, Fleet(is_up=True, members=("cook",), leaving=frozenset({"cook"})))
    assert pauses.reason()
