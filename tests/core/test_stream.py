"""Proves that rules read structured output: fields, sums, lists, what is shown, and how a run ended."""

import json

import pytest

from snakepit.core.outcome import Outcome
from snakepit.core.stream import TEXT, Reader, StreamRule, fold, look_up
from snakepit.core.trouble import TroubleRule

NOW = 1_800_000_000.0
ESCAPE = "\x1b]0;x\x07"
TROUBLE = (
    TroubleRule(kind="auth", match=r"^401\b|invalid key"),
    TroubleRule(kind="limited", match=r"hit your limit"),
)
RULES = (
    StreamRule(when={"type": "start"}, take={"session_id": "id", "model": "model | about.model"}),
    StreamRule(
        when={"type": "says", "parts": "*"},
        each="parts",
        take={"text": ".text"},
        show="{.text}",
    ),
    StreamRule(when={"type": "bit"}, take={"+text": "text"}),
    StreamRule(
        when={"type": "tool", "name": "ba.*"}, take={"text": "="}, show="tool {name} {input:12}"
    ),
    StreamRule(
        when={"type": "used"},
        take={
            "+usage.input": "in - cached",
            "+usage.output": "out",
            "+usage.cache_read": "cached",
            "cost_usd": "cents / 100",
            "until": "until_ms / 1000",
        },
    ),
    StreamRule(
        when={"type": "end", "error": "!"}, take={"ended": "=true", "error": "=", "is_error": "ko"}
    ),
    StreamRule(when={"type": "end", "error": "*"}, take={"error": "error", "details.x": "=why"}),
    StreamRule(when={"type": "told"}, take={"kind": "kind"}),
)


def read(*events: object, status: int | None = 0, stderr: str = "") -> Outcome:
    return ended(reader_of(*events), status=status, stderr=stderr)


def reader_of(*events: object) -> Reader:
    reader = fold(RULES)
    for event in events:
        line = event if isinstance(event, bytes) else json.dumps(event).encode()
        reader.feed(line + b"\n")
    return reader


def ended(reader: Reader, *, status: int | None = 0, stderr: str = "") -> Outcome:
    return reader.outcome(status, stderr, trouble=TROUBLE, now=NOW, zone_of=lambda _: None)


def test_a_run_that_went_well() -> None:
    found = read(
        {"type": "start", "id": "s-1", "about": {"model": "m-1"}},
        {"type": "says", "parts": [{"text": "first"}, {"text": "last"}]},
        {"type": "used", "in": 10, "cached": 4, "out": 3, "cents": 50},
        {"type": "used", "in": 5, "out": 1},
        {"type": "end"},
    )
    assert (found.kind, found.text, found.session_id) == ("ok", "last", "s-1")
    assert found.usage == (11, 4, 4, 0, 0.5, "m-1")


def test_bits_are_joined_and_a_tool_empties_them() -> None:
    bits = [{"type": "bit", "text": text} for text in ("a", "b")]
    assert read(*bits, {"type": "end"}).text == "ab"
    assert read(*bits, {"type": "tool", "name": "bash"}, bits[0], {"type": "end"}).text == "a"
    assert read(*bits, {"type": "tool", "name": "cat"}, {"type": "end"}).text == "ab"


def test_what_is_shown_drives_no_terminal() -> None:
    reader = fold(RULES)
    event = {"type": "says", "parts": [{"text": f"a{ESCAPE}\nb"}, {"text": ""}]}
    assert reader.feed(json.dumps(event).encode()) == ["a]0;x", "b"]
    tool = {"type": "tool", "name": "bash", "input": {"command": "a long one"}}
    assert reader.feed(json.dumps(tool).encode()) == ['tool bash {"command":…']
    assert reader.feed(f"warning{ESCAPE}\n".encode()) == ["warning]0;x"]
    assert reader.feed(b"\n") == []


@pytest.mark.parametrize("line", [b"[1]", b"3", b"{", b"\xff", b"[" * 100_000, b"null"])
def test_what_is_no_object_is_no_event(line: bytes) -> None:
    reader = fold(RULES)
    reader.feed(line)
    assert dict(reader.fields) == {}


def test_an_error_is_read_by_the_rules_of_trouble() -> None:
    found = read({"type": "start", "id": "s"}, {"type": "end", "error": "401 invalid"}, status=0)
    assert (found.kind, found.reason, found.session_id) == ("auth", "401 invalid", "s")
    assert found.details == {"x": "why"}
    assert read({"type": "end", "error": "odd"}).kind == "failed"


