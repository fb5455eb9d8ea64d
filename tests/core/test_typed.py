"""Proves what of a text may be typed, that no character of it is a key, and how it is known again."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core import typed

MARK = "pit-0123abcd"


@given(st.text())
def test_no_character_that_is_left_is_a_key(text: str) -> None:
    clean = typed.clean(text)
    assert all(char == "\n" or char >= " " for char in clean)
    assert not any("\x7f" <= char <= "\x9f" for char in clean)
    assert "\x1b" not in clean
    assert typed.clean(clean) == clean


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("a\r\nb\rc", "a\nb\nc"),
        ("a\tb\u00a0c", "a b c"),
        ("a\x1b[201~\x03b", "a[201~b"),
        ("evil \u202etxt\u200b", "evil txt"),
        ("\n\n trailing  \n", "trailing"),
        ("👩\u200d💻 stays", "👩\u200d💻 stays"),
    ],
)
def test_what_is_left(text: str, wanted: str) -> None:
    assert typed.clean(text) == wanted


@pytest.mark.parametrize(
    ("text", "is_command", "words"),
    [
        ("/compact", True, "/compact"),
        ("/model opus 4", True, "/model opus 4"),
        ("/home/me/file is broken", False, "Message: /home/me/file is broken"),
        ("/compact\nand more", False, "Message: /compact\nand more"),
        ("!rm -rf x", False, "Message: !rm -rf x"),
        ("# heading", False, "Message: # heading"),
        ("plain", False, "plain"),
        ("", False, ""),
    ],
)
def test_only_a_command_is_one(text: str, is_command: bool, words: str) -> None:
    assert typed.is_command(text) is is_command
    assert typed.as_words(text) == words


def test_the_mark_is_at_the_end() -> None:
    assert typed.tagged("one", MARK) == f"one [{MARK}]"
    assert typed.tagged("one\ntwo", MARK) == f"one\ntwo\n[{MARK}]"


def test_long_is_counted_in_bytes() -> None:
    assert not typed.is_long("x" * typed.LONG)
    assert typed.is_long("é" * (typed.LONG // 2 + 1))


@pytest.mark.parametrize(
    ("draft", "stands"),
    [
        ("hello there, do the thing [pit-0123abcd]", True),
        ("hello there,\n  do the thing [pit-0123abcd]", True),
        ("[Pasted text #1 +3 lines]", True),
        ("[Pasted Content 1234 chars]", True),
        ("hello there", True),  # the first row of more
        ("ohhello there, do the thing [pit-0123abcd]", False),
        ("hello there, do the thing [pit-0123abcd] and mine", False),
        ("", False),
    ],
)
def test_a_draft_is_known_to_be_the_text_alone(draft: str, stands: bool) -> None:
    assert typed.stands_in(draft, "hello there, do the thing [pit-0123abcd]") is stands


def test_it_is_found_on_a_screen() -> None:
    rows = ["> hello there, do", "  the thing [pit-0123abcd]", "", "[Pasted text #1]"]
    assert typed.shows(rows, "hello there, do the thing [pit-0123abcd]")
    assert not typed.shows(rows, "something else [pit-99999999]")
    assert typed.is_folded(rows)
    assert not typed.is_folded(rows[:2])
    assert (typed.row_of(rows, MARK), typed.row_of(rows[:1], MARK)) == (1, -1)
