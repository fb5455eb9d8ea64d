"""The two readers of front matter agree, and what YAML could do to us it cannot."""

from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from snakepit.core.flat import parse_flat
from snakepit.errors import TaskError
from snakepit.store.reader import read_header, read_task

KEYS = st.one_of(
    st.sampled_from(["title", "labels", "needs", "attempt", "not_before", "on", "null", "y"]),
    st.just("a b"),
    st.text("abcXYZ_019-", max_size=6),
)
TRICKY = """
true True TRUE yes Yes no off ON null Null ~ y n 0 007 12 1_000 0x1F 0b1 1:30 1e3 1.5 .5 .inf nan
90s 30m 2h 1d 2026-11-21 2026-11-21T04:05:06Z 2026-11-21T04:05 a:b a: a#b -a ?a !a &a *a |a >a %a
= << @a `a {a} [a] [] [a,b] [true] [null] 'a' "a" 'it''s' "\\n" "a\\" a'b a"b http://x/y?z=1#f x.md~2
---
"""
SCALARS = st.one_of(
    st.sampled_from(TRICKY.split()),
    st.text(max_size=12),
    st.text(" abAB019_.~/@+,;'()?!=%&*<>\"#:[]{}-|üß\t", max_size=14),
    st.lists(st.text("abz019_.~/@+- '\"true", max_size=6), max_size=3).map(
        lambda items: "[" + ", ".join(items) + "]"
    ),
)
SPACES = st.sampled_from(["", " ", " ", " ", "  ", "\t"])
LINE = st.one_of(
    st.builds(lambda k, s, v, e: f"{k}:{s}{v}{e}", KEYS, SPACES, SCALARS, SPACES),
    st.builds(lambda k, v: f"{k}: {v}", st.sampled_from("abcdef"), SCALARS),
    st.sampled_from(
        ["", "# comment", "  continued", "- item", "  - item", "#", " # x", "...", "#\x07"]
    ),
    st.text(max_size=10),
)
NEWLINE = st.sampled_from(["\n", "\n", "\r\n"])


@given(st.lists(LINE, max_size=5), NEWLINE, st.booleans())
@example(["title: a # b"], "\n", True)
@example(["a: b", "  c"], "\n", True)
@example(["a: 'b", "c: d'"], "\n", True)
@example(["a: b\x85c: d"], "\n", True)
@example(["a: 1:30"], "\n", True)
@example(["a: true "], "\n", True)
@example(["a:", "- b"], "\n", True)
@example(["on: 1"], "\n", True)
def test_where_the_fast_reader_answers_it_says_what_yaml_says(
    lines: list[str], newline: str, ended: bool
) -> None:
    header = newline.join(lines).encode("utf-8", "surrogatepass") + newline.encode() * ended
    flat = parse_flat(header)
    if flat is not None:
        slow = read_header(header)
        assert flat == slow
        assert list(flat) == list(slow)
        assert [type(value) for value in flat.values()] == [type(value) for value in slow.values()]


FLAT_VALUES = [
    ("word", "word"),
    ("two words, and: no".replace(": ", ":"), "two words, and:no"),
    ("Größe ändern", "Größe ändern"),
    ("7", 7),
    ("0", 0),
    ("true", True),
    ("Off", False),
    ("null", None),
    ("", None),
    ("30m", "30m"),
    ("2026-11-21", "2026-11-21"),
    ("2026-11-21T04:05:06.5Z", "2026-11-21T04:05:06.5Z"),
    ("2026-11-21T04:05+01:00", "2026-11-21T04:05+01:00"),
    ("[]", []),
    ("[a, b-c.md]", ["a", "b-c.md"]),
    ("[ a,b ]", ["a", "b"]),
    ("[\"*.txt\", 'a b', yes]", ["*.txt", "a b", True]),
    ('"a: b # c"', "a: b # c"),
    ("'a: b'", "a: b"),
    ("https://x.y/z?a=b", "https://x.y/z?a=b"),
]


@pytest.mark.parametrize(("written", "value"), FLAT_VALUES)
def test_what_people_write_takes_the_fast_path(written: str, value: object) -> None:
    header = f"key: {written}\n# comment\n\nother: 1\n".encode()
    assert parse_flat(header) == read_header(header) == {"key": value, "other": 1}


class Refused(NamedTuple):
    test_id: str
    header: bytes
    said: str
    line: int


