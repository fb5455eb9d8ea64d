"""Following raw logs that grow, are cut, replaced and born."""

from pathlib import Path

import pytest

from snakepit.session.follow import AllFollower, Follower, NamedLine, Tail, last_lines
from snakepit.session.rawlog import RawLog


def lines(first: int, last: int) -> list[str]:
    return [f"line {number}" for number in range(first, last)]


def text(first: int, last: int) -> bytes:
    return "".join(f"{line}\r\n" for line in lines(first, last)).encode()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "keeper.log"


def test_the_last_lines(path: Path) -> None:
    path.write_bytes(text(0, 500) + b"prompt> ")
    assert last_lines(path, 3) == ["line 498", "line 499", "prompt>"]
    assert last_lines(path, -1) == [*lines(0, 500), "prompt>"]
    assert last_lines(path, 0) == []


def test_the_last_lines_of_a_long_log_look_further_back_when_they_must(path: Path) -> None:
    spinner = b"".join(b"\rworking %d" % number for number in range(20_000))
    path.write_bytes(text(0, 2_000) + spinner + b"\r\ndone\r\n")
    assert last_lines(path, 3)[0] == "line 1999"
    assert len(last_lines(path, 1_500)) == 1_500


def test_the_last_lines_reach_into_the_log_before(path: Path) -> None:
    path.with_name("keeper.log.1").write_bytes(text(0, 50))
    path.write_bytes(text(50, 60))
    assert last_lines(path, 30) == lines(30, 60)
    assert last_lines(path, -1) == lines(0, 60)


def test_a_log_that_is_not_there_has_no_lines(path: Path) -> None:
    assert last_lines(path, 10) == []
    assert Follower(path, 10).step(0.0) == []


def test_a_secret_between_escapes_is_masked(path: Path) -> None:
    path.write_bytes(b"sk-ant-\x1b[1mapi03-abcdefghijkl\x1b[0mmnopqrst end\r\n")
    assert last_lines(path, 1) == ["[redacted] end"]
    assert Follower(path, 1).backlog == ["[redacted] end"]


def test_what_comes_is_given_once(path: Path) -> None:
    path.write_bytes(text(0, 20))
    follower = Follower(path, 2)
    assert follower.backlog == ["line 18", "line 19"]
    assert follower.step(0.0) == []
    with path.open("ab") as file:
        file.write(b"line 20\r\nline")
        file.flush()
        assert follower.step(1.0) == ["line 20"]
        file.write(b" 21\r\n")
        file.flush()
        assert follower.step(2.0) == ["line 21"]
    follower.close()


def test_a_follower_survives_the_cutting_of_its_log(path: Path) -> None:
    log = RawLog(str(path), limit=1_000)
    follower, seen = Follower(path), list[str]()
    for number in range(1_000):
        log.write(b"line %d\r\n" % number)
        if number % 7 == 0:
            seen += follower.step(float(number))
    seen += follower.step(1_000.0)
    assert seen == lines(0, 1_000)
    log.close()
    follower.close()


def test_a_tail_survives_truncation_and_removal(path: Path) -> None:
    path.write_bytes(b"one\n")
    tail = Tail(path)
    assert tail.read() == b"one\n"
    path.write_bytes(b"")
    assert tail.read() == b""
    path.write_bytes(b"2\n")
    assert tail.read() == b"2\n"
    path.unlink()
    assert tail.read() == b""
    path.write_bytes(b"three\n")
    assert tail.read() == b"three\n"
    tail.close()


def test_a_link_is_not_followed(path: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(b"theirs\n")
    path.symlink_to(tmp_path / "elsewhere")
    assert Tail(path).read() == b""


def test_all_logs_are_followed_also_those_to_come(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_bytes(text(0, 9))
    (tmp_path / "own.log").write_bytes(b"a | never\n")
    (tmp_path / "a.log.1").write_bytes(b"older\n")
    (tmp_path / ".a-0123.mask").write_bytes(b"[]")
    follower = AllFollower(tmp_path, count=1, without=frozenset({"own"}))
    assert follower.backlog == [NamedLine("a", "line 8")]
    (tmp_path / "b.log").write_bytes(b"born\nlate\n")
    assert follower.step(0.0) == [NamedLine("b", "born"), NamedLine("b", "late")]
    with (tmp_path / "a.log").open("ab") as file:
        file.write(b"more\n")
    assert follower.step(1.0) == [NamedLine("a", "more")]
    assert follower.step(2.0) == []
    follower.close()


def test_a_folder_that_is_not_there_is_waited_for(tmp_path: Path) -> None:
    follower = AllFollower(tmp_path / "raw")
    assert follower.step(0.0) == []
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "a.log").write_bytes(b"one\n")
    assert follower.step(1.0) == [NamedLine("a", "one")]
    follower.close()