def test_an_error_that_was_mended_is_none() -> None:
    assert read({"type": "end", "error": "401"}, {"type": "end"}).kind == "ok"


def test_is_error_makes_the_answer_the_reason() -> None:
    said = {"type": "bit", "text": "You have hit your limit"}
    assert read(said, {"type": "end", "ko": True}).kind == "limited"
    assert read(said, {"type": "end", "ko": False}).kind == "ok"


def test_a_limit_told_as_a_number_wins() -> None:
    found = read(
        {"type": "told", "kind": "limited"}, {"type": "used", "until_ms": 1_900_000_000_000}
    )
    assert (found.kind, found.until) == ("limited", 1_900_000_000.0)


def test_a_run_without_its_end_was_cut_off() -> None:
    assert read({"type": "bit", "text": "half"}).kind == "failed"
    assert read({"type": "bit", "text": "half"}, status=-9).kind == "interrupted"
    assert read({"type": "bit", "text": "half"}, status=-9).reason == "signal 9"


def test_the_last_words_outside_the_structure_tell_why() -> None:
    assert read(b"loading", b"401 no", status=1).kind == "auth"
    found = read(status=1, stderr="at x\ninvalid key\n")
    assert (found.kind, found.reason) == ("auth", "invalid key")
    assert read(status=1, stderr="1\n2\n3\n4\n5\n6\n").reason == "2 3 4 5 6"
    assert read(status=7).reason == "exit status 7"


def test_what_the_answer_quotes_is_no_trouble() -> None:
    assert read({"type": "bit", "text": "401 invalid key"}, {"type": "end"}).kind == "ok"


def test_plain_text_is_the_answer() -> None:
    reader = fold((), form=TEXT)
    assert reader.feed(b"one\n") == ["one"]
    reader.feed(b"two\n")
    assert ended(reader)[:2] == ("ok", "one\ntwo")
    reader.feed(b"401 no\n")
    assert ended(reader, status=1).kind == "auth"


def test_rules_read_plain_text_line_by_line() -> None:
    rules = (
        StreamRule(when={"line": "banner.*"}, take={"text": "="}),
        StreamRule(when={"line": "Error: (?P<why>.*)"}, take={"error": ".why"}),
        StreamRule(
            when={"line": r"Used (?P<in>\S+) for (?P<cost>\S+)\."},
            take={
                "usage.input": ".in",
                "cost_usd": ".cost",
                "+text": "=",
                "ended": "=true",
                "error": "=",
            },
        ),
    )
    reader = fold(rules, form=TEXT)
    for line in (b"hello", b"banner 1", b"Error: 401 no", b"answer"):
        reader.feed(line)
    assert (ended(reader).kind, ended(reader).reason) == ("auth", "401 no")
    reader.feed(b"Used 1.2k for $0.03.")
    found = ended(reader)
    assert (found.kind, found.text) == ("ok", "Error: 401 no\nanswer")
    assert (found.usage.input, found.usage.cost_usd) == (1200, 0.03)


@pytest.mark.parametrize(
    ("path", "found"), [("a.0.b", 1), ("a.-1.b", 2), ("a.5.b", None), ("a.b", None), ("", {})]
)
def test_paths(path: str, found: object) -> None:
    event = {"a": [{"b": 1}, {"b": 2}]}
    assert look_up(path, event) == (event if found == {} else found)


@pytest.mark.parametrize(
    "number",
    ["1e999", "-1e999", "Infinity", "NaN", "9" * 400, "9" * 5000, '"1e9k"', '"%sk"' % ("9" * 400)],
)
def test_a_number_that_cannot_be_is_none(number: str) -> None:
    reader = Reader(RULES)
    line = '{"type":"used","in":%s,"cached":2,"out":%s,"cents":%s,"until_ms":%s}'
    for _ in range(2):
        reader.feed((line % ((number,) * 4)).encode())
    ended = reader.outcome(1, "", now=NOW, zone_of=lambda _name: None)
    assert (ended.usage.input, ended.usage.output, ended.usage.cost_usd) == (0, 0, None)
    assert ended.until is None


@pytest.mark.parametrize("said", ["--evil", "a b", "a\0b", "x\n", "\ud800", "x" * 501, "\x1b[2J"])
def test_an_id_that_is_no_argument_is_none(said: str) -> None:
    reader = Reader(RULES)
    reader.feed(json.dumps({"type": "start", "id": said}).encode())
    assert reader.session_id == ""
