"""Front matter: where it is, which keys it has, and edits that keep every other byte."""

from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core.header import LIMIT, edit, key_spans, parse_flat, split
from snakepit.errors import TaskError
from snakepit.store.reader import read_header, read_task


class Split(NamedTuple):
    test_id: str
    data: bytes
    header: bytes | None
    body: bytes


SPLITS = [
    Split("none", b"# Title\n", None, b"# Title\n"),
    Split("nothing at all", b"", None, b""),
    Split("plain", b"---\na: 1\n---\nbody\n", b"a: 1\n", b"body\n"),
    Split("empty header", b"---\n---\nbody", b"", b"body"),
    Split("no body", b"---\na: 1\n---", b"a: 1\n", b""),
    Split("CRLF", b"---\r\na: 1\r\n---\r\nbody\r\n", b"a: 1\r\n", b"body\r\n"),
    Split("BOM", b"\xef\xbb\xbf---\na: 1\n---\nbody", b"a: 1\n", b"body"),
    Split("BOM alone", b"\xef\xbb\xbfbody", None, b"body"),
    Split("spaces behind the dashes", b"--- \na: 1\n---\t\nbody", b"a: 1\n", b"body"),
    Split("dashes in a value", b"---\na: |\n  ---\n---\nbody", b"a: |\n  ---\n", b"body"),
    Split("not the first line", b"\n---\na: 1\n---\n", None, b"\n---\na: 1\n---\n"),
    Split("four dashes", b"----\na\n----\n", None, b"----\na\n----\n"),
    Split("a second block", b"---\na: 1\n---\n---\nb\n", b"a: 1\n", b"---\nb\n"),
]


@pytest.mark.parametrize("case", SPLITS, ids=lambda case: case.test_id)
def test_front_matter_is_cut_from_the_body(case: Split) -> None:
    header, body, at = split(case.data)
    assert (header, body) == (case.header, case.body)
    assert case.data[at:] == body


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (b"---\na: 1\nbody", "never closed"),
        (b"---\n" + b"a" * LIMIT + b"a\n---\n", "64 KiB"),
        (b"---\n" + b"a" * 2 * LIMIT, "64 KiB"),
    ],
)
def test_front_matter_without_end_is_told_with_its_line(data: bytes, said: str) -> None:
    with pytest.raises(TaskError, match=said) as caught:
        split(data)
    assert caught.value.line == 1


class Edited(NamedTuple):
    test_id: str
    before: bytes
    changes: dict[str, object | None]
    after: bytes


