"""Owns the conversation with a model as a fold of its records: what is sent next, which calls are open.

Records are the lines of conversation.jsonl, in the order they were made:
  begin    session, task, text_hash, model
  run      generation, attempt: a life begins with it, or goes on
  prompt   text, origin
  answer   content, stop, usage, context (tokens of request and answer), message
  call     id, name, input: written before the tool runs
  result   id, content, is_error: written after it ran; ending: kind and text, where the call was the last
  shortened, summary: the history was made smaller, and how
  lost     usage of a request whose answer did not arrive
  end      kind, text: the conversation is over, and what the agent wanted
  told     the run has reported what it used
  settled  the pit has accepted the end
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from snakepit.core.compaction import Message, shorten, summarised, text_block
from snakepit.core.usage import Usage

Record = Mapping[str, object]

INTERRUPTED = (
    "interrupted, outcome unknown: the run was killed while this call was running. "
    "Look at what it left before you do it again."
)


NOTHING_USED = Usage()


class Call(NamedTuple):
    id: str
    name: str
    input: object


class Ending(NamedTuple):
    """`kind`: done, fail, dead, release, split, or the kind of an outcome that ended it."""

    kind: str
    text: str = ""


@dataclass(slots=True)
class Conversation:
    """Mutable: `add` takes one record after the other, from the disk or as they are made.

    `usage` is of all runs, `untold` of it what no run has reported yet: that of a killed one is the next one's.
    """

    session: str = ""
    text_hash: str = ""
    messages: list[Message] = field(default_factory=list)
    open: dict[str, Call] = field(default_factory=dict)
    started: set[str] = field(default_factory=set)
    results: dict[str, dict[str, object]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    usage: Usage = NOTHING_USED
    untold: Usage = NOTHING_USED
    turns: int = 0
    context: int = 0
    context_at: int = 0  # messages that `context` counts
    shortened_at: int = 0
    stop: str = ""
    ending: Ending | None = None
    is_settled: bool = False
    generations: list[str] = field(default_factory=list)

    def add(self, record: Record) -> None:
        take = getattr(self, f"_{record.get('t')}", None)
        if take is not None:
            take(record)

    @property
    def answers(self) -> bool:
        """Whether the model has said anything yet."""
        return self.turns > 0

    def pending(self) -> list[Call]:
        """Calls of the last answer that have no result, in order."""
        return [call for call in self.open.values() if call.id not in self.results]

    def is_interrupted(self, call: Call) -> bool:
        """It was started, and nobody knows what came of it."""
        return call.id in self.started and call.id not in self.results

    def last_text(self) -> str:
        """What the model said last, without its thoughts and calls."""
        for message in reversed(self.messages):
            if message.get("role") == "assistant":
                return text_of(message.get("content"))
        return ""

    # --- one for each kind of record

    def _begin(self, record: Record) -> None:
        self.session = str(record.get("session", ""))
        self.text_hash = str(record.get("text_hash", ""))

    def _run(self, record: Record) -> None:
        self.generations.append(str(record.get("generation", "")))

    def _prompt(self, record: Record) -> None:
        self.notes.append(str(record.get("text", "")))
        self._close_turn()

    def _answer(self, record: Record) -> None:
        content = record.get("content")
        blocks = list(content) if isinstance(content, list) else []
        self.messages.append({"role": "assistant", "content": blocks})
        self.turns += 1
        self._used(record)
        self.context = _number(record.get("context"))
        self.context_at = len(self.messages)
        self.stop = str(record.get("stop", ""))
        self.started, self.results = set(), {}
        self.open = {
            str(block["id"]): Call(str(block["id"]), str(block.get("name")), block.get("input"))
            for block in blocks
            if isinstance(block, Mapping) and block.get("type") == "tool_use"
        }

    def _call(self, record: Record) -> None:
        self.started.add(str(record.get("id")))

    def _result(self, record: Record) -> None:
        identity = str(record.get("id"))
        if identity not in self.open or identity in self.results:
            return
        block: dict[str, object] = {
            "type": "tool_result",
            "tool_use_id": identity,
            "content": str(record.get("content", "")),
        }
        if record.get("is_error"):
            block["is_error"] = True
        self.results[identity] = block
        ending = record.get("ending")
        if isinstance(ending, Mapping):
            self._end(ending)
        else:
            self._close_turn()

    def _shortened(self, record: Record) -> None:
        self.messages = shorten(self.messages, _number(record.get("keep"))).messages
        self._changed()

    def _summary(self, record: Record) -> None:
        cut = _number(record.get("cut"))
        self.messages = summarised(self.messages, cut, str(record.get("text", "")))
        self._used(record)
        self._changed()

    def _lost(self, record: Record) -> None:
        self._used(record)

    def _end(self, record: Record) -> None:
        self.ending = Ending(str(record.get("kind", "")), str(record.get("text", "")))

    def _settled(self, _: Record) -> None:
        self.is_settled = True

    def _told(self, _: Record) -> None:
        self.untold = NOTHING_USED

    # ---

    def _used(self, record: Record) -> None:
        used = Usage.from_json(record.get("usage"))
        self.usage, self.untold = self.usage + used, self.untold + used

    def _changed(self) -> None:
        """The server's count no longer holds."""
        self.context = self.context_at = 0
        self.shortened_at = len(self.messages)

    def _close_turn(self) -> None:
        """Once every call has its result they go back in one message, and what was noted after them."""
        if self.pending():
            return
        blocks: list[object] = [self.results[identity] for identity in self.open]
        blocks += [text_block(note) for note in self.notes]
        self.open, self.started, self.results, self.notes = {}, set(), {}, []
        if not blocks:
            return
        last = self.messages[-1] if self.messages else None
        if last is not None and last.get("role") == "user":
            had = last.get("content")
            blocks = [*(had if isinstance(had, list) else []), *blocks]
            self.messages[-1] = {"role": "user", "content": blocks}
        else:
            self.messages.append({"role": "user", "content": blocks})


def fold(records: Iterable[Record]) -> Conversation:
    found = Conversation()
    for record in records:
        found.add(record)
    return found


def text_of(content: object) -> str:
    blocks = content if isinstance(content, list) else []
    texts = [
        str(block.get("text", ""))
        for block in blocks
        if isinstance(block, Mapping) and block.get("type") == "text"
    ]
    return "\n".join(text for text in texts if text.strip()).strip()


def _number(value: object) -> int:
    return value if isinstance(value, int) else 0
