"""Many processes on one journal: numbers stay dense, and neither a kill nor a stop harms the others."""

import json
import os
import random
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.core.redact import Redactor
from snakepit.journal import Journal
from tests.support.wait import wait_for

WRITERS = 4


def spawn(*args: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "tests.journal.writer", *map(str, args)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def all_lines(path: Path) -> list[dict[str, object]]:
    """Every line of every segment, each whole, numbered from 1 without a gap."""
    files = [*sorted(path.parent.glob("events-*.jsonl")), path]
    lines = [json.loads(line) for file in files for line in file.read_bytes().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    assert len({line["id"] for line in lines}) == len(lines)
    return lines


def acked(path: Path) -> list[tuple[str, int, int]]:
    found = []
    for file in path.parent.glob("*.acked"):
        for line in file.read_text().splitlines(keepends=True):
            if line.endswith("\n"):
                seq, n = line.split()
                found.append((file.stem, int(seq), int(n)))
    return found


def assert_told_is_true(path: Path, lines: list[dict[str, object]]) -> None:
    """What a writer was told stands in the file: under its number, or somewhere if it was late."""
    written = {(line["worker"], line["task"]) for line in lines if "worker" in line}
    for worker, seq, n in acked(path):
        assert (worker, f"{n}.md") in written
        if seq:
            assert (lines[seq - 1]["worker"], lines[seq - 1]["task"]) == (worker, f"{n}.md")


def end(process: subprocess.Popen[str]) -> None:
    process.kill()
    process.communicate()


def test_four_processes_with_rotation_lose_and_double_no_line(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    count = 1500
    writers = [spawn("append", path, f"w{n}", count, 40_000) for n in range(WRITERS)]
    for writer in writers:
        writer.communicate()
        assert writer.returncode == 0
    assert [event.type for event in Journal(path, Redactor()).read(0)]
    lines = all_lines(path)
    assert len(lines) == WRITERS * count
    assert len(list(tmp_path.glob("events-*.jsonl"))) > 10
    assert_told_is_true(path, lines)


@pytest.mark.slow
def test_writers_killed_at_any_moment_leave_a_whole_journal(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    chance = random.Random(7)
    for n in range(12):
        writers = [spawn("append", path, f"w{n}-{k}", 10**9, 60_000) for k in range(3)]
        begun = [tmp_path / f"w{n}-{k}.acked" for k in range(3)]
        try:
            wait_for(lambda files=begun: all(map(has_text, files)), what="the writers")  # type: ignore[misc]
            more = os.path.getsize(begun[0]) + chance.randrange(20_000)
            wait_for(lambda file=begun[0], size=more: os.path.getsize(file) >= size)  # type: ignore[misc]
        finally:
            for writer in writers:
                end(writer)
    journal = Journal(path, Redactor())
    journal.append("pool.down")
    lines = all_lines(path)
    assert_told_is_true(path, lines)
    assert len(lines) >= len(acked(path))


def has_text(path: Path) -> bool:
    return path.exists() and path.stat().st_size > 0


@contextmanager
def stopped_holder(path: Path) -> Iterator[subprocess.Popen[str]]:
    holder = spawn("hold", path)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        holder.send_signal(signal.SIGSTOP)
        yield holder
    finally:
        end(holder)


@pytest.mark.parametrize("fate", ["killed", "continued"])
def test_a_stopped_holder_delays_a_line_by_no_more_than_the_patience(
    tmp_path: Path, fate: str
) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path, Redactor())
    journal.append("pool.up")
    with stopped_holder(path) as holder:
        began = clock.monotonic()
        assert journal.append("task.queued", task="late.md") == 0
        assert clock.monotonic() - began < 0.1
        assert [event.seq for event in journal.read()] == [1]
        if fate == "killed":
            holder.kill()
        else:
            holder.send_signal(signal.SIGCONT)
        holder.communicate()
        assert journal.append("task.queued", task="next.md") == 3
    assert [line.get("task") for line in all_lines(path)] == [None, "late.md", "next.md"]


def test_a_reader_numbers_the_late_lines_of_writers_that_are_gone(tmp_path: Path) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path, Redactor())
    journal.append("pool.up")
    with stopped_holder(path):
        journal.append("pool.down")
    assert [event.type for event in Journal(path, Redactor()).read()] == ["pool.up", "pool.down"]
