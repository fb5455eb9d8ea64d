"""Owns finding code fences in markdown: which blocks a script worker may run, and where they stand.

A fence counts only where CommonMark sees one at the top level: not inside another fence, an
indented block, a quotation, a list item or an HTML comment. In doubt it is prose; prose never runs.
"""

import re
from dataclasses import dataclass

_OPEN = re.compile(r"( {0,3})(`{3,}|~{3,})[ \t]*(.*)")
_COMMENT = re.compile(r" {0,3}<!--")
_SETTLED = re.compile(r"^## (?:Result|Attempt [0-9]+) <!-- snakepit", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """`line` counts from 1 in the body and names the fence; `words` is the info string, split."""

    language: str
    code: str
    line: int
    words: tuple[str, ...] = ()


def authored(body: str) -> str:
    """The body as its author wrote it, without the results and stories that the pit appended."""
    cut = _SETTLED.search(body) if "<!-- snakepit" in body else None
    return body[: cut.start()] if cut else body


def run_blocks(body: str, *, all_blocks: bool = False) -> tuple[Block, ...]:
    """Fences marked `run` (``bash run``), or all with a language; never one the pit appended."""
    if "```" not in body and "~~~" not in body:
        return ()
    if not all_blocks and "run" not in body:
        return ()
    blocks = _blocks(authored(body))
    if all_blocks:
        return tuple(block for block in blocks if block.language)
    return tuple(block for block in blocks if "run" in block.words[1:])


def _blocks(text: str) -> list[Block]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    found: list[Block] = []
    at = 0
    while at < len(lines):
        if _COMMENT.match(lines[at]):
            at = _after_comment(lines, at)
            continue
        opened = _OPEN.fullmatch(lines[at])
        if opened is None or (opened[2][0] == "`" and "`" in opened[3]):
            at += 1
            continue
        end = _closing(lines, at + 1, opened[2])
        words = tuple(opened[3].split())
        code = "\n".join(_unindented(line, len(opened[1])) for line in lines[at + 1 : end])
        language = words[0] if words else ""
        if end < len(lines):
            block = Block(language=language, code=code + "\n", line=at + 1, words=words)
            found.append(block)
        at = end + 1
    return found


def _after_comment(lines: list[str], at: int) -> int:
    while at < len(lines) and "-->" not in lines[at]:
        at += 1
    return at + 1


def _closing(lines: list[str], start: int, fence: str) -> int:
    """Index of the closing line. A fence that nobody closed is half a file, and is not run."""
    close = re.compile(r" {0,3}" + re.escape(fence[0]) + "{" + str(len(fence)) + r",}[ \t]*")
    for at in range(start, len(lines)):
        if close.fullmatch(lines[at]):
            return at
    return len(lines)


def _unindented(line: str, width: int) -> str:
    lead = len(line) - len(line.lstrip(" "))
    return line[min(width, lead) :]
