"""Owns how full the model's context is, and making it emptier in time; the rules are core's."""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from snakepit.agents.anthropic.asking import Asker
from snakepit.agents.anthropic.client import Answer
from snakepit.agents.anthropic.transcript import Transcript
from snakepit.core.compaction import (
    SUMMARY_AT,
    SUMMARY_KEEPS,
    TIGHTER,
    Message,
    calls_listed,
    estimate,
    marks_passed,
    shorten,
    summary_cut,
)

COUNT_FROM = 0.85  # of the share at which something is shortened: from there on the server is asked
AGAIN_AFTER = 10  # messages between two shortenings, so that the server's cache is of use
URGENT = 0.8  # share at which they do not wait
SHOWN_OF_A_RESULT = 500  # characters, to whoever writes the summary
ASK_SUMMARY = (
    "Below is the record of work on a task so far. Write a summary for whoever goes on with it: what "
    "was asked, what was found and decided, which files were changed and how, what is left to do, and "
    "what did not work. Names, paths and numbers exactly. No preamble.\n\n"
)


@dataclass(slots=True, kw_only=True)
class Window:
    """`limit`: tokens of the model's context."""

    asker: Asker
    transcript: Transcript
    limit: int
    compact_at: float
    counts: bool = True
    _share: float = 0.0
    _is_estimate: bool = True

    @property
    def messages(self) -> list[Message]:
        return self.transcript.conversation.messages

    def used(self) -> int:
        """Tokens of the next request: what the server counted last, and an estimate of what is new."""
        found = self.transcript.conversation
        self._is_estimate = True
        if found.context:
            return found.context + estimate(*found.messages[found.context_at :])
        return estimate(self.asker.system, self.asker.tools, found.messages)

    def room(self) -> int:
        return max(1, self.limit - self.used())

    def numbers(self) -> dict[str, object]:
        return self._numbers(self.used())

    def _numbers(self, used: int) -> dict[str, object]:
        return {
            "tokens_used": used,
            "tokens_remaining": max(0, self.limit - used),
            "context_limit": self.limit,
            "current_usage": f"{100 * used / self.limit:.1f}%",
            "is_estimate": self._is_estimate or None,
        }

    def keep_inside(self) -> None:
        """Before each request."""
        used = self._counted()
        share = used / self.limit
        wants = self._wants(share)
        for mark in marks_passed(self._share, share):
            self.asker.tell(
                "context_limit_warning",
                model=self.asker.model,
                threshold=f"{mark}%",
                compression_triggered=wants,
                **self._numbers(used),
            )
        self._share = share
        if not wants:
            return
        for keep in TIGHTER:
            if share < self.compact_at:
                return
            if self._shorten(keep, used):
                used = self._counted()
                self._share = share = used / self.limit
        if share >= SUMMARY_AT:
            self._summarise()

    def tighten(self) -> bool:
        """The server says that it is too much: the next smaller form; False when there is none."""
        used = self.used()
        if any(self._shorten(keep, used) for keep in TIGHTER):
            return True
        return self._summarise()

    def _wants(self, share: float) -> bool:
        if share < self.compact_at:
            return False
        grown = len(self.messages) - self.transcript.conversation.shortened_at
        return grown >= AGAIN_AFTER or share >= URGENT

    def _counted(self) -> int:
        used = self.used()
        if self.counts and used >= COUNT_FROM * self.compact_at * self.limit:
            request = self.asker.request(self.messages)
            counted = self.asker.watch.ask(lambda: self.asker.client.count(request))
            if counted is None:
                self.counts = False
            else:
                self._is_estimate = False
                return counted
        return used

    def _shorten(self, keep: int, used: int) -> bool:
        total = len(self.messages)
        changed = shorten(self.messages, keep).changed
        if not changed:
            return False
        self.transcript.add("shortened", keep=keep)
        self._told(used, total, changed, "progressive_tool_result_compression", keep)
        return True

    def _summarise(self) -> bool:
        messages = self.messages
        for keep in SUMMARY_KEEPS:
            cut = summary_cut(messages, keep)
            if cut is not None and cut > 1:
                used = self.used()
                text, usage = self._summary(messages[:cut])
                self.transcript.add("summary", cut=cut, text=text, usage=usage)
                self._told(used, len(messages), cut - 1, "summary", len(messages) - cut)
                return True
        return False

    def _summary(self, messages: list[Message]) -> tuple[str, Mapping[str, object]]:
        """By the model; a list of the calls where it does not answer."""
        most = 2 * self.limit  # characters: half of the window
        text = ASK_SUMMARY + _record(messages)[-most:]
        request = self.asker.summary_request(text, room=self.limit // 4)
        got = self.asker.answer(lambda: request, shows=False)
        if isinstance(got, Answer):
            blocks = [block for block in got.content if isinstance(block, Mapping)]
            said = "\n".join(str(block.get("text", "")) for block in blocks).strip()
            if said:
                return said, got.usage.to_json()
        return calls_listed(messages), {}

    def _told(self, used: int, total: int, changed: int, strategy: str, keep: int) -> None:
        after = self.used()
        saved = f"{used:,} -> {after:,} tokens"
        self.asker.pane.line(f"[made room: {changed} of {total} messages shortened, {saved}]")
        self.asker.tell(
            "context_compression",
            model=self.asker.model,
            total_messages=total,
            messages_compressed=changed,
            tokens_before=used,
            tokens_after=after,
            compression_strategy=strategy,
            keep_recent=keep,
            current_usage=f"{100 * used / self.limit:.1f}%",
            context_limit=self.limit,
            is_estimate=True,
        )


def _record(messages: list[Message]) -> str:
    lines = []
    for message in messages:
        content = message.get("content")
        for block in content if isinstance(content, list) else ():
            if not isinstance(block, Mapping):
                continue
            if block.get("type") == "text":
                lines.append(f"{message.get('role')}: {block.get('text')}")
            elif block.get("type") == "tool_use":
                given = json.dumps(block.get("input"), ensure_ascii=False)
                lines.append(f"call {block.get('name')}: {given[:2000]}")
            elif block.get("type") == "tool_result":
                lines.append(f"result: {str(block.get('content'))[:SHOWN_OF_A_RESULT]}")
    return "\n".join(lines)
