"""Escape sequences onto rows: as tmux itself reads them, and never a crash."""

import itertools
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.session.terminal import Terminal
from tests.support.tmux import private_host, tmux
from tests.support.wait import wait_for


class Case(NamedTuple):
    test_id: str
    data: bytes


CASES = [
    Case("colours", b"\x1b[1;38;2;1;2;3mred\x1b[0m plain\r\n"),
    Case("colon_colours", b"\x1b[38:2::1:2:3mred\x1b[4:3mwave\x1b[m\r\n"),
    Case("kitty_keys", b"\x1b[>1u\x1b[<u\x1b[=1;1u\x1b[?uafter\r\n"),
    Case(
        "title_and_link", b"\x1b]0;a title\x07\x1b]8;;http://x/\x1b\\link\x1b]8;;\x1b\\ after\r\n"
    ),
    Case("dcs", b"\x1bP+q544e\x1b\\after\x1b_Gf=100;AAAA\x1b\\ and\x1b^pm\x1b\\ more\r\n"),
    Case("progress", b"10%\r50%\r100% done\r\n"),
    Case("cursor_up", b"one\r\ntwo\r\nthree\r\n\x1b[2A\x1b[2KTWO\r\n"),
    Case("position", b"\x1b[5;10Hhere\x1b[3;1Hthere\x1b[10Gcolumn"),
    Case("erase_right", b"abcdef\x1b[4G\x1b[K\r\nnext"),
    Case("erase_left", b"abcdef\x1b[4G\x1b[1K\r\nnext"),
    Case("erase_below", b"one\r\ntwo\r\nthree\x1b[2;2H\x1b[J"),
    Case("erase_above", b"one\r\ntwo\r\nthree\x1b[2;2H\x1b[1J"),
    Case("clear", b"one\r\ntwo\x1b[2J\x1b[Hafter"),
    Case("insert_delete_lines", b"1\r\n2\r\n3\r\n4\x1b[2;1H\x1b[2Lnew\x1b[5;1H\x1b[M"),
    Case("insert_delete_characters", b"abcdef\x1b[3G\x1b[2@XY\x1b[8G\x1b[P\x1b[2X"),
    Case("region", b"\x1b[2;4rtop\r\n1\r\n2\r\n3\r\n4\r\n5\x1b[r\x1b[10;1Hend"),
    Case("reverse_index", b"one\r\ntwo\x1b[H\x1bMzero"),
    Case("scroll_up", b"one\r\ntwo\r\nthree\x1b[2S"),
    Case("save_restore", b"ab\x1b7cd\x1b8X\x1b[sY\x1b[uZ"),
    Case("alternate", b"main\r\n\x1b[?1049h\x1b[Hother\x1b[?1049lback"),
    Case("repeat", b"-\x1b[9b|\r\n"),
    Case("tabs", b"a\tb\tc\x1b[3g\x1b[5G\x1bH\rx\ty\r\n"),
    Case("backspace", b"abc\b\bX\r\n"),
    Case("wide", "日本語 and 한국\r\n".encode()),
    Case("emoji", "ok \u26a0\ufe0f then \u2705 more e\u0301\r\n".encode()),
    Case("wrap", b"x" * 230 + b"\r\n" + b"y" * 220 + b"\r\nz"),
    Case("wrap_backspace", b"x" * 222 + b"\b" * 6 + b"Y"),
    Case("no_wrap", b"\x1b[?7l" + b"x" * 230 + b"END\x1b[?7h\r\nnext"),
    Case("wide_at_the_edge", b"x" * 219 + "日".encode() + b"\r\n"),
    Case("insert_mode", b"abc\x1b[1G\x1b[4hXY\x1b[4lZ"),
    Case("scrolling", b"".join(b"line %d\r\n" % number for number in range(80))),
    Case("reset", b"one\r\n\x1bctwo"),
    Case("cancelled", b"\x1b[12;\x18after\r\n"),
]


def screen(*pieces: bytes) -> list[str]:
    terminal = Terminal(
        220, 50, on_leave=lambda row: None, on_clear=lambda: None, on_address=lambda: None
    )
    for piece in pieces:
        terminal.feed(piece)
    return [terminal.row(y).text() for y in range(50)]


@pytest.mark.needs("tmux")
def test_the_screen_is_what_tmux_shows(tmp_path: Path) -> None:
    with private_host() as host:
        for case in CASES:
            raw, done = tmp_path / f"{case.test_id}.raw", tmp_path / f"{case.test_id}.done"
            raw.write_bytes(case.data)
            script = f"stty raw -echo; cat {raw}; exec tail -f {done}"
            done.touch()
            host.start(case.test_id, ["/bin/sh", "-c", script], cwd=tmp_path)
        for case in CASES:
            target = f"={case.test_id}:"

            def shown(target: str = target) -> list[str]:
                text = tmux(host, "capture-pane", "-p", "-t", target)
                return [line.rstrip() for line in text.split("\n")]

            ours = screen(case.data)
            while ours and not ours[-1]:
                ours.pop()
            wait_for(
                lambda ours=ours, shown=shown: shown() == ours,  # type: ignore[misc]
                seconds=5,
                what=f"{case.test_id}: {ours!r}, where tmux shows {shown()!r}",
            )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.test_id)
def test_it_does_not_matter_where_the_bytes_are_cut(case: Case) -> None:
    whole = screen(case.data)
    for cut in range(1, min(len(case.data), 60)):
        assert screen(case.data[:cut], case.data[cut:]) == whole


_PIECES = st.one_of(
    st.sampled_from([case.data for case in CASES]),
    st.binary(max_size=20),
    st.builds(
        lambda params, final: f"\x1b[{params}{final}".encode(),
        st.text("0123456789;:?<=> !$", max_size=8),
        st.sampled_from("@ABCDEFGHJKLMPSTXZ`abcdefghlmnqrstu"),
    ),
)


@given(st.lists(_PIECES, max_size=12))
def test_no_bytes_crash_it(pieces: list[bytes]) -> None:
    whole = b"".join(pieces)
    assert screen(whole) == screen(*pieces)
    assert all(len(line) <= 220 * 17 for line in itertools.chain(screen(whole)))


def test_a_sequence_without_an_end_does_not_hold_everything() -> None:
    text = screen(b"\x1b]0;" + b"x" * 100_000, b"\r\n\x1b[Hvisible")
    assert text[0].startswith("visible")


def test_line_drawing_is_drawn() -> None:
    assert screen(b"\x1b(0lqqk\x1b(B plain \x1b)0\x0ex\x0fx\r\n")[0] == "┌──┐ plain │x"


def test_bad_utf8_is_shown_as_bad() -> None:
    assert screen(b"a\xff b \xe2\x82 c\r\n")[0] == "a\ufffd b \ufffd c"