REFUSED = [
    Refused("alias bomb", b"a: &x [1]\nb: [*x, *x]\n", "anchor or alias", 2),
    Refused("alias alone", b"a: 1\nb: *x\n", "anchor or alias", 3),
    Refused("tag", b"a: 1\nb: !!python/object:os.system x\n", "a tag", 3),
    Refused("harmless tag", b"a: !!str 1\n", "a tag", 2),
    Refused("too deep", b"a: " + b"[" * 9 + b"]" * 9 + b"\n", "8 levels", 2),
    Refused("very deep", b"a: " + b"[" * 30_000 + b"\n", "8 levels", 2),
    Refused("second document", b"a: 1\n--- {b: 1}\n", "second document", 3),
    Refused("directive", b"%TAG ! x\na: 1\n", "not YAML", 3),
    Refused("a list", b"- a\n- b\n", "key: value", 2),
    Refused("a word", b"a\n", "key: value", 2),
    Refused("flow", b"{a: 1}\n", "cannot be edited", 2),
    Refused("indented keys", b"  a: {b: 1}\n", "cannot be edited", 2),
    Refused("explicit key", b"? a\n: {b: 1}\n", "cannot be edited", 2),
    Refused("key that is no text", b"1: a\n", "is not text", 2),
    Refused("twice", b"a: 1\nb: 2\na: {}\n", "second time", 4),
    Refused("broken", b"a: 1\nb: [1\n", "not YAML", 4),
    Refused("tab", b"a:\n\t- 1\n", "not YAML", 3),
    Refused("control character", b"a: \x07\n", "not YAML", 0),
    Refused("not UTF-8", b"a: 1\nb: \xff\n", "UTF-8", 3),
    Refused("a date that is none", b"a: 1\nb: !!timestamp x\n", "a tag", 3),
    Refused("a number longer than Python reads", b"a: " + b"9" * 5000 + b"\n", "not YAML", 0),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.test_id)
def test_a_dangerous_or_broken_header_is_refused_with_its_line(case: Refused) -> None:
    with pytest.raises(TaskError, match=case.said) as caught:
        read_task("x.md", b"---\n" + case.header + b"---\nbody\n")
    if case.line:
        assert caught.value.line == case.line
    assert caught.value.fix


def test_a_merge_key_is_a_key_like_any_other() -> None:
    assert read_header(b"<<: {a: 1}\nb: 1\n") == {"<<": {"a": 1}, "b": 1}


def test_timestamps_stay_text_and_nesting_in_reason_is_read() -> None:
    assert read_header(b"a: 2026-11-21 04:05:06\nb: {c: [{d: 1}]}\n") == {
        "a": "2026-11-21 04:05:06",
        "b": {"c": [{"d": 1}]},
    }


@pytest.mark.parametrize("header", [b"", b"\n", b"# only a comment\n", b"# a: {b\n\n"])
def test_a_header_without_keys_is_empty(header: bytes) -> None:
    assert read_header(header) == {}
    assert read_task("x.md", b"---\n" + header + b"---\nbody").priority == 5


def test_a_wrong_value_is_told_with_its_line_and_its_fix() -> None:
    data = b"---\ntitle: T\n# comment\npriority: urgent\n---\nbody\n"
    with pytest.raises(TaskError, match=r"line 4: `priority` must be") as caught:
        read_task("x.md", data)
    assert (caught.value.line, caught.value.key) == (4, "priority")
    assert "priority: high" in caught.value.fix


@pytest.mark.parametrize(
    ("data", "said", "line"),
    [
        (b"a\nb\xff\n", "UTF-8", 2),
        (b"---\na: 1\n---\n\nb\xff\n", "UTF-8", 5),
        (b"\xef\xbb\xbfa\n\xff", "UTF-8", 2),
        (b"a\n\0\n", "binary", 2),
        (b"\x7fELF\x02\x01\0\0", "binary", 1),
    ],
)
def test_a_file_that_is_no_text_is_told(data: bytes, said: str, line: int) -> None:
    with pytest.raises(TaskError, match=said) as caught:
        read_task("x.md", data)
    assert caught.value.line == line


def test_the_same_task_is_read_both_ways() -> None:
    flat = b"---\npriority: high\nlabels: [a, b]\ntimeout: 90s\nmine: 1\n---\n# Title\n"
    deep = b"---\npriority: high\nlabels:\n  - a\n  - b\ntimeout: 90s\nmine: 1\n---\n# Title\n"
    assert read_task("x.md", flat) == read_task("x.md", deep)


def test_a_task_without_front_matter_is_a_task() -> None:
    task = read_task("x.md", b"just do it\n")
    assert (task.name, task.title, task.priority, task.kind) == ("x.md", "x", 5, "worker")
