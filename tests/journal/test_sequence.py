"""What a death at any moment may leave, and what the next writer makes of it."""

import fcntl
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from snakepit.core.redact import Redactor
from snakepit.journal import Journal, sequence
from snakepit.journal.sequence import Sequence


class Damage(NamedTuple):
    test_id: str
    do: Callable[[Path], object]
    numbers: list[int]  # of all lines, after one more was written


def _append(text: bytes) -> Callable[[Path], None]:
    def do(path: Path) -> None:
        with path.open("ab") as file:
            file.write(text)

    return do


def _cut_to(size: int) -> Callable[[Path], None]:
    return lambda path: os.truncate(path, size)


def _remove_lock(path: Path) -> None:
    (path.parent / "state" / "events.lock").unlink()


def _garble_lock(path: Path) -> None:
    (path.parent / "state" / "events.lock").write_bytes(b"garbage")


def _rotate_unnoted(path: Path) -> None:
    path.rename(path.with_name("events-000001.jsonl"))


DAMAGES = [
    Damage("nothing", lambda path: None, [1, 2, 3, 4]),
    Damage(
        "a line that was not noted", _append(b'{"seq":           4,"id":"n"}\n'), [1, 2, 3, 4, 5]
    ),
    Damage("half a line", _append(b'{"seq":           4,"id":"to'), [1, 2, 3, 4]),
    Damage("zeros after a power loss", _append(b"\0" * 700), [1, 2, 3, 4]),
    Damage("zeros longer than one look", _append(b"\0" * (sequence.TAIL + 9)), [1, 2, 3, 4]),
    Damage(
        "a line not noted and half a line", _append(b'{"seq":4,"id":"n"}\n{"s'), [1, 2, 3, 4, 5]
    ),
    Damage("no lock file", _remove_lock, [1, 2, 3, 4]),
    Damage("garbage in the lock file", _garble_lock, [1, 2, 3, 4]),
    Damage("a rotation that was not noted", _rotate_unnoted, [1, 2, 3, 4]),
    Damage("a file cut short", _cut_to(150), [1, 2]),
    Damage("a file that was removed", lambda path: path.unlink(), [4]),
    Damage("an empty file", _cut_to(0), [4]),
]


@pytest.mark.parametrize("damage", DAMAGES, ids=lambda damage: damage.test_id)
def test_the_next_writer_mends(tmp_path: Path, damage: Damage) -> None:
    path = tmp_path / "events.jsonl"
    first = Journal(path, Redactor())
    for n in range(3):
        first.append("task.queued", task=f"{n}.md")
    damage.do(path)
    second = Journal(path, Redactor())
    assert second.append("task.queued", task="last.md") == damage.numbers[-1]
    assert [event.seq for event in second.read()] == damage.numbers
    for name in tmp_path.glob("*.jsonl"):
        for line in name.read_bytes().splitlines():
            assert json.loads(line)


def _move_aside(path: Path) -> None:
    path.rename(path.with_name("aside.jsonl"))


@pytest.mark.parametrize("lose", [Path.unlink, _move_aside], ids=["removed", "moved"])
def test_no_line_is_lost_when_a_person_takes_the_file_away(
    tmp_path: Path, lose: Callable[[Path], object]
) -> None:
    path = tmp_path / "events.jsonl"
    journal = Journal(path, Redactor())
    journal.append("pool.up")
    lose(path)
    assert journal.append("worker.beat") == 2
    assert journal.append("pool.down") == 3
    assert [event.seq for event in journal.read()] == [2, 3]


def test_a_writer_notices_that_a_person_removed_the_whole_folder(tmp_path: Path) -> None:
    path = tmp_path / "log" / "events.jsonl"
    journal = Journal(path, Redactor())
    journal.append("pool.up")
    shutil.rmtree(path.parent)
    for _ in range(sequence.LOOK_EVERY):
        journal.append("worker.beat")
    assert journal.lost == 0
    assert Journal(path, Redactor()).append("pool.down") == len(list(journal.read()))
    assert [event.type for event in journal.tail(2)] == ["worker.beat", "pool.down"]


def rest(name: str, size: int = 0) -> bytes:
    return f',"id":"{name}","type":"log.error","padding":"{"p" * size}"}}\n'.encode()


@pytest.fixture
def files(tmp_path: Path) -> Sequence:
    files = Sequence(tmp_path / "events.jsonl", segment_bytes=10**9, keep_days=30)
    files.add(rest("first"))
    return files


def ids(files: Sequence) -> list[str]:
    lines = [json.loads(line) for line in files.path.read_bytes().splitlines()]
    assert [line["seq"] for line in lines] == list(range(1, len(lines) + 1))
    return [line["id"] for line in lines]


def write_late(files: Sequence, *names: str) -> None:
    """As writers do that do not get the lock."""
    lock = os.open(files.path.parent / "state" / "events.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    for name in names:
        assert files.add(rest(name)) == 0
    os.close(lock)


def test_a_late_line_is_moved_over_by_the_next_writer(files: Sequence) -> None:
    write_late(files, "late-1", "late-2")
    assert ids(files) == ["first"]
    assert files.add(rest("next")) == 4
    assert ids(files) == ["first", "late-1", "late-2", "next"]


def test_a_late_line_is_moved_over_once_though_its_mover_died_before_its_note(
    files: Sequence,
) -> None:
    lock_path = files.path.parent / "state" / "events.lock"
    write_late(files, "late")
    before = lock_path.read_bytes()
    files.settle()
    lock_path.write_bytes(before)  # the line is over, the note is not
    assert files.add(rest("next")) == 3
    assert ids(files) == ["first", "late", "next"]


def test_half_a_late_line_is_dropped_and_the_next_one_is_not(files: Sequence) -> None:
    with files.late_path.open("ab") as late:
        late.write(b'\n,"id":"torn","type":"log')
    write_late(files, "whole")
    files.settle()
    assert ids(files) == ["first", "whole"]


def test_a_long_late_file_is_moved_in_batches_and_emptied(
    files: Sequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "LATE_LIMIT", 4000)
    count = 3 * sequence.BATCH // 1000
    with files.late_path.open("ab") as late:
        for n in range(count):
            late.write(b"\n" + rest(f"late-{n}", 1000))
    files.add(rest("next"))
    assert ids(files) == ["first", *(f"late-{n}" for n in range(count)), "next"]
    assert files.late_path.stat().st_size == 0
    write_late(files, "after")
    files.settle()
    assert ids(files)[-1] == "after"


def test_the_late_file_is_not_emptied_under_a_late_writer(
    files: Sequence, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sequence, "LATE_LIMIT", 1)
    write_late(files, "late")
    writer = os.open(files.late_path, os.O_RDWR)
    fcntl.flock(writer, fcntl.LOCK_SH)
    files.settle()
    assert files.late_path.stat().st_size > 0
    os.close(writer)
    write_late(files, "later")
    files.settle()
    assert files.late_path.stat().st_size == 0
    assert ids(files) == ["first", "late", "later"]


def test_settling_leaves_late_lines_to_who_holds_the_lock(files: Sequence) -> None:
    write_late(files, "late")
    lock = os.open(files.path.parent / "state" / "events.lock", os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    files.settle()
    os.close(lock)
    assert ids(files) == ["first"]


def test_a_full_disk_leaves_no_half_line(files: Sequence, monkeypatch: pytest.MonkeyPatch) -> None:
    write = os.write
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", lambda fd, data: write(fd, data[:10]))
        with pytest.raises(OSError, match="No space left"):
            files.add(rest("lost"))
    assert files.add(rest("next")) == 2
    assert ids(files) == ["first", "next"]
