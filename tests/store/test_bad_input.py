"""Feeds the pit what hurts: each thing gets its reason, nothing is followed or lost, and the rest goes on."""

import os
import socket
from pathlib import Path

import pytest

from snakepit.core.lifecycle import State
from snakepit.errors import LifeLost, StoreError
from snakepit.store.files import open_pit
from snakepit.store.listing import held
from snakepit.store.settle import TASK_LIMIT
from tests.store.conftest import WORKER, Bench
from tests.support.wait import wait_for

PASSWD = "/etc/passwd"


def goes_on(bench: Bench) -> None:
    """A good task dropped beside the bad one is eaten."""
    bench.drop("good.md")
    bench.pit.complete(bench.take("good.md"), bench.life, "twelve")
    assert "good.md" in bench.names("done")


def refused_note(bench: Bench, name: str) -> str:
    notice = bench.told("refused", name)
    goes_on(bench)
    assert not os.path.lexists(os.fsencode(bench.path / "food" / name))
    return (bench.path / "scraps" / notice.name).read_text()


def lies_untouched(bench: Bench) -> Path:
    (thing,) = (bench.path / ".pit" / "refused").iterdir()
    return thing


def test_a_link_is_never_followed(bench: Bench) -> None:
    os.symlink(PASSWD, bench.path / "food" / "evil.md")
    note = refused_note(bench, "evil.md")
    assert "symbolic link" in note
    assert f"points to: `{PASSWD.replace('/', '%2F')}`" in note
    assert "root:" not in note
    assert os.readlink(lies_untouched(bench)) == PASSWD


def test_a_dangling_link_is_refused(bench: Bench) -> None:
    os.symlink("nowhere", bench.path / "food" / "gone.md")
    assert "symbolic link" in refused_note(bench, "gone.md")


def test_a_fifo_does_not_block(bench: Bench) -> None:
    os.mkfifo(bench.path / "food" / "pipe.md")
    assert "a FIFO" in refused_note(bench, "pipe.md")


def test_a_folder_is_refused_whole(bench: Bench) -> None:
    (bench.path / "food" / "dir.md").mkdir()
    (bench.path / "food" / "dir.md" / "inside").write_text("kept")
    assert "a folder" in refused_note(bench, "dir.md")
    assert (lies_untouched(bench) / "inside").read_text() == "kept"


def test_a_socket_is_refused(bench: Bench) -> None:
    listener = socket.socket(socket.AF_UNIX)
    os.chdir(bench.path / "food")  # the path of a socket has at most 107 bytes
    listener.bind("sock.md")
    listener.close()
    assert "socket" in refused_note(bench, "sock.md")


def test_a_huge_file_is_refused_unread(bench: Bench) -> None:
    with (bench.path / "food" / "huge.md").open("wb") as file:
        file.truncate(1 << 30)
    assert "1,073,741,824 bytes" in refused_note(bench, "huge.md")


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("-rf.md", "dash"),
        ("a\nb.md", "line break"),
        ("\x1b[31m.md", "control"),
        ("caf\udce9.md", "UTF-8"),
        ("x" * 240 + ".md", "200 is the limit"),
        ("picture.png", ".md"),
    ],
)
def test_a_hostile_name_is_refused_safely(bench: Bench, name: str, reason: str) -> None:
    bench.drop(name)
    note = refused_note(bench, name)
    assert reason in note
    assert all(char.isprintable() or char == "\n" for char in note)
    assert lies_untouched(bench).read_text() == "count the eggs\n"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (b"PNG\0\0\x01", "binary"),
        (b"\xff\xfe caf\xe9\n", "UTF-8"),
        (b"---\npriority: [\n---\nx\n", "line"),
        (b"---\npriority: soon\n---\nx\n", "priority"),
        (b"---\nattempts: many\n---\nx\n", "attempts"),
        (b"---\nnot_before: tomorrow\n---\nx\n", "not_before"),
        (b"---\ntitle: never closed\n", "---"),
        (b"---\n" + b"a: b\n" * 20000 + b"---\nx\n", "64"),
        (b"---\na: &a [x]\nb: *a\n---\nx\n", "alias"),
        (b"---\na: !!python/object/apply:os.system [id]\n---\nx\n", "tag"),
        (b"---\ncheck: make test\n---\nx\n", "check"),
        (b"---\nbudget: 3\n---\nx\n", "budget"),
    ],
)
def test_what_cannot_be_read_is_kept_with_its_reason(
    bench: Bench, text: bytes, reason: str
) -> None:
    bench.drop("bad.md", text)
    bench.told("refused", "bad.md")
    assert (bench.path / "scraps" / "bad.md").read_bytes() == text
    assert reason in (bench.path / "scraps" / "bad.why.md").read_text()
    goes_on(bench)


