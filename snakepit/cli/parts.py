"""Owns the texts that agents hand over: from -m, files or stdin; and parts by their marker lines."""

import os
import sys
from collections.abc import Iterator

from snakepit.core.names import task_name
from snakepit.errors import NotFound, UsageProblem

PART_OPEN = "--- part:"
PART_CLOSE = "---"


def given_text(source: str | None, message: str | None) -> str:
    if message is not None:
        return message
    text = ""
    if source is not None or not sys.stdin.isatty():
        text = given_bytes(source or "-").decode("utf-8", "replace")
    if source is None and not text.strip():
        msg = "no text given"
        raise UsageProblem(msg, fix='-m "text", a file, or text on stdin')
    return text


def given_bytes(source: str) -> bytes:
    if source == "-":
        return sys.stdin.buffer.read()
    try:
        with open(source, "rb") as file:
            return file.read()
    except OSError as exc:
        msg = f"cannot read {source}: {exc.strerror}"
        raise NotFound(msg, fix="check the path; - reads stdin") from exc


def given_parts(sources: tuple[str, ...]) -> Iterator[tuple[str, bytes]]:
    for source in sources:
        if source == "-":
            yield from read_parts(given_bytes(source))
        else:
            yield task_name(os.path.basename(source)), given_bytes(source)


def read_parts(data: bytes) -> Iterator[tuple[str, bytes]]:
    """Parts by the lines `--- part: NAME.md ---` before them."""
    name = ""
    lines: list[bytes] = []
    for line in data.splitlines(keepends=True):
        title = _part_title(line)
        if title is None:
            lines.append(line)
            continue
        yield from _finished(name, lines)
        name, lines = title, []
    if not name:
        msg = "stdin names no part"
        raise UsageProblem(msg, fix="put a line `--- part: NAME.md ---` before each part")
    yield from _finished(name, lines)


def _part_title(line: bytes) -> str | None:
    text = line.decode("utf-8", "replace").strip()
    if text.startswith(PART_OPEN) and text.endswith(PART_CLOSE):
        return task_name(text[len(PART_OPEN) : -len(PART_CLOSE)].strip())
    return None


def _finished(name: str, lines: list[bytes]) -> Iterator[tuple[str, bytes]]:
    text = b"".join(lines)
    if name:
        yield name, text
    elif text.strip():
        msg = "there is text before the first part"
        raise UsageProblem(msg, fix="begin with a line `--- part: NAME.md ---`")
