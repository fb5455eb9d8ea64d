import fcntl
import os
from pathlib import Path
from typing import NamedTuple

import pytest

from snakepit.errors import SnakepitError
from snakepit.pool.fleet import (
    Fleet,
    Resized,
    fleet_lock,
    fleet_path,
    load_fleet,
    resize,
    save_fleet,
    try_fleet_lock,
)
from tests.support.pits import make_config


def test_the_record_survives(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    assert load_fleet(config) == Fleet()
    fleet = Fleet(
        is_up=True, members=("a", "b-1"), leaving=frozenset({"b-1"}), stale=frozenset({"a"})
    )
    save_fleet(config, fleet)
    assert load_fleet(config) == fleet
    assert fleet_path(config).stat().st_mode & 0o777 == 0o600
    assert load_fleet(config).without("b-1") == Fleet(
        is_up=True, members=("a",), stale=frozenset({"a"})
    )


def test_a_damaged_record_is_a_fleet_that_is_down(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    save_fleet(config, Fleet(is_up=True, members=("a",)))
    fleet_path(config).write_text('{"up": true, "members": 7', encoding="utf-8")
    assert load_fleet(config) == Fleet()


def test_one_holder_at_a_time(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    with fleet_lock(config):
        with try_fleet_lock(config) as got:
            assert not got
        with pytest.raises(SnakepitError, match=r"fleet\.lock"), fleet_lock(config, seconds=0.05):
            raise AssertionError
    with try_fleet_lock(config) as got:
        assert got


def test_the_lock_is_not_passed_on(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    with fleet_lock(config):
        path = config.pit_dir / ".pit" / "fleet.lock"
        fd = os.open(path, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(fd, fcntl.LOCK_SH | fcntl.LOCK_NB)
        os.close(fd)


class Case(NamedTuple):
    test_id: str
    members: str
    wanted: int
    busy: str
    start: str = ""
    end: str = ""
    leave: str = ""


CASES = (
    Case("grow", "s-1 s-2", 4, "", start="s-3 s-4"),
    Case("fill_holes", "s-1 s-4", 3, "", start="s-2"),
    Case("same", "s-1 s-2", 2, "s-1"),
    Case("idle_highest_first", "s-1 s-2 s-3", 1, "", end="s-3 s-2"),
    Case("busy_last", "s-1 s-2 s-3", 1, "s-3", end="s-2 s-1"),
    Case("all_busy", "s-1 s-2 s-3", 2, "s-1 s-2 s-3", leave="s-3"),
    Case("some_busy", "s-1 s-2 s-3", 1, "s-1 s-3", end="s-2", leave="s-3"),
    Case("to_nothing", "s-1 s-2", 0, "s-1", end="s-2", leave="s-1"),
    Case("others_stay", "s-1 t-1 t-2 keeper", 0, "", end="s-1"),
    Case("ten_is_more_than_nine", "s-9 s-10", 1, "", end="s-10"),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.test_id)
def test_resize(case: Case) -> None:
    assert resize("s", case.members.split(), case.wanted, case.busy.split()) == Resized(
        start=tuple(case.start.split()),
        end=tuple(case.end.split()),
        leave=tuple(case.leave.split()),
    )