EDITS = [
    Edited("set", b"---\na: 1\nb: 2\n---\nx", {"a": 3}, b"---\na: 3\nb: 2\n---\nx"),
    Edited("add", b"---\na: 1\n---\nx", {"b": True}, b"---\na: 1\nb: true\n---\nx"),
    Edited("remove", b"---\na: 1\nb: 2\n---\nx", {"a": None}, b"---\nb: 2\n---\nx"),
    Edited("remove what is not there", b"---\na: 1\n---\nx", {"b": None}, b"---\na: 1\n---\nx"),
    Edited("new header", b"x\n", {"a": "b c"}, b'---\na: "b c"\n---\nx\n'),
    Edited("no header, nothing to set", b"x\n", {"a": None}, b"x\n"),
    Edited("empty header", b"---\n---\nx", {"a": 1}, b"---\na: 1\n---\nx"),
    Edited("CRLF", b"---\r\na: 1\r\n---\r\nx", {"b": 2}, b"---\r\na: 1\r\nb: 2\r\n---\r\nx"),
    Edited("new header, CRLF", b"x\r\ny\r\n", {"a": 1}, b"---\r\na: 1\r\n---\r\nx\r\ny\r\n"),
    Edited("BOM", b"\xef\xbb\xbf---\na: 1\n---\nx", {"a": 2}, b"\xef\xbb\xbf---\na: 2\n---\nx"),
    Edited("BOM, new header", b"\xef\xbb\xbfx", {"a": 2}, b"\xef\xbb\xbf---\na: 2\n---\nx"),
    Edited("comments stay", b"---\n# c\na: 1\n# d\n---\nx", {"a": 2}, b"---\n# c\na: 2\n# d\n---\nx"),
    Edited("block list", b"---\na:\n  - 1\n  - 2\nb: 2\n---\n", {"a": None}, b"---\nb: 2\n---\n"),
    Edited("list at column 0", b"---\na:\n- 1\n- 2\nb: 2\n---\n", {"a": None}, b"---\nb: 2\n---\n"),
    Edited("comment in a list", b"---\na:\n# c\n  - 1\nb: 2\n---\n", {"a": None}, b"---\nb: 2\n---\n"),
    Edited("block text", b"---\na: |\n  b: 9\n\n  c\nb: 2\n---\n", {"b": 3}, b"---\na: |\n  b: 9\n\n  c\nb: 3\n---\n"),
    Edited("flow over lines", b"---\na: [1,\nb: 9]\nb: 2\n---\n", {"b": 3}, b"---\na: [1,\nb: 9]\nb: 3\n---\n"),
    Edited("quoted over lines", b'---\na: "x\nb: 9\\""\nb: 2\n---\n', {"b": 3}, b'---\na: "x\nb: 9\\""\nb: 3\n---\n'),
    Edited("single quoted over lines", b"---\na: 'x''\nb: 9'\nb: 2\n---", {"b": 3}, b"---\na: 'x''\nb: 9'\nb: 3\n---"),
    Edited("quoted keys", b"---\n\"a\": 1\n'b': 2\n---\n", {"a": 3, "b": None}, b"---\na: 3\n---\n"),
    Edited("a key in the body", b"---\na: 1\n---\na: 2\n", {"a": 3}, b"---\na: 3\n---\na: 2\n"),
    Edited("a key that begins so", b"---\nattempts: 3\n---\n", {"attempt": 1}, b"---\nattempts: 3\nattempt: 1\n---\n"),
    Edited("lists", b"x", {"a": ("p.md", "q r.md"), "b": []}, b'---\na: [p.md, "q r.md"]\nb: []\n---\nx'),
    Edited("bytes that are no UTF-8", b"---\na: \xff\nb: 1\n---\n\xfe", {"b": 2}, b"---\na: \xff\nb: 2\n---\n\xfe"),
]  # fmt: skip


@pytest.mark.parametrize("case", EDITS, ids=lambda case: case.test_id)
def test_an_edit_changes_its_keys_and_no_other_byte(case: Edited) -> None:
    assert edit(case.before, case.changes) == case.after
    assert edit(case.after, case.changes) == case.after


@pytest.mark.parametrize(
    ("text", "keys"),
    [
        ("a: [1, # ]\n b: 2]\nc: 3\n", ["a", "c"]),
        ("a: ['x]', \"]\"]\nb: 1\n", ["a", "b"]),
        ("a: [1\nb: 2\n", ["a"]),
        ("a: 'x\nb: 2\n", ["a"]),
        ('a: "x\\"\nb: 2\n', ["a"]),
        ("a b : 1\n", ["a b"]),
        ("a:b: 1\nhttp://x\n-a: 1\n- b: 2\n", ["-a"]),
        (" a: 1\n# b: 2\nc", []),
        ("", []),
    ],
)
def test_the_lines_of_keys_are_found_also_where_a_value_never_ends(
    text: str, keys: list[str]
) -> None:
    assert [span.key for span in key_spans(text)] == keys


def test_a_value_that_no_header_can_hold_is_our_mistake() -> None:
    with pytest.raises(TypeError, match="object"):
        edit(b"", {"a": object()})


