import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from snakepit.pool.clean import DAY_S, Cleaned, Leavings, clean, surplus
from snakepit.pool.context import Pit, opened
from tests.support.pits import make_config

NOW = 1_800_000_000.0


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    with opened(make_config(tmp_path)) as pit:
        yield pit


def leave(pit: Pit, task: str, attempt: int, *, days: float, size: int = 4096) -> Path:
    folder = pit.config.pit_dir / "waste" / task / str(attempt)
    folder.mkdir(parents=True)
    (folder / "stdout").write_bytes(b"x" * size)
    at = NOW - days * DAY_S
    os.utime(folder / "stdout", (at, at))
    os.utime(folder, (at, at))
    return folder


def test_old_waste_goes_and_the_rest_stays(pit: Pit) -> None:
    old, young = leave(pit, "a", 1, days=15), leave(pit, "a", 2, days=13)
    gone = leave(pit, "b", 1, days=100)
    cleaned = clean(pit, NOW)
    assert set(cleaned.removed) == {old, gone}
    assert young.is_dir()
    assert not gone.parent.exists()
    assert cleaned.freed_bytes >= 8192
    assert [event.type for event in pit.journal.read()] == ["store.cleaned"]


def test_twice_is_once(pit: Pit) -> None:
    leave(pit, "a", 1, days=15)
    clean(pit, NOW)
    assert clean(pit, NOW) == Cleaned(kept_bytes=0)
    assert len(list(pit.journal.read())) == 1


def test_a_dry_run_removes_nothing(pit: Pit) -> None:
    old = leave(pit, "a", 1, days=15)
    assert clean(pit, NOW, dry_run=True).removed == (old,)
    assert old.is_dir()


def test_no_link_is_followed(pit: Pit, tmp_path: Path) -> None:
    treasure = tmp_path / "treasure"
    treasure.mkdir()
    (treasure / "gold").write_text("gold", encoding="utf-8")
    old = leave(pit, "a", 1, days=15)
    (old / "inside").symlink_to(treasure)
    os.utime(old, (NOW - 20 * DAY_S,) * 2)
    for link in (old.parent / "2", pit.config.pit_dir / "waste" / "task"):
        link.symlink_to(treasure)
        os.utime(link, (NOW - 20 * DAY_S,) * 2, follow_symlinks=False)
    os.utime(old / "inside", (NOW - 20 * DAY_S,) * 2, follow_symlinks=False)
    assert len(clean(pit, NOW).removed) == 3
    assert (treasure / "gold").read_text(encoding="utf-8") == "gold"
    assert list((pit.config.pit_dir / "waste").iterdir()) == []


def test_tasks_are_never_touched(pit: Pit) -> None:
    texts = {}
    for folder in ("food", "done", "scraps", "claimed/w"):
        path = pit.config.pit_dir / folder / "x.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(folder, encoding="utf-8")
        os.utime(path, (0, 0))
        texts[path] = folder
    kept = pit.config.pit_dir / "done" / "x"
    kept.mkdir()
    clean(pit, NOW)
    assert {path: path.read_text(encoding="utf-8") for path in texts} == texts
    assert kept.is_dir()


def test_the_waste_of_a_claimed_task_stays(pit: Pit) -> None:
    mine = leave(pit, "x", 1, days=100)
    claimed = pit.config.pit_dir / "claimed" / "w" / "x.md"
    claimed.parent.mkdir()
    claimed.write_text("x", encoding="utf-8")
    assert clean(pit, NOW).removed == ()
    assert mine.is_dir()


def test_above_the_limit_the_oldest_go_first(pit: Pit) -> None:
    settings = pit.config.pit._replace(keep_waste_gb=20_000 / (1 << 30))
    small = replace(pit, config=pit.config._replace(pit=settings))
    folders = [leave(pit, f"t{days}", 1, days=days, size=8192) for days in (1, 3, 2)]
    cleaned = clean(small, NOW)
    assert cleaned.removed[0] == folders[1]
    assert folders[0].is_dir()
    assert cleaned.kept_bytes <= 20_000


def test_surplus_takes_no_more_than_needed() -> None:
    def one(name: str, at: float) -> Leavings:
        return Leavings(path=Path(name), task=name, at=at, size=10)

    items = [one("a", 1), one("b", 2), one("c", 3)]
    assert surplus(items, 30, oldest_at=0, most=20) == items[:1]
    assert surplus(items, 30, oldest_at=0, most=30) == []
    assert surplus(items, 30, oldest_at=3, most=30) == items[:2]


def test_records_that_a_death_left_unfinished_go(pit: Pit) -> None:
    state = pit.config.state_dir
    names = (".daemon.json.12ab34cd", ".daemon.json.young", "daemon.json")
    for name in names:
        (state / name).write_text("{")
        at = NOW - (60.0 if name.endswith("young") else 7200.0)
        os.utime(state / name, (at, at))
    assert clean(pit, NOW, dry_run=True) == Cleaned()
    assert (state / names[0]).exists()
    assert clean(pit, NOW) == Cleaned()
    assert [(state / name).exists() for name in names] == [False, True, True]
