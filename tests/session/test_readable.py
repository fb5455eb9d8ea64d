"""Which lines of a pane are given out, and when."""

from snakepit.session.readable import STANDS, Readable


def read(*pieces: bytes) -> list[str]:
    readable = Readable()
    lines = [line for piece in pieces for line in readable.feed(piece)]
    return lines + readable.settle()


def numbered(count: int) -> bytes:
    return b"".join(b"line %d\r\n" % number for number in range(count))


def test_plain_lines_come_at_once_and_once() -> None:
    readable = Readable()
    assert readable.feed(b"one\r\ntwo\r\nthr") == ["one", "two"]
    assert readable.feed(b"ee\r\n") == ["three"]
    assert readable.settle() == []


def test_lines_that_scroll_away_are_not_lost_nor_doubled() -> None:
    assert read(numbered(500)) == [f"line {number}" for number in range(500)]
    one_by_one = [b"line %d\r\n" % number for number in range(500)]
    assert read(*one_by_one) == [f"line {number}" for number in range(500)]


def test_equal_lines_are_all_given() -> None:
    assert read(b"ok\r\n" * 120) == ["ok"] * 120


def test_text_that_came_through_a_pipe_has_no_carriage_return() -> None:
    assert read(b"one\n  two\nthree\n") == ["one", "  two", "three"]


def test_colours_leave_no_trace() -> None:
    assert read(b"\x1b[31mred\x1b[0m and \x1b[1mbold\x1b[0m\r\n") == ["red and bold"]


def test_a_long_line_is_one_line() -> None:
    words = "word " * 200
    assert read(words.encode() + b"end\r\nnext\r\n") == [words + "end", "next"]
    assert read(b"x" * 440 + b"\r\nnext\r\n") == ["x" * 440, "next"]


def test_a_long_line_that_scrolls_away_is_one_line() -> None:
    assert read(b"x" * 500 + b"\r\n" + numbered(100))[:2] == ["x" * 500, "line 0"]
    assert read(b"x" * 20_000 + b"\r\nend\r\n") == ["x" * 20_000, "end"]


def test_a_progress_bar_gives_its_last_state() -> None:
    assert read(b"10%\r", b"50%\r", b"100% done\r\n", b"next\r\n") == ["100% done", "next"]


def test_blank_lines_are_kept_but_not_in_heaps() -> None:
    assert read(b"one\r\n\r\n\r\n\r\ntwo\r\n") == ["one", "", "two"]


def test_a_prompt_is_given_when_it_stands() -> None:
    readable = Readable()
    assert readable.feed(b"Name? ") == []
    assert readable.stand(10.0) == []
    assert readable.waits
    assert readable.stand(10.0 + STANDS) == ["Name?"]
    assert not readable.waits


def test_a_spinner_gives_nothing_and_the_lines_above_it_all() -> None:
    readable, now, lines = Readable(), 0.0, list[str]()
    lines += readable.feed(b"started\r\nspins here\r\n")
    for tick in range(60):
        frame = "\u28f7\u28ef\u28df\u287f"[tick % 4]
        lines += readable.feed(f"\x1b[1A\x1b[2K{frame} working ({tick // 4}s)\r\n".encode())
        lines += readable.stand(now)
        now += 0.25
    assert lines == ["started", "spins here"]
    lines += readable.feed(b"\x1b[1A\x1b[2Kfinished\r\n") + readable.settle()
    assert lines == ["started", "spins here", "finished"]


def test_a_counter_that_stands_is_given_once() -> None:
    readable, lines = Readable(), list[str]()
    lines += readable.feed(b"head\r\nstep 1 of 9\r\n\x1b[1A\x1b[1B")
    for step in range(1, 6):
        lines += readable.feed(f"\x1b[1A\x1b[2Kstep {step} of 9\r\n".encode())
        for tenth in range(40):
            lines += readable.stand(step * 10 + tenth / 10)
    assert lines == ["head", "step 1 of 9"]


def test_a_box_that_moves_down_is_not_given_again() -> None:
    readable, now, lines = Readable(), 0.0, list[str]()
    lines += readable.feed(b"+----+\r\n| >  |\r\n+====+\r\n")
    for number in range(80):
        text = f"\x1b[3A\x1b[Jmessage {number}\r\n+----+\r\n| >  |\r\n+====+\r\n"
        lines += readable.feed(text.encode())
        now += STANDS
        lines += readable.stand(now) + readable.stand(now + STANDS)
    boxes = [line for line in lines if line.startswith(("+", "|"))]
    assert boxes == ["+----+", "| >  |", "+====+"]
    assert [line for line in lines if line.startswith("m")] == [f"message {n}" for n in range(80)]


def test_what_stood_before_a_clear_is_kept() -> None:
    assert read(b"one\r\ntwo\r\n\x1b[H\x1b[2Jthree\r\n") == ["one", "two", "three"]


def test_a_clear_that_goes_home_first_is_a_clear() -> None:
    screens = [b"\x1b[H\x1b[2J\x1b[3Jbuild %d\r\nok\r\n" % number for number in range(3)]
    assert read(*screens) == ["build 0", "ok", "build 1", "ok", "build 2", "ok"]
    assert read(b"".join(screens)) == read(*screens)


def test_a_tool_that_clears_and_prints_again_is_heard_again() -> None:
    screens = [b"\x1b[2J\x1b[Hbuild %d\r\nok\r\n" % number for number in range(3)]
    assert read(*screens) == ["build 0", "ok", "build 1", "ok", "build 2", "ok"]


def test_a_screen_that_redraws_all_it_said_is_not_heard_again() -> None:
    story = numbered(120)
    lines = read(
        story, b"box\r\n\x1b[1A\x1b[Kbox\r\n", b"\x1b[2J\x1b[3J\x1b[H" + story + b"new\r\n"
    )
    assert lines.count("line 7") == 1
    assert lines.count("line 119") == 1
    assert lines[-1] == "new"


def test_an_alternate_screen_comes_and_goes() -> None:
    shown = read(b"before\r\n", b"\x1b[?1049h\x1b[Hfull screen", b"\x1b[?1049l", b"after\r\n")
    assert shown == ["before", "after"]
    readable = Readable()
    readable.feed(b"before\r\n\x1b[?1049h\x1b[Hfull screen")
    assert readable.stand(0.0) == []
    assert readable.stand(STANDS) == ["full screen"]
