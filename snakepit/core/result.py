"""Owns the text the pit appends to a task, results and stories of attempts, and its finding."""

import re

from snakepit.core.header import split

MARK = "<!-- snakepit"
_RESULT = re.compile(r"^## Result <!-- snakepit (\S+) -->$", re.MULTILINE)
_ANY_BLOCK = re.compile(r"^## (?:Result|Attempt [0-9]+) <!-- snakepit", re.MULTILINE)
_TORN_FROM = len("\n\n## R")  # a shorter beginning of a block cannot be told from its author's text


def result_heading(generation: str) -> str:
    return f"## Result {MARK} {generation} -->"


def result_block(
    generation: str, text: str, *, worker: str, attempt: int, seconds: float, at: str
) -> bytes:
    """What is appended to the finished task; `at` is an RFC 3339 stamp."""
    told = f"*{worker}, attempt {attempt}, {seconds:.1f} s, {at}*"
    return _block(result_heading(generation), told, text)


def attempt_block(n: int, worker: str, reason: str, at: str, logs: str) -> bytes:
    """The story of one run that did not end well; `logs` says where the rest of it lies."""
    told = f"*{worker}, {at}*" + (f", logs: `{logs}`" if logs else "")
    quoted = "\n".join(f"> {line}".rstrip() for line in reason.splitlines())
    return _block(f"## Attempt {n} {MARK} -->", told, quoted)


def _block(heading: str, told: str, text: str) -> bytes:
    harmless = text.replace(MARK, "<!-- (snakepit)").strip("\n")
    return f"\n\n{heading}\n\n{told}\n\n{harmless}\n".encode("utf-8", "replace")


def cut_torn(data: bytes, generation: str) -> tuple[bytes, bytes]:
    """The text without what a life that did not settle it appended, and that piece (or b"")."""
    mark = b"\n\n" + result_heading(generation).encode()
    at = data.find(mark)
    if at < 0:
        longest = min(len(mark) - 1, len(data))
        sizes = range(longest, _TORN_FROM - 1, -1)
        size = next((size for size in sizes if data.endswith(mark[:size])), 0)
        at = len(data) - size
    return data[:at], data[at:]


def result_of(data: bytes) -> str:
    """The text of the last result, or "" where there is none."""
    text = data.decode("utf-8", "replace")
    found = list(_RESULT.finditer(text))
    if not found:
        return ""
    start = found[-1].end()
    following = _ANY_BLOCK.search(text, start)
    block = text[start : following.start()] if following else text[start:]
    told, _, rest = block.strip("\n").partition("\n\n")
    return rest.strip("\n") if told.startswith("*") else block.strip("\n")


def authored(data: bytes) -> bytes:
    """The body as its author wrote it: the same for every attempt of one task."""
    return (
        without_blocks(split(data)[1].decode("utf-8", "surrogateescape"))
        .strip()
        .encode("utf-8", "surrogateescape")
    )


def without_blocks(text: str) -> str:
    """As its author wrote it: without results and stories of attempts."""
    found = _ANY_BLOCK.search(text)
    return (text[: found.start()] if found else text).strip()