def test_a_retry_of_what_is_still_no_task_changes_nothing(bench: Bench) -> None:
    bench.drop("bad.md", "---\npriority: soon\n---\nx\n")
    bench.told("refused", "bad.md")
    with pytest.raises(StoreError, match="priority"):
        bench.pit.retry("bad")
    assert sorted(bench.names("scraps")) == ["bad.md", "bad.why.md"]
    (bench.path / "scraps" / "bad.md").write_text("mended\n")
    bench.pit.retry("bad")
    assert bench.names("scraps") == []
    assert bench.take("bad.md").text.endswith(b"mended\n")


def test_second_notes_are_no_tasks_either(bench: Bench) -> None:
    for name in ("x.why.md", "x.why~2.md", "x~late.md", "x~late~2.md", "x~2.md"):
        (bench.path / "scraps" / name).write_text("told\n")
    assert [entry.name for entry in bench.pit.entries(State.DEAD)] == ["x~2.md"]
    assert bench.pit.counts()[State.DEAD] == 1


def test_an_alias_bomb_costs_nothing(bench: Bench) -> None:
    lines = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]" for n in range(1, 30)]
    bench.drop("bomb.md", "---\n" + "\n".join(lines) + "\n---\nx\n")
    bench.told("refused", "bomb.md")
    goes_on(bench)


def test_an_empty_file_is_not_food_yet(bench: Bench) -> None:
    path = bench.drop("later.md", "")
    bench.nothing_waits()
    path.write_text("now there is something\n")
    assert bench.take("later.md").text == b"now there is something\n"


def test_a_file_that_is_being_written_waits_for_its_writer(bench: Bench) -> None:
    with (bench.path / "food" / "slow.md").open("w") as file:
        file.write("first half, ")
        file.flush()
        wait_for(lambda: bench.step() or "slow.md" in held(bench.pit.folders))
        assert "open for writing" in bench.pit.held()["slow.md"]
        bench.nothing_waits()
        file.write("second half\n")
    assert bench.take("slow.md").text == b"first half, second half\n"


@pytest.mark.parametrize(
    "name", [".hidden.md", "x.md~", ".x.md.swp", "x.tmp", "x.part", "x.draft.md"]
)
def test_what_is_not_meant_yet_is_left_alone(bench: Bench, name: str) -> None:
    path = bench.drop(name)
    bench.step()
    goes_on(bench)
    assert path.exists()
    assert bench.names("scraps") == []


def test_an_editor_holds_a_task_back(bench: Bench) -> None:
    swap = bench.drop(".x.md.swp")
    bench.drop("x.md")
    wait_for(lambda: bench.step() or "edits" in bench.pit.held().get("x.md", ""))
    bench.nothing_waits()
    swap.unlink()
    assert bench.take("x.md")


def test_a_name_used_again_is_a_new_task(bench: Bench) -> None:
    for expected in ("x.md", "x~2.md", "x~3.md"):
        bench.drop("x.md")
        claim = bench.take(expected)
        bench.pit.complete(claim, bench.life, "twelve")
    assert bench.names("done") == ["x.md", "x~2.md", "x~3.md"]
    assert bench.told("renamed", "x~2.md").was == "x.md"


def test_a_name_in_use_by_a_claim_is_numbered(bench: Bench) -> None:
    bench.drop("x.md")
    first = bench.take("x.md")
    bench.drop("x.md", "another\n")
    second = bench.take("x~2.md")
    bench.pit.complete(second, bench.life, "b")
    bench.pit.complete(first, bench.life, "a")
    assert bench.names("done") == ["x.md", "x~2.md"]


def test_a_name_whose_number_waits_too_gets_the_next(bench: Bench) -> None:
    bench.drop("x.md")
    bench.pit.complete(bench.take("x.md"), bench.life, "twelve")
    for expected in ("x~2.md", "x~3.md", "x~4.md"):
        bench.drop("x.md")
        bench.told("queued", expected)
    assert bench.names("food") == ["x~2.md", "x~3.md", "x~4.md"]


def test_an_inode_that_comes_again_is_another_file(bench: Bench) -> None:
    """Filesystems give the number of a file that is gone to the next one."""
    waiting = bench.drop("x.md")
    bench.told("queued", "x.md")
    aside = waiting.rename(bench.path.parent / "aside.md")
    (bench.path / "done" / "x.md").write_text("an older meal\n")
    aside.rename(waiting)
    assert bench.told("renamed", "x~2.md").was == "x.md"


def test_an_id_that_exists_is_refused(bench: Bench) -> None:
    bench.drop("a.md", "---\nid: egg-1\n---\nx\n")
    bench.pit.complete(bench.take("a.md"), bench.life, "done")
    bench.drop("b.md", "---\nid: egg-1\n---\nx\n")
    assert "a.md" in bench.told("refused", "b.md").reason
    goes_on(bench)


