"""Proves that what people told the pool survives kills, races and broken files."""

import multiprocessing
import os
import stat
import tomllib
from pathlib import Path

import pytest

from snakepit.config.overrides import Overrides, load_overrides, set_paused, set_scale


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "overrides.toml"


def test_nothing_told_is_nothing_changed(path: Path) -> None:
    assert load_overrides(path) == Overrides()
    assert not path.parent.exists()


def test_scale_and_pause_outlive_the_process_that_set_them(path: Path) -> None:
    set_scale(path, "snake", 5)
    set_paused(path, "keeper", paused=True)
    set_paused(path, paused=True)
    found = load_overrides(path)
    assert found.scale == {"snake": 5}
    assert found.paused == {"keeper", "*"}
    assert found.is_paused("anyone")
    assert tomllib.loads(path.read_text()) == {
        "scale": {"snake": 5},
        "paused": {"*": True, "keeper": True},
    }
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert sorted(os.listdir(path.parent)) == ["overrides.toml", "overrides.toml.lock"]


def test_what_was_told_can_be_taken_back(path: Path) -> None:
    set_scale(path, "snake", 5)
    set_paused(path, "a", paused=True)
    set_paused(path, "b", paused=True)
    assert set_paused(path, "a", paused=False).paused == {"b"}
    assert set_paused(path, paused=False).paused == frozenset()
    assert set_scale(path, "snake", None).scale == {}
    assert load_overrides(path) == Overrides()


@pytest.mark.parametrize(
    "text",
    [
        b"[scale\n",
        b"\xff",
        b"[scale]\nsnake = -1\n",
        b"[scale]\nsnake = true\n",
        b"scale = 3\n",
        b"[paused]\nsnake = 1\n",
        b"[other]\na = 1\n",
        b"a = " + b"[" * 100_000,
    ],
    ids=lambda text: str(text[:20]),
)
def test_a_broken_file_is_set_aside_and_said(text: bytes, path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(text)
    found = load_overrides(path)
    assert found.scale == {}
    assert "was broken" in found.problem
    assert (path.parent / "overrides.toml.broken").read_bytes() == text
    assert load_overrides(path) == Overrides()
    assert set_scale(path, "snake", 2).scale == {"snake": 2}


def test_a_file_that_cannot_be_read_is_said(path: Path) -> None:
    path.mkdir(parents=True)
    assert "cannot be read" in load_overrides(path).problem


def _scale_many(path: Path, pool: str) -> None:
    for number in range(20):
        set_scale(path, f"{pool}-{number}", number)


def test_writers_at_once_lose_nothing(path: Path) -> None:
    context = multiprocessing.get_context("spawn")
    writers = [context.Process(target=_scale_many, args=(path, pool)) for pool in ("a", "b", "c")]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join(30)
    assert [writer.exitcode for writer in writers] == [0, 0, 0]
    wanted = {f"{pool}-{number}": number for pool in "abc" for number in range(20)}
    assert load_overrides(path).scale == wanted
