from pathlib import Path

from snakepit.config.overrides import set_paused
from snakepit.pool.change import overrides_path
from snakepit.pool.fleet import Fleet, save_fleet
from snakepit.pool.gate import Gate, low_disk_path
from tests.support.pits import make_config


def test_open_by_default(tmp_path: Path) -> None:
    assert Gate(make_config(tmp_path), "snake-1").closed() == ""


def test_each_reason_closes_and_opens_it_again(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    gate, other = Gate(config, "snake-1"), Gate(config, "snake-2")
    set_paused(overrides_path(config), "snake-1", paused=True)
    assert "resume" in gate.closed()
    assert other.closed() == ""
    set_paused(overrides_path(config), paused=True)
    assert "resume" in other.closed()
    set_paused(overrides_path(config), paused=False)
    assert gate.closed() == other.closed() == ""
    low_disk_path(config).touch()
    assert "space" in gate.closed()
    low_disk_path(config).unlink()
    save_fleet(config, Fleet(is_up=True, members=("snake-1",), leaving=frozenset({"snake-1"})))
    assert "leaves" in gate.closed()
    assert other.closed() == ""
    save_fleet(config, Fleet(is_up=True, members=("snake-1",)))
    assert gate.closed() == ""
