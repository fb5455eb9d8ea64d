"""Owns what recovery tells of a split that a death cut short."""

from pathlib import Path

from snakepit.core.lifecycle import State
from snakepit.store import layout
from snakepit.store.base import LifeRecord
from tests.store.conftest import Bench

PARENT = b"---\nneeds: [p1]\nparts: [p1.md]\n---\n# Big\n"


def nothing_runs(_: LifeRecord) -> bool:
    return True


def a_committed_split(bench: Bench) -> Path:
    folder = bench.path / "claimed" / "w1" / layout.HAND / layout.SPLIT
    folder.mkdir()
    return folder


def test_a_split_that_was_committed_is_finished_and_told(bench: Bench) -> None:
    split = a_committed_split(bench)
    (split / "p1.md").write_bytes(b"# Half\n")
    (split / f"{layout.PARENT_PREFIX}x.md").write_bytes(PARENT)
    bench.life.close()
    (item,) = bench.pit.recover(nothing_runs) or []
    assert (item.state, item.name) == (State.QUEUED, "x.md")
    assert bench.names("food") == ["p1.md", "x.md"]


def test_a_split_of_which_all_is_out_names_no_task(bench: Bench) -> None:
    """Its splitter died before the last step, the removal of the empty folder."""
    split = a_committed_split(bench)
    bench.life.close()
    assert bench.pit.recover(nothing_runs) == []
    assert not split.exists()
