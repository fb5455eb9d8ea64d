"""Owns one request to the model until it is answered or hopeless: its shape, its stream, its retries."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snakepit.agents.anthropic.client import Answer, Client, Delta, Lost
from snakepit.agents.anthropic.pane import Pane
from snakepit.agents.anthropic.settings import SMALLEST_ANSWER, Settings
from snakepit.agents.anthropic.waiting import Watch
from snakepit.core.apifailure import DROPPED, STATUS, Diagnosis, Failure, backoff, diagnose
from snakepit.core.compaction import Message
from snakepit.core.resets import ZoneOf
from snakepit.core.usage import Usage

Tell = Callable[..., None]
CACHED = {"type": "ephemeral"}


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What a run needs of time, chance and money; a test gives its own. `price` is None where unknown."""

    now: Callable[[], float]
    pause: Callable[[float], None]
    spread: Callable[[], float]
    zone_of: ZoneOf
    price: Callable[[Usage], float | None]


@dataclass(slots=True, kw_only=True)
class Asker:
    """`cache` and `most` are turned down when the server refuses more."""

    client: Client
    settings: Settings
    model: str
    system: str
    tools: Sequence[dict[str, object]]
    watch: Watch
    pane: Pane
    tell: Tell
    lost: Callable[[Usage], None]
    world: World
    cache: bool = True
    most: int = 0

    def request(self, messages: Sequence[Message], *, room: int = 0) -> dict[str, object]:
        """`room`: tokens left in the window; an answer is never asked to be longer."""
        longest = self.most or self.settings.answer_tokens
        if room:
            longest = max(min(longest, room), min(SMALLEST_ANSWER, longest))
        system: dict[str, object] = {"type": "text", "text": self.system}
        sent = [_sendable(message) for message in messages]
        tools = [*self.tools]
        if self.cache:
            system["cache_control"] = CACHED
            if tools:
                tools[-1] = {**tools[-1], "cache_control": CACHED}
            if sent:
                sent[-1] = _marked(sent[-1])
        made: dict[str, object] = {
            "model": self.model,
            "max_tokens": longest,
            "system": [system],
            "messages": sent,
        }
        return {**made, "tools": tools} if tools else made

    def summary_request(self, text: str, *, room: int) -> dict[str, object]:
        most = min(self.most or self.settings.answer_tokens, 4000, max(room, SMALLEST_ANSWER))
        return {
            "model": self.model,
            "max_tokens": most,
            "messages": [{"role": "user", "content": text}],
        }

    def answer(
        self, make: Callable[[], dict[str, object]], *, shows: bool = True
    ) -> Answer | Diagnosis:
        """`make` builds the request anew for each try. `Stopped` passes."""
        failures = 0
        while True:
            got = self._once(make(), shows=shows)
            if isinstance(got, Answer):
                return got
            self.lost(got.usage)
            found = diagnose(got.failure, now=self.world.now(), zone_of=self.world.zone_of)
            if self._adapts(found):
                continue
            failures += 1
            wait = found.wait if found.wait is not None else backoff(failures, self.world.spread())
            if found.may_retry and wait > self.settings.patience:
                until = found.until or self.world.now() + wait
                found = found._replace(may_retry=False, until=until)
            if not found.may_retry or failures > self.settings.retries:
                self._gave_up(got.failure, found, failures)
                return found
            self._again(got.failure, found, failures, wait)

    def _adapts(self, found: Diagnosis) -> bool:
        """A request that the server takes when it asks for less."""
        if found.drop_cache and self.cache:
            self.cache = False
            self.pane.line("[the server refuses prompt caching; going on without]")
            return True
        if found.cap and found.cap < (self.most or self.settings.answer_tokens):
            self.most = found.cap
            return True
        return False

    def _once(self, request: dict[str, object], *, shows: bool) -> Answer | Lost:
        got: Answer | Lost = Lost(Failure(DROPPED))
        pieces = self.watch.follow(lambda: self.client.stream(request), quiet=self.pane.settle)
        for item in pieces:
            if isinstance(item, Delta):
                if shows:
                    self.pane.piece(item.text)
            else:
                used = item.usage
                cost = self.world.price(used) if used.tokens else used.cost_usd
                got = item._replace(usage=used._replace(cost_usd=cost))
        return got

    def _again(self, failure: Failure, found: Diagnosis, failures: int, wait: float) -> None:
        self.pane.line(
            f"[{found.reason}; again in {wait:.0f} s, {failures} of {self.settings.retries}]"
        )
        self.tell(
            "llm_retry_attempt",
            model=self.model,
            retry=failures,
            max_retries=self.settings.retries,
            error_class=_class_of(failure, found),
            error_message=found.reason,
            retry_delay=round(wait, 3),
        )
        self.world.pause(wait)

    def _gave_up(self, failure: Failure, found: Diagnosis, failures: int) -> None:
        self.pane.line(f"[{found.reason}]")
        self.tell(
            "llm_retry_exhausted",
            model=self.model,
            attempts=failures,
            error_class=_class_of(failure, found),
            error_message=found.reason,
        )


def _class_of(failure: Failure, found: Diagnosis) -> str:
    return found.kind if failure.what == STATUS else failure.what


def _sendable(message: Message) -> Message:
    """Without empty texts, which servers refuse; a message is never left without a block."""
    content = message.get("content")
    if not isinstance(content, list):
        return dict(message)
    blocks = [
        block
        for block in content
        if not (
            isinstance(block, dict)
            and block.get("type") == "text"
            and not str(block.get("text", "")).strip()
        )
    ]
    return {**message, "content": blocks or [{"type": "text", "text": "(nothing)"}]}


def _marked(message: Message) -> Message:
    """The end of what may be cached: the newest block that can bear the mark."""
    content = message.get("content")
    if not isinstance(content, list):
        return message
    for index in range(len(content) - 1, -1, -1):
        block = content[index]
        if isinstance(block, dict) and block.get("type") in ("text", "tool_result", "tool_use"):
            marked = [*content[:index], {**block, "cache_control": CACHED}, *content[index + 1 :]]
            return {**message, "content": marked}
    return message
