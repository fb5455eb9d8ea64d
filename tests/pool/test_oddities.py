"""What status and fsck tell though it breaks no rule."""

import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.pool import oddities, status
from tests.cli.pits import Box, make_box

HOLD = """
import sys, pathlib
from snakepit.store.files import open_pit
pit = open_pit(pathlib.Path(sys.argv[1]))
life = pit.open_worker("chef")
print("ready", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Box:
    monkeypatch.setattr(oddities, "SOON_S", -1.0)
    return make_box(tmp_path)


@pytest.fixture
def idle(box: Box) -> Iterator[Box]:
    """A pit with a worker of another process that does nothing at all."""
    argv = [sys.executable, "-c", HOLD, str(box.pit)]
    with subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "ready\n"
        yield box
        holder.send_signal(signal.SIGKILL)


def notes(box: Box) -> list[str]:
    with box.opened() as pit:
        return list(status.view(pit.config).notes)


def test_an_idle_worker_is_not_odd(idle: Box) -> None:
    assert notes(idle) == []
    assert "each task is in exactly one place" in idle.ok("fsck")


def test_a_process_in_a_replaced_folder_is_told(idle: Box) -> None:
    (idle.pit / "food").rename(idle.root / "aside")
    (idle.pit / "food").mkdir()
    (note,) = notes(idle)
    assert "chef" in note
    assert "another food/" in note
    assert "one folder for all: chef" in idle.ok("fsck")


def test_a_file_that_was_moved_to_an_idle_worker_is_told(idle: Box) -> None:
    idle.fed("cook it", "meal")
    (idle.pit / "food" / "meal.md").rename(idle.pit / "claimed" / "chef" / "meal.md")
    (note,) = notes(idle)
    assert "meal.md was put into claimed/chef/ by hand" in note
    assert f"mv -n {idle.pit}/claimed/chef/meal.md {idle.pit}/food/" in note
    assert "claims are worked on: meal.md" in idle.run("fsck").stdout


def test_what_is_claimed_or_run_is_not_odd(box: Box) -> None:
    box.fed("cook it", "claimed")
    box.fed("cook that", "run")
    with box.living("snake-1") as (snake, _):
        snake.ok("claim", "claimed")
        (box.pit / "food" / "run.md").rename(box.pit / "claimed" / "snake-1" / "run.md")
        assert len(notes(box)) == 1
        (box.pit / "waste" / "run" / "1").mkdir(parents=True)
        assert notes(box) == []
