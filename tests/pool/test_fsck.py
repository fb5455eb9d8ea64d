"""fsck: each broken invariant is found, and a pit that is only busy is not called broken."""

import os
from pathlib import Path

import pytest

from snakepit.pool import fsck
from snakepit.pool.context import Pit
from snakepit.pool.fsck import Violation
from tests.cli.pits import Box, make_box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return make_box(tmp_path)


def found(pit: Pit) -> list[tuple[str, str, str]]:
    return [(v.severity, v.rule, v.name) for v in fsck.examine(pit)]


def only(pit: Pit) -> Violation:
    (violation,) = fsck.examine(pit)
    return violation


def put(path: Path, text: str = "x\n") -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_an_empty_pit_is_good(box: Box) -> None:
    with box.opened() as pit:
        assert found(pit) == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("claimed/me", "done"),
        ("done", "scraps"),
        ("claimed/me", "scraps"),
        ("claimed/a", "claimed/b"),
    ],
)
def test_a_name_in_two_places(box: Box, first: str, second: str) -> None:
    with box.opened() as pit:
        for folder in (first, second):
            put(box.pit / folder / "x.md")
        violation = only(pit)
    assert (violation.severity, violation.rule) == ("problem", "one place")
    assert f"/{first}/x.md" in violation.what
    assert f"/{second}/x.md" in violation.what


def test_a_name_used_again_is_only_a_note_while_nothing_reads_food(box: Box) -> None:
    with box.opened() as pit:
        put(box.pit / "done" / "x.md")
        put(box.pit / "food" / "x.md")
        assert found(pit) == [("note", "name used again", "x.md")]
        life = pit.store.open_worker("snake-1")
        assert found(pit) == [("problem", "one place", "x.md")]
        life.close()


def test_a_file_in_claimed_itself(box: Box) -> None:
    with box.opened() as pit:
        put(box.pit / "claimed" / "x.md")
        assert found(pit) == [("problem", "no file in claimed/ itself", "x.md")]
        pit.store.recover(lambda _: True)
        assert found(pit) == []


def test_kept_files_without_their_task(box: Box) -> None:
    with box.opened() as pit:
        put(box.pit / "done" / "x" / "plot.svg")
        assert found(pit) == [("problem", "kept files have their task", "x")]
        put(box.pit / "done" / "x.md")
        assert found(pit) == []


def test_notes_beside_dead_letters_are_no_tasks(box: Box) -> None:
    with box.opened() as pit:
        put(box.pit / "done" / "x.md")
        put(box.pit / "scraps" / "x.md.why.md")
        put(box.pit / "scraps" / "x~late.md")
        assert found(pit) == []


def test_one_hand_is_one_place(box: Box) -> None:
    """Between writing `.out.done.x.md` and publishing it, the hand holds two files of one task."""
    with box.opened() as pit:
        hand = box.pit / ".pit" / "hand" / "0123"
        put(hand / "x.md")
        put(hand / ".out.done.x.md")
        put(hand / ".2.y.md")
        assert found(pit) == []
        put(box.pit / "done" / "y.md")
        assert found(pit) == [("problem", "one place", "y.md")]


@pytest.mark.parametrize(
    ("needs", "why"), [("nobody", "which is nowhere"), ("failed", "agents.py retry failed")]
)
def test_needs_that_cannot_be_met_are_notes(box: Box, needs: str, why: str) -> None:
    with box.opened() as pit:
        put(box.pit / "scraps" / "failed.md")
        put(box.pit / "food" / "x.md", f"---\nneeds: [{needs}]\n---\nx\n")
        violation = only(pit)
    assert (violation.severity, violation.rule) == ("note", "needs can be met")
    assert why in violation.what


def test_a_circle_of_needs(box: Box) -> None:
    with box.opened() as pit:
        put(box.pit / "food" / "a.md", "---\nneeds: [b]\n---\n")
        put(box.pit / "food" / "b.md", "---\nneeds: [a]\n---\n")
        violation = only(pit)
    assert "a.md -> b.md" in violation.what or "b.md -> a.md" in violation.what


def test_events_that_differ_from_the_folders(box: Box) -> None:
    box.fed("x", "one")
    os.rename(box.pit / "food" / "one.md", box.pit / "done" / "one.md")
    with box.opened() as pit:
        assert found(pit) == [("note", "events match folders", "one.md")]
        pit.journal.append("task.completed", task="one.md", observed=True)
        assert found(pit) == []


def test_a_half_done_split_of_a_dead_life(box: Box) -> None:
    box.fed("big", "big")
    with box.living() as (snake, life):
        snake.ok("claim")
        generation = life.generation
    hand = box.pit / "claimed" / "snake-1" / ".hand"
    (hand / ".split").mkdir()
    put(hand / ".split" / "part.md")
    with box.opened() as pit:
        rules = {violation.rule for violation in fsck.examine(pit)}
    assert rules == {"no half-done split"}
    assert generation


def test_what_moves_between_two_scans_is_not_reported(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    scans = iter(("done", "scraps"))
    real = fsck.scan

    def scan(root: str) -> fsck.Scan:
        folder = next(scans)
        put(box.pit / folder / "x.md")
        seen = real(root)
        (box.pit / folder / "x.md").unlink()
        return seen

    with box.opened() as pit:
        put(box.pit / "claimed" / "me" / "x.md")
        monkeypatch.setattr(fsck, "scan", scan)
        assert found(pit) == []


def test_a_pit_that_is_not_there_is_no_problem(box: Box) -> None:
    with box.opened() as pit:
        pass
    import shutil

    shutil.rmtree(box.pit)
    assert fsck.examine(pit) == []