KEYS = st.sampled_from(["title", "labels", "reason", "attempt", "needs", "x_1", "big", "note"])
BODIES = st.binary(max_size=60).filter(lambda body: not body.startswith(b"---"))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
VALUES = st.one_of(TEXTS, st.integers(-(10**6), 10**6), st.booleans(), st.lists(TEXTS, max_size=3))
RAW_VALUES = st.sampled_from(
    [
        " 1",
        " plain text",
        ' "quoted: text"',
        " 'it''s'",
        ' [a, \'b]\', "c\\"]"]',
        " {a: 1, b: [2]}",
        ' "over\n  lines\n\n  here"',
        " [over,\nlines]",
        "\n- a\n- b",
        "\n  - a\n  # comment\n  - b",
        "\n  deep:\n    deeper: 1",
        " |\n  text: 1\n\n  more",
        " >-\n  folded",
        " over\n  lines",
        "",
        " # a comment",
    ]
)
FILLERS = st.sampled_from(["", "# comment\n", "\n", "\n\n# x: 1\n"])
HEADERS = st.lists(st.tuples(KEYS, RAW_VALUES, FILLERS), max_size=6, unique_by=lambda one: one[0])


@given(HEADERS, BODIES, st.dictionaries(KEYS, st.none() | VALUES, max_size=4))
def test_after_an_edit_yaml_reads_the_changes_and_all_else_as_before(
    lines: list[tuple[str, str, str]], body: bytes, changes: dict[str, object | None]
) -> None:
    text = "".join(f"{key}:{value}\n{filler}" for key, value, filler in lines)
    before = read_header(text.encode())
    data = b"---\n" + text.encode() + b"---\n" + body
    after, body_after, _ = split(edit(data, changes))
    assert body_after == body
    assert after is not None
    expected = {**before, **changes}
    wanted = {key: value for key, value in expected.items() if changes.get(key, 0) is not None}
    assert read_header(after) == wanted


@given(HEADERS, st.sets(KEYS, max_size=3))
def test_an_edit_keeps_the_lines_of_other_keys_byte_for_byte(
    lines: list[tuple[str, str, str]], changed: set[str]
) -> None:
    text = "".join(f"{key}:{value}\n{filler}" for key, value, filler in lines)
    data = b"---\n" + text.encode() + b"---\nbody"
    after, _, _ = split(edit(data, dict.fromkeys(changed, 7)))
    assert after is not None
    rest_before = _without(text, changed)
    assert _without(after.decode(), changed) == rest_before


def _without(text: str, keys: set[str]) -> str:
    for span in reversed(key_spans(text)):
        if span.key in keys:
            text = text[: span.start] + text[span.end :]
    return text


@given(st.binary(max_size=80), st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_a_new_header_leaves_any_body_as_it_was(body: bytes, changes: dict[str, object]) -> None:
    if body.startswith((b"---", b"\xef\xbb\xbf")):
        body = b"x" + body
    header, after, _ = split(edit(body, changes))
    assert after == body
    assert header is not None
    assert read_header(header) == changes


SURROGATES = st.text(st.characters(min_codepoint=0xD7F0, max_codepoint=0xE010), max_size=9)


@given(st.dictionaries(KEYS, SURROGATES, min_size=1))
def test_texts_with_lone_surrogates_are_written_readable(changes: dict[str, object]) -> None:
    header, _, _ = split(edit(b"", changes))
    assert header is not None
    assert read_header(header).keys() == changes.keys()


def test_what_the_pit_writes_takes_the_fast_path() -> None:
    written = {"attempt": 2, "reason": "worker died", "needs": ["a.md", "b.md"], "allowed": True}
    header, _, _ = split(edit(b"", written))
    assert header is not None
    assert parse_flat(header) == written


def test_an_edited_task_reads_as_edited() -> None:
    data = b"---\ntitle: T\n---\nbody"
    task = read_task("x.md", edit(data, {"attempt": 2, "reason": 'said: "no" \\ # nö\n\x00'}))
    assert (task.attempt, task.reason, task.title) == (2, 'said: "no" \\ # nö\n\x00', "T")
