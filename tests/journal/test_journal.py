import json
import os
import stat
import threading
from pathlib import Path

import pytest

from snakepit.core.events import Event
from snakepit.core.redact import MASK, Redactor
from snakepit.journal import Journal
from snakepit.journal.journal import LINE_LIMIT
from tests.support.wait import wait_for

SECRET = 'quoted"and\\back-slashed-ü-value'


@pytest.fixture
def journal(tmp_path: Path) -> Journal:
    return Journal(tmp_path / "log" / "events.jsonl", Redactor([SECRET]))


def lines(journal: Journal) -> list[dict[str, object]]:
    return [json.loads(line) for line in journal.path.read_text().splitlines()]


def numbers(journal: Journal) -> list[int | None]:
    return [event.seq for event in journal.read()]


def test_a_line_has_the_common_fields_first_and_leaves_out_what_is_none(journal: Journal) -> None:
    seq = journal.append("task.claimed", task="x.md", worker="w", attempt=1, a=None, b=[1], c=True)
    (line,) = lines(journal)
    assert seq == line["seq"] == 1
    assert list(line) == ["seq", "id", "ts", "type", "task", "worker", "attempt", "b", "c"]
    assert (line["task"], line["worker"], line["attempt"]) == ("x.md", "w", 1)
    assert (line["b"], line["c"]) == ([1], True)
    ts = str(line["ts"])
    assert len(ts) == 24 and ts[10] == "T" and ts[19] == "." and ts.endswith("Z")


def test_numbers_grow_by_one_and_ids_are_never_the_same(journal: Journal) -> None:
    given = [journal.append("task.queued", task=f"{n}.md") for n in range(20)]
    other = Journal(journal.path, Redactor())
    given.append(other.append("task.queued"))
    assert given == list(range(1, 22))
    assert len({line["id"] for line in lines(journal)}) == 21


def test_an_unknown_type_is_our_mistake_and_writes_nothing(journal: Journal) -> None:
    with pytest.raises(ValueError, match=r"task\.eaten"):
        journal.append("task.eaten")
    assert not journal.path.exists()


def test_texts_that_break_lines_or_json_stay_one_line_of_json(journal: Journal) -> None:
    hostile = 'a"b\\c\nd\x00e\u2028f\udcffg'
    journal.append("log.error", task=hostile, message=hostile)
    (line,) = lines(journal)
    assert line["task"] == line["message"] == hostile
    assert journal.path.read_bytes().count(b"\n") == 1


@pytest.mark.parametrize("form", ["text", "list", "table", "task", "long"])
def test_a_secret_never_reaches_the_file(journal: Journal, form: str) -> None:
    told = f"before {SECRET} after"
    if form == "task":
        journal.append("task.queued", task=told)
    elif form == "long":
        journal.append("log.error", message="x" * 1990 + SECRET + "y" * LINE_LIMIT)
    else:
        shaped = {"text": told, "list": [told], "table": {"deep": {"deeper": told}}}[form]
        journal.append("log.error", message=shaped)
    written = journal.path.read_text()
    assert "slashed" not in written
    assert "value" not in written
    assert MASK[:5] in written


def test_a_line_that_is_too_long_is_cut_inside_its_fields(journal: Journal) -> None:
    journal.append("log.error", message="m" * 100_000, reason="short", where=["w" * 50_000])
    (line,) = lines(journal)
    assert str(line["message"]).startswith("mmm")
    assert str(line["message"]).endswith("(100000 characters)")
    assert line["reason"] == "short"
    assert journal.path.stat().st_size < LINE_LIMIT


