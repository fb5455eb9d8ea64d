"""Owns front matter as text: where it is, whose lines are whose, edits that keep all else.

`edit` trusts `key_spans`; the reader refuses a header in which YAML finds other keys than it does.
"""

import re
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from snakepit.core.flat import FLAT_WORD, SPECIAL
from snakepit.core.flat import parse_flat as parse_flat
from snakepit.errors import TaskError

LIMIT = 64 * 1024  # bytes between the two lines
BOM = b"\xef\xbb\xbf"

_OPEN = re.compile(rb"---[ \t]*\r?\n")
_CLOSE = re.compile(rb"^---[ \t]*\r?(?:\n|\Z)", re.MULTILINE)
_KEY = re.compile(
    r"(?:(?P<plain>[^\s#\"'\[\]{},&*!|>%@`?:-][^\r\n#:]*?|[?:-](?=[^\s])[^\r\n#:]*?)"
    r"|\"(?P<double>[^\"\\\r\n]*)\"|'(?P<single>[^'\r\n]*)')[ \t]*:(?=[ \t\r\n]|\Z)"
)


def split(data: bytes) -> tuple[bytes | None, bytes, int]:
    """The text between the `---` lines (None: there are none), the body, and the body's offset."""
    if data.startswith(b"---\n"):  # the usual case: both lines are `---` and nothing else
        end = data.find(b"\n---", 3, LIMIT)
        if end > 0 and data[end + 4 : end + 5] == b"\n":
            return data[4 : end + 1], data[end + 5 :], end + 5
    start = 3 if data.startswith(BOM) else 0
    opened = _OPEN.match(data, start)
    if opened is None:
        return None, data[start:], start
    closed = _CLOSE.search(data, opened.end(), opened.end() + 2 * LIMIT)
    if closed is None or closed.start() - opened.end() > LIMIT:
        raise _unclosed(data)
    return data[opened.end() : closed.start()], data[closed.end() :], closed.end()


def _unclosed(data: bytes) -> TaskError:
    if len(data) > LIMIT:
        message = f"the front matter is longer than {LIMIT // 1024} KiB, or never closed"
    else:
        message = "the front matter that begins here is never closed"
    fix = "end it with a line `---`, or begin the file with an empty line where none is meant"
    return TaskError(message, line=1, fix=fix)


class Span(NamedTuple):
    """The lines of one top-level key: text[start:end], line break included."""

    key: str
    start: int
    end: int


def key_spans(text: str) -> list[Span]:
    """Top-level keys in order; text that is not one block mapping from column 0 gives other keys
    than YAML does."""
    spans: list[Span] = []
    at = 0
    while at < len(text):
        found = _KEY.match(text, at)
        if found is None:
            at = _next_line(text, at)
            continue
        end = _value_end(text, found.end())
        key = found["plain"] or found["double"] or found["single"] or ""
        spans.append(Span(key, at, end))
        at = end
    return spans


def _next_line(text: str, at: int) -> int:
    end = text.find("\n", at)
    return len(text) if end < 0 else end + 1


def _value_end(text: str, at: int) -> int:
    """Where the value after the colon ends: behind its last line that is not blank or a comment."""
    while at < len(text) and text[at] in " \t":
        at += 1
    first = text[at : at + 1]
    if first in ("'", '"'):
        at = _after_quoted(text, at)
    elif first in ("[", "{"):
        at = _after_flow(text, at)
    end = at = _next_line(text, at)
    while at < len(text):
        following = _next_line(text, at)
        line = text[at:following]
        is_filler = not line.strip() or line.startswith("#")
        if not is_filler and not line.startswith((" ", "\t", "- ", "-\n", "-\r")):
            break
        at = following
        end = end if is_filler else at
    return end


def _after_quoted(text: str, at: int) -> int:
    quote = text[at]
    at += 1
    while at < len(text):
        if text[at] == "\\" and quote == '"':
            at += 2
        elif text[at] == quote:
            if quote == "'" and text[at + 1 : at + 2] == "'":
                at += 2
            else:
                return at + 1
        else:
            at += 1
    return len(text)


def _after_flow(text: str, at: int) -> int:
    depth = 0
    while at < len(text):
        char = text[at]
        if char in "\"'" and text[at - 1] in " \t\r\n,[{:":
            at = _after_quoted(text, at)
            continue
        if char == "#" and text[at - 1] in " \t\r\n":
            at = _next_line(text, at)
            continue
        depth += (char in "[{") - (char in "]}")
        at += 1
        if depth == 0:
            return at
    return len(text)


def edit(data: bytes, changes: Mapping[str, object | None]) -> bytes:
    """Sets these top-level keys, None removes one; a new key goes to the end, into a new header
    where there is none.

    Values are str, bool, int, float or a sequence of str. Idempotent.
    """
    header, _, body_at = split(data)
    if header is None:
        return _with_new_header(data, body_at, changes)
    head_at = data.index(b"\n") + 1
    newline = "\r\n" if data[head_at - 2 : head_at - 1] == b"\r" else "\n"
    text = _edited(header.decode("utf-8", "surrogateescape"), changes, newline)
    after = data[head_at + len(header) :]
    return data[:head_at] + text.encode("utf-8", "surrogateescape") + after


def _with_new_header(data: bytes, body_at: int, changes: Mapping[str, object | None]) -> bytes:
    if all(value is None for value in changes.values()):
        return data
    first_end = data.find(b"\n")
    newline = "\r\n" if first_end > 0 and data[first_end - 1 : first_end] == b"\r" else "\n"
    text = f"---{newline}{_edited('', changes, newline)}---{newline}"
    return data[:body_at] + text.encode("utf-8", "surrogateescape") + data[body_at:]


def _edited(text: str, changes: Mapping[str, object | None], newline: str) -> str:
    spans = [span for span in key_spans(text) if span.key in changes]
    pieces: list[str] = []
    at = 0
    written: set[str] = set()
    for span in spans:
        pieces.append(text[at : span.start])
        at = span.end
        value = changes[span.key]
        if value is not None and span.key not in written:
            pieces.append(f"{span.key}: {_scalar(value)}{newline}")
        written.add(span.key)
    pieces.append(text[at:])
    for key, value in changes.items():
        if value is not None and key not in written:
            pieces.append(f"{key}: {_scalar(value)}{newline}")
    return "".join(pieces)


def _scalar(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Iterable):
        return "[" + ", ".join(_text(str(item)) for item in value) + "]"
    message = f"front matter cannot hold a {type(value).__name__}"
    raise TypeError(message)


def _text(value: str) -> str:
    if FLAT_WORD.fullmatch(value) and value not in SPECIAL:
        return value
    return '"' + "".join(_quoted(char) for char in value) + '"'


_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def _quoted(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    code = ord(char)
    if 0x20 <= code < 0x7F or (char.isprintable() and 0xA1 <= code < 0xD800):
        return char
    if 0xD800 <= code < 0xE000:
        return "\\uFFFD"
    return f"\\u{code:04X}" if code <= 0xFFFF else f"\\U{code:08X}"