def test_needs_may_name_an_id(bench: Bench) -> None:
    bench.drop("b.md", "---\nneeds: [egg-1]\n---\nx\n")
    bench.told("held", "b.md")
    bench.drop("a.md", "---\nid: egg-1\n---\nx\n")
    bench.pit.complete(bench.take("a.md"), bench.life, "done")
    assert bench.take("b.md")


def test_a_circle_of_needs_is_held_and_told(bench: Bench) -> None:
    bench.drop("a.md", "---\nneeds: [b]\n---\nx\n")
    bench.drop("b.md", "---\nneeds: [a]\n---\nx\n")
    wait_for(lambda: bench.step() or "->" in "".join(bench.pit.held().values()), what="the circle")
    goes_on(bench)
    assert {"a.md", "b.md"} <= set(bench.names("food"))


def test_a_need_that_never_existed_is_held_and_told(bench: Bench) -> None:
    bench.drop("a.md", "---\nneeds: [nothing]\n---\nx\n")
    assert "nothing.md, which was never seen" in bench.told("held", "a.md").reason
    goes_on(bench)


def test_a_need_in_the_dead_letters_is_told(bench: Bench) -> None:
    bench.drop("a.md")
    bench.pit.fail(bench.take("a.md"), bench.life, "no", dead=True)
    bench.drop("b.md", "---\nneeds: [a]\n---\nx\n")
    assert "lies in scraps/" in bench.told("held", "b.md").reason


def test_a_need_met_by_an_old_namesake_is_not_met(bench: Bench) -> None:
    bench.drop("a.md")
    bench.pit.complete(bench.take("a.md"), bench.life, "old")
    bench.drop("a.md")
    bench.drop("b.md", "---\nneeds: [a]\n---\nx\n")
    again = bench.take("a~2.md")
    bench.nothing_waits()
    bench.pit.complete(again, bench.life, "new")
    assert bench.take("b.md")


def test_a_full_disk_while_failing_gives_the_task_back_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.drop("a.md")
    claim = bench.take("a.md")

    def full(fd: int, data: bytes) -> None:
        os.write(fd, data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("snakepit.store.atomic.write_all", full)
    with pytest.raises(StoreError, match="No space left"):
        bench.pit.fail(claim, bench.life, "no")
    monkeypatch.undo()
    assert bench.take("a.md").attempt == 1


def test_a_folder_on_another_filesystem_is_refused(tmp_path: Path) -> None:
    other = Path("/dev/shm")
    if not other.is_dir() or other.stat().st_dev == tmp_path.stat().st_dev:
        pytest.skip("this machine has one filesystem only")
    (tmp_path / "pit").mkdir()
    (tmp_path / "pit" / "done").symlink_to(other)
    with pytest.raises(StoreError, match="not a folder of its own"):
        open_pit(tmp_path / "pit")


def test_a_file_where_a_folder_belongs_is_told(tmp_path: Path) -> None:
    (tmp_path / "pit").mkdir()
    (tmp_path / "pit" / "food").write_text("I am no folder")
    with pytest.raises(StoreError, match="food"):
        open_pit(tmp_path / "pit")


def test_too_large_a_text_is_not_published(bench: Bench) -> None:
    with pytest.raises(StoreError, match="at most"):
        bench.pit.publish(b"x" * (TASK_LIMIT + 1), "a.md")


def test_a_retry_written_by_a_clock_that_jumped_is_over(bench: Bench) -> None:
    header = "attempt: 1\nreason: an egg broke\nnot_before: 2999-01-01T00:00:00Z"
    bench.drop("a.md", f"---\n{header}\n---\nx\n")
    assert bench.take("a.md").attempt == 2


def test_a_wish_of_the_author_is_waited_for(bench: Bench) -> None:
    bench.drop("a.md", "---\nnot_before: 2999-01-01T00:00:00Z\n---\nx\n")
    assert "2999" in bench.told("held", "a.md").reason
    bench.nothing_waits()


def test_a_full_disk_while_completing_gives_the_task_back_as_it_was(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    bench.drop("a.md")
    claim = bench.take("a.md")

    def full(fd: int, data: bytes) -> None:
        os.write(fd, data[:3])
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("snakepit.store.settle.write_all", full)
    with pytest.raises(StoreError, match="No space left"):
        bench.pit.complete(claim, bench.life, "twelve")
    monkeypatch.undo()
    again = bench.take("a.md")
    assert (again.attempt, again.text) == (1, claim.text)


def test_a_life_whose_folder_was_removed_says_so(bench: Bench) -> None:
    folder = bench.path / "claimed" / "w1"
    for entry in folder.iterdir():
        entry.rmdir() if entry.is_dir() else entry.unlink()
    folder.rmdir()
    bench.drop("a.md")
    bench.told("queued", "a.md")
    with pytest.raises(LifeLost, match="removed"):
        bench.pit.claim(bench.life, WORKER)
    assert bench.names("food") == ["a.md"]
    bench.life.close()
    bench.life = bench.pit.open_worker("w1")
    assert bench.take("a.md")