def test_the_folder_and_the_files_are_for_their_owner_only(journal: Journal) -> None:
    before = os.umask(0)
    try:
        journal.append("pool.up")
    finally:
        os.umask(before)
    folder = journal.path.parent
    for path in (folder, *folder.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path


def test_a_folder_that_cannot_be_written_loses_the_event_and_counts_it(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("a file where the folder belongs")
    journal = Journal(tmp_path / "log" / "events.jsonl", Redactor())
    assert journal.append("pool.up") == 0
    assert journal.lost == 1
    assert list(journal.read()) == []
    assert journal.tail(5) == []


def test_reading_begins_behind_a_number(journal: Journal) -> None:
    for n in range(5):
        journal.append("task.queued", task=f"{n}.md")
    assert [event.task for event in journal.read(3)] == ["3.md", "4.md"]
    assert list(journal.read(5)) == []


def test_tail_gives_the_last_events_also_from_older_segments(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl", Redactor(), segment_bytes=600)
    for n in range(20):
        journal.append("task.queued", task=f"{n}.md")
    assert [event.seq for event in journal.tail(12)] == list(range(9, 21))
    assert [event.seq for event in journal.tail(100)] == list(range(1, 21))
    assert journal.tail(0) == []


def test_a_rotation_moves_the_full_file_aside_and_goes_on_counting(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl", Redactor(), segment_bytes=600)
    other = Journal(tmp_path / "events.jsonl", Redactor(), segment_bytes=600)
    for n in range(30):
        (journal, other)[n % 2].append("task.queued", task=f"{n}.md")
    names = sorted(path.name for path in tmp_path.glob("events*"))
    assert names[:2] == ["events-000001.jsonl", "events-000002.jsonl"]
    assert numbers(journal) == list(range(1, 31))
    assert numbers(journal)[10:] == [event.seq for event in journal.read(10)]


def test_old_segments_are_removed_and_young_ones_never(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl", Redactor(), segment_bytes=400, keep_days=1)
    while len(list(tmp_path.glob("events-*"))) < 3:
        journal.append("task.queued", task="x.md")
    os.utime(tmp_path / "events-000001.jsonl", (0, 0))
    while not (tmp_path / "events-000004.jsonl").exists():
        journal.append("task.queued", task="x.md")
    kept = sorted(path.name for path in tmp_path.glob("events-*"))
    assert kept == ["events-000002.jsonl", "events-000003.jsonl", "events-000004.jsonl"]
    known = numbers(journal)
    assert known == list(range(known[0] or 0, (known[-1] or 0) + 1))


def test_following_gives_what_is_written_later_over_rotations(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "events.jsonl", Redactor(), segment_bytes=2000)
    journal.append("task.queued", task="early.md")
    seen: list[Event] = []
    stop = threading.Event()
    reader = threading.Thread(
        target=lambda: seen.extend(journal.read(follow=True, stop=stop)), daemon=True
    )
    reader.start()
    for n in range(60):
        journal.append("task.queued", task=f"{n}.md")
    wait_for(lambda: len(seen) >= 61, what="the follower to see all")
    stop.set()
    reader.join(5)
    assert [event.seq for event in seen] == list(range(1, 62))


def test_following_waits_for_a_journal_that_is_not_there_yet(journal: Journal) -> None:
    stop = threading.Event()
    events = journal.read(follow=True, stop=stop)
    writer = threading.Timer(0.05, lambda: journal.append("pool.up"))
    writer.start()
    assert next(events).seq == 1
    journal.append("pool.down")
    assert next(events).seq == 2
    writer.join()
    stop.set()
    assert list(events) == []


def test_following_never_gives_half_a_line_of_a_writer_that_died(journal: Journal) -> None:
    journal.append("pool.up")
    stop = threading.Event()
    events = journal.read(follow=True, stop=stop)
    assert next(events).seq == 1
    with journal.path.open("ab") as file:
        file.write(
            b'{"seq":           2,"id":"half a line of a writer that died, longer than the next'
        )
    later = threading.Timer(0.3, lambda: journal.append("pool.down"))
    later.start()
    assert next(events).type == "pool.down"
    later.join()
    events.close()  # type: ignore[attr-defined]


def test_lines_that_are_no_events_are_passed_over(journal: Journal) -> None:
    journal.append("pool.up")
    with journal.path.open("ab") as file:
        file.write(b"by hand\n[1]\n\n")
    assert [event.seq for event in journal.read()] == [1]
    assert [event.seq for event in journal.tail(9)] == [1]


def test_tail_reads_no_more_than_it_needs(journal: Journal) -> None:
    for n in range(300):
        journal.append("log.error", message=f"{n}" + "x" * 600)
    assert [event.seq for event in journal.tail(150)] == list(range(151, 301))
    assert [event.seq for event in journal.tail(2)] == [299, 300]


def test_threads_share_one_journal(journal: Journal) -> None:
    given: list[int] = []

    def write() -> None:
        given.extend(journal.append("worker.beat", message="m") for _ in range(200))

    threads = [threading.Thread(target=write) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(given) == numbers(journal) == list(range(1, 801))


def test_a_child_by_fork_has_descriptors_and_ids_of_its_own(journal: Journal) -> None:
    journal.append("pool.up")
    child = os.fork()
    if child == 0:
        os._exit(0 if journal.append("task.queued") == 2 else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert journal.append("pool.down") == 3
    assert len({line["id"] for line in lines(journal)}) == 3


def test_a_closed_journal_opens_again(journal: Journal) -> None:
    journal.append("pool.up")
    journal.close()
    assert journal.append("pool.down") == 2
