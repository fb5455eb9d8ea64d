"""Stops, damages and removes the index: it is a hint, and claims go on without it."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snakepit.store.files import open_pit
from tests.store.conftest import WORKER, Bench
from tests.support.wait import wait_for

ROOT = Path(__file__).parents[2]
HOLDER = """
import sys
from pathlib import Path
from snakepit.store.index import Lock
from snakepit.store.files import open_pit
pit = open_pit(Path(sys.argv[1]))
lock = Lock(sys.argv[2], pit.folders.index)
print("held" if lock.acquire() else "busy", flush=True)
sys.stdin.read()
"""


@contextmanager
def held_by_a_stopped_process(path: Path, name: str) -> Iterator[None]:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(path), name],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert holder.stdout is not None
    assert holder.stdout.readline() == "held\n"
    holder.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        holder.kill()
        holder.communicate()


def test_a_stopped_holder_of_the_cursor_stops_nobody(bench: Bench) -> None:
    bench.drop("a.md")
    bench.told("queued", "a.md")
    with held_by_a_stopped_process(bench.path, "lock"):
        claim = wait_for(lambda: bench.pit.claim(bench.life, WORKER))
        assert claim is not None
        assert claim.name == "a.md"


def test_a_stopped_keeper_stops_nobody(tmp_path: Path) -> None:
    pit = open_pit(tmp_path / "pit", durable="kill")
    life = pit.open_worker("w1")
    with held_by_a_stopped_process(pit.path, "keeper"):
        (pit.path / "food" / "a.md").write_text("count\n")
        assert wait_for(lambda: pit.claim(life, WORKER))
    pit.close()


@pytest.mark.parametrize("damage", ["removed", "truncated", "noise"])
def test_a_damaged_index_is_made_anew(bench: Bench, damage: str) -> None:
    bench.keeper.close()
    index = bench.path / ".pit" / "index"
    if damage == "removed":
        for entry in index.iterdir():
            shutil.rmtree(entry) if entry.is_dir() else entry.unlink()
    elif damage == "truncated":
        (index / "head").write_bytes(b"")
    else:
        (index / "head").write_bytes(os.urandom(4096))
    bench.drop("a.md")
    bench.keeper = bench.pit.keeper()
    fresh = open_pit(bench.path, durable="kill")
    life = fresh.open_worker("w2")
    claim = wait_for(lambda: (bench.step() and None) or fresh.claim(life, WORKER))
    assert claim is not None
    assert claim.name == "a.md"
    life.close()
    fresh.close()


def test_a_ticket_of_a_dead_claimer_is_entered_again(bench: Bench) -> None:
    bench.drop("a.md")
    bench.told("queued", "a.md")
    assert bench.pit._claiming.tickets.next(WORKER) == "a.md"  # taken, and its claimer dies here
    assert bench.pit.claim(bench.life, WORKER) is None
    assert bench.take("a.md")


def test_an_urgent_task_overtakes(bench: Bench) -> None:
    for number in range(20):
        bench.drop(f"n{number:02}.md")
    bench.told("queued", "n19.md")
    bench.drop("urgent.md", "---\npriority: high\n---\nx\n")
    bench.told("queued", "urgent.md")
    assert bench.take().name == "urgent.md"
    assert bench.take().name == "n00.md"


def test_an_edited_task_is_read_again(bench: Bench) -> None:
    bench.drop("a.md", "---\npriority: low\n---\nx\n")
    bench.drop("b.md")
    bench.told("queued", "b.md")
    bench.drop("a.md", "---\npriority: high\n---\nx\n")
    wait_for(lambda: bench.step() or len([n for n in bench.notices if n.name == "a.md"]) > 1)
    assert bench.take().name == "a.md"


def test_a_new_keeper_goes_on_where_the_last_one_stopped(bench: Bench) -> None:
    for number in range(5):
        bench.drop(f"n{number}.md")
    bench.told("queued", "n4.md")
    assert bench.take().name == "n0.md"
    epochs = {entry.name for entry in (bench.path / ".pit/index").iterdir() if entry.is_dir()}
    bench.keeper.close()
    bench.drop("missed.md")
    bench.keeper = bench.pit.keeper()
    bench.told("queued", "missed.md")
    assert {e.name for e in (bench.path / ".pit/index").iterdir() if e.is_dir()} == epochs
    assert [bench.take().name for _ in range(5)] == [
        *(f"n{n}.md" for n in range(1, 5)),
        "missed.md",
    ]
