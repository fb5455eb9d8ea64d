"""Owns keeping a conversation inside the model's window: what is shortened when, and by how much; it asks nobody.

Messages are in the form of the Messages API. Nothing here changes a message in place: what was sent stays what
it was, so a conversation can be folded again from its records.
"""

import json
import re
from collections.abc import Mapping, Sequence
from typing import NamedTuple

Message = dict[str, object]

KEEP_RECENT = 10  # newest messages that are left as they are
AGES = ((20, 1000), (40, 500), (60, 200))  # up to this age in messages: characters of a tool result
OLDEST = 100  # characters of a result older than all of them
TIGHTER = (KEEP_RECENT, 4, 2)  # tried one after the other until it fits
SUMMARY_KEEPS = (20, 6, 2)  # newest messages beside a summary, the same way
MARKS = (60, 80, 90, 95)  # percent of the window that are worth an event
SUMMARY_AT = 0.9  # share at which shortening alone no longer helps
CHARS_A_TOKEN = 4
REPEATABLE = frozenset({"read", "grep", "glob", "show", "list"})

_LEFT_OUT = re.compile(r"\n\[… (\d+) characters left out to save room[^\]]*\]\Z")


class Shortened(NamedTuple):
    messages: list[Message]
    changed: int


def estimate(*values: object) -> int:
    """Tokens, roughly: four characters one, and one for each that is not ASCII."""
    text = "".join(json.dumps(value, ensure_ascii=False, default=str) for value in values)
    plain = len(text.encode("ascii", "ignore"))
    return plain // CHARS_A_TOKEN + len(text) - plain


def shorten(messages: Sequence[Message], keep_recent: int = KEEP_RECENT) -> Shortened:
    """Tool results cut by age, the newest message being 1; cutting again cuts nothing twice."""
    names = _names_of_calls(messages)
    found: list[Message] = []
    changed = 0
    for index, message in enumerate(messages):
        age = len(messages) - index
        limit = _limit(age, keep_recent)
        content = message.get("content")
        if limit is None or not isinstance(content, list):
            found.append(message)
            continue
        blocks = [_cut_block(block, limit, names) for block in content]
        if blocks == content:
            found.append(message)
        else:
            changed += 1
            found.append({**message, "content": blocks})
    return Shortened(found, changed)


def _limit(age: int, keep_recent: int) -> int | None:
    if age <= keep_recent:
        return None
    return next((size for until, size in AGES if age <= until), OLDEST)


def _names_of_calls(messages: Sequence[Message]) -> dict[str, str]:
    names = {}
    for message in messages:
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            if isinstance(block, Mapping) and block.get("type") == "tool_use":
                names[str(block.get("id"))] = str(block.get("name"))
    return names


def _cut_block(block: object, limit: int, names: Mapping[str, str]) -> object:
    if not isinstance(block, Mapping) or block.get("type") != "tool_result":
        return block
    text = block.get("content")
    if not isinstance(text, str):
        return block
    earlier = _LEFT_OUT.search(text)
    kept = text[: earlier.start()] if earlier else text
    if len(kept) <= limit:
        return block
    left_out = len(kept) - limit + (int(earlier[1]) if earlier else 0)
    name = names.get(str(block.get("tool_use_id")), "")
    hint = f"; call {name} again if you need it" if name in REPEATABLE else ""
    marked = f"{kept[:limit]}\n[… {left_out} characters left out to save room{hint}]"
    return {**block, "content": marked}


def summary_cut(messages: Sequence[Message], keep: int) -> int | None:
    """Index of the first message kept beside a summary: an answer, so that its results follow it."""
    for index in range(max(2, len(messages) - keep), len(messages)):
        if messages[index].get("role") == "assistant":
            return index
    return None


def summarised(messages: Sequence[Message], cut: int, summary: str) -> list[Message]:
    """The task, the summary in place of what came before `cut`, and what came after."""
    first = messages[0]
    content = first.get("content")
    blocks = list(content) if isinstance(content, list) else [text_block(str(content))]
    told = f"[Your work so far was summarised to save room.]\n\n{summary}"
    return [{**first, "content": [*blocks[:1], text_block(told)]}, *messages[cut:]]


def text_block(text: str) -> dict[str, object]:
    return {"type": "text", "text": text}


def marks_passed(before: float, now: float) -> list[int]:
    """Percent marks between two shares of the window."""
    return [mark for mark in MARKS if before * 100 < mark <= now * 100]


def calls_listed(messages: Sequence[Message]) -> str:
    """What was called, a line each: the summary where no model writes one."""
    lines = []
    for message in messages[1:]:
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            if not isinstance(block, Mapping):
                continue
            if block.get("type") == "tool_use":
                given = json.dumps(block.get("input"), ensure_ascii=False)
                lines.append(f"- {block.get('name')} {given[:160]}")
            elif block.get("type") == "text" and message.get("role") == "assistant":
                lines.append(f"- said: {' '.join(str(block.get('text')).split())[:200]}")
    return "What you did, without its results:\n" + "\n".join(lines[-200:])
