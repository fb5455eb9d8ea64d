"""Proves what is kept of a run's output: masked, bounded, readable."""

from pathlib import Path

import pytest

from snakepit.agents import output
from snakepit.agents.output import NOTHING, RESULT_LIMIT, Output, readable


class Plain:
    """A mask that masks nothing and holds unfinished lines."""

    def __init__(self) -> None:
        self._held = b""

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        whole, newline, self._held = (self._held + data).rpartition(b"\n")
        return whole + newline

    def settle(self) -> bytes:
        held, self._held = self._held, b""
        return held

    close = settle


class Shown:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data


@pytest.fixture
def shown() -> Shown:
    return Shown()


def test_pane_file_and_text_get_the_same(tmp_path: Path, shown: Shown) -> None:
    with Output(tmp_path / "log", Plain(), shown) as kept:
        kept.feed(b"one\ntw")
        kept.feed(b"o")
    assert shown.data == b"one\ntwo"
    assert (tmp_path / "log").read_bytes() == b"one\ntwo"
    assert (tmp_path / "log").stat().st_mode & 0o777 == 0o600
    assert kept.text() == "one\ntwo"


def test_silence_is_said(tmp_path: Path, shown: Shown) -> None:
    with Output(tmp_path / "log", Plain(), shown) as kept:
        kept.feed(b"  \n")
    assert kept.text() == NOTHING


def test_only_the_end_becomes_the_result(tmp_path: Path, shown: Shown) -> None:
    with Output(tmp_path / "log", Plain(), shown) as kept:
        for number in range(40_000):
            kept.feed(b"%d\n" % number)
    text = kept.text()
    assert len(text.encode()) < RESULT_LIMIT + 500
    assert text.endswith("39998\n39999")
    assert "bytes are only in" in text.splitlines()[0]
    assert (tmp_path / "log").read_bytes().startswith(b"0\n1\n")


def test_the_file_is_bounded(tmp_path: Path, shown: Shown, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "FILE_LIMIT", 10)
    with Output(tmp_path / "log", Plain(), shown) as kept:
        for _ in range(5):
            kept.feed(b"12345\n")
    assert (tmp_path / "log").read_bytes() == b"12345\n1234"
    assert shown.data.count(b"is full") == 1
    assert kept.text().count("12345") == 5


def test_a_full_disk_keeps_the_run_going(shown: Shown) -> None:
    with Output(Path("/dev/full"), Plain(), shown) as kept:
        kept.feed(b"hello\n")
    assert b"No space left" in shown.data
    assert kept.text() == "hello"


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"\x1b[31mred\x1b[0m\n", "red\n"),
        (b"\x1b]0;title\x07x", "x"),
        (b"10%\r50%\r100%\ndone", "100%\ndone"),
        (b"dos\r\nline\r\n", "dos\nline\n"),
        (b"a\x00\x07b\ttab", "ab\ttab"),
        (b"\xff\xfe", "\ufffd\ufffd"),
        ("é 😀".encode(), "é 😀"),
    ],
)
def test_output_as_text(raw: bytes, text: str) -> None:
    assert readable(raw) == text


def test_the_last_line_names_the_failure(tmp_path: Path, shown: Shown) -> None:
    with Output(tmp_path / "log", Plain(), shown) as kept:
        kept.feed(b"ok\nfoo: not found\n\n  \n")
        assert kept.last_line() == "foo: not found"
        kept.feed(b"x" * 300 + b"\n")
        assert kept.last_line().endswith(" …")
