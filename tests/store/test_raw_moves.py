"""Moves tasks by hand with mv(1), as people and agents do: each is a legal step, and none is undone."""

import os
import subprocess
from pathlib import Path

import pytest

from snakepit.core.lifecycle import State
from snakepit.core.result import result_of
from snakepit.errors import ClaimLost
from snakepit.store import layout
from snakepit.store.base import LifeRecord, Verdict
from tests.store.conftest import WORKER, Bench


def nothing_runs(_: LifeRecord) -> bool:
    return True


def mv(source: Path, target: Path) -> bool:
    """`mv -n`, with the slash; True when the source is gone."""
    subprocess.run(["mv", "-n", str(source), f"{target}/"], check=True)
    return not source.exists()


def test_a_claim_by_hand_is_the_workers_next_task(bench: Bench) -> None:
    path = bench.drop("x.md")
    assert mv(path, bench.path / "claimed" / "w1")
    (claim,) = bench.pit.claims_of(bench.life)
    assert bench.pit.complete(claim, bench.life, "twelve").state is State.DONE


@pytest.mark.parametrize(
    ("folder", "state"),
    [("done", State.DONE), ("food", State.QUEUED), ("scraps", State.DEAD)],
)
def test_an_end_by_hand_is_seen_and_not_repeated(bench: Bench, folder: str, state: State) -> None:
    bench.drop("x.md")
    claim = bench.take("x.md")
    assert mv(bench.path / "claimed" / "w1" / "x.md", bench.path / folder)
    settled = bench.pit.complete(claim, bench.life, "twelve")
    assert (settled.by_hand, settled.state, settled.late) == (True, state, False)
    assert bench.names("scraps") == (["x.md"] if folder == "scraps" else [])


def test_an_edited_file_that_was_moved_by_hand_is_seen_by_its_time(bench: Bench) -> None:
    bench.drop("x.md")
    claim = bench.take("x.md")
    held = bench.path / "claimed" / "w1" / "x.md"
    held.unlink()
    held.write_text("count the eggs\n\ntwelve, said the agent\n")
    assert mv(held, bench.path / "done")
    assert bench.pit.complete(claim, bench.life, "twelve").by_hand


def test_a_result_whose_claim_is_gone_is_kept_as_late(bench: Bench) -> None:
    bench.drop("x.md")
    claim = bench.take("x.md")
    (bench.path / "claimed" / "w1" / "x.md").unlink()
    settled = bench.pit.complete(claim, bench.life, "twelve")
    assert (settled.late, settled.name) == (True, "x~late.md")
    text = (bench.path / "scraps" / "x~late.md").read_bytes()
    assert result_of(text) == "twelve"
    assert list(bench.pit.entries(State.DEAD)) == []
    with pytest.raises(ClaimLost):
        bench.pit.release(claim, bench.life)


def test_a_file_written_again_after_its_end_is_no_new_task(bench: Bench) -> None:
    bench.drop("x.md")
    bench.pit.complete(bench.take("x.md"), bench.life, "twelve")
    (bench.path / "claimed" / "w1" / "x.md").write_text("saved once more by an editor\n")
    bench.life.close()
    (item,) = bench.pit.recover(nothing_runs) or []
    assert (item.state, item.name) == (State.DEAD, "x~late.md")
    assert bench.names("food") == []


def test_a_result_that_was_taken_away_frees_the_name(bench: Bench) -> None:
    bench.drop("x.md")
    bench.pit.complete(bench.take("x.md"), bench.life, "twelve")
    (bench.path / "done" / "x.md").unlink()
    (bench.path / "claimed" / "w1" / "x.md").write_text("a new task of that name\n")
    bench.life.close()
    (item,) = bench.pit.recover(nothing_runs) or []
    assert item.state is State.QUEUED


def test_a_file_in_claimed_itself_waits_again(bench: Bench) -> None:
    path = bench.drop("x.md")
    path.rename(bench.path / "claimed" / "nobody")
    bench.pit.recover(nothing_runs)
    assert bench.names("food") == ["nobody.md"]
    assert bench.take("nobody.md")


def test_a_folder_held_by_a_person_is_never_reaped(bench: Bench) -> None:
    mine = bench.path / "claimed" / "me"
    mine.mkdir()
    assert mv(bench.drop("x.md"), mine)
    assert bench.pit.recover(nothing_runs) == []
    assert (mine / "x.md").exists()
    by_hand = [record for record in bench.pit.lives() if record.verdict is Verdict.BY_HAND]
    assert [record.worker for record in by_hand] == ["me"]
    life = bench.pit.open_worker("me", end_life=nothing_runs)
    assert bench.names("food") == ["x.md"]
    life.close()


def test_a_claimed_file_with_another_name_elsewhere_is_copied_first(bench: Bench) -> None:
    path = bench.drop("x.md")
    os.link(path, bench.path.parent / "mine.md")
    bench.pit.complete(bench.take("x.md"), bench.life, "twelve")
    assert (bench.path.parent / "mine.md").read_text() == "count the eggs\n"
    assert "twelve" in (bench.path / "done" / "x.md").read_text()


def test_strange_things_in_a_dead_workers_folder_are_put_aside(bench: Bench) -> None:
    work = bench.path / "claimed" / "w1"
    (work / "notes").mkdir()
    (work / "notes" / "kept").write_text("kept")
    os.symlink("/etc/passwd", work / "link.md")
    bench.life.close()
    assert bench.pit.recover(nothing_runs) is not None
    assert not work.exists()
    things = sorted((bench.path / ".pit" / "refused").iterdir(), key=lambda p: p.is_symlink())
    assert [(things[0] / "kept").read_text(), things[1].is_symlink()] == ["kept", True]


def test_a_path_where_a_descriptor_belongs_settles_another_lifes_claim(bench: Bench) -> None:
    """The old life of a name acts late: by path it would end the new life's claim, by descriptor it cannot."""
    bench.drop("x.md")
    old = bench.take("x.md")
    acting = bench.pit.adopt("w1", bench.life.generation)
    stale = bench.pit.claims_of(acting)[0]
    bench.life.close()
    bench.pit.recover(nothing_runs)
    bench.life = bench.pit.open_worker("w1", end_life=nothing_runs)
    new = bench.take("x.md")
    assert new.generation != old.generation

    with pytest.raises(ClaimLost):
        bench.pit.complete(stale, acting, "from the grave")
    assert (bench.path / "claimed" / "w1" / "x.md").exists()

    by_path = bench.path / layout.FOLDER[State.CLAIMED] / "w1"
    os.rename(by_path / "x.md", bench.path / "done" / "x.md")  # what a path would have done
    assert bench.pit.complete(new, bench.life, "mine").by_hand


def test_the_next_life_waits_until_nothing_of_the_last_one_runs(bench: Bench) -> None:
    bench.drop("x.md")
    bench.take("x.md")
    bench.life.close()
    asked: list[str] = []

    def still_runs(record: LifeRecord) -> bool:
        asked.append(record.generation)
        return False

    assert bench.pit.recover(still_runs) == []
    assert asked == [bench.life.generation]
    assert bench.pit.claim(bench.pit.open_worker("w2"), WORKER) is None
