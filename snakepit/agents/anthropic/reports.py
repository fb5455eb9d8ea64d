"""Owns the events of one run: their fields from what the loop just did; it writes none itself."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from snakepit import clock
from snakepit.agents.anthropic.asking import Tell
from snakepit.agents.anthropic.client import Answer, Client
from snakepit.agents.anthropic.pane import Pane
from snakepit.agents.anthropic.toolbox import Toolbox
from snakepit.agents.anthropic.transcript import Transcript
from snakepit.agents.anthropic.waiting import Watch
from snakepit.core.conversation import Call, text_of
from snakepit.core.outcome import Outcome
from snakepit.core.usage import Usage

SUGGESTIONS = 3


@dataclass(slots=True, kw_only=True)
class Reports:
    """`price`: of so much usage, None where unknown. `limit`: tokens of the window."""

    tell: Tell
    model: str
    client: Client
    toolbox: Toolbox
    transcript: Transcript
    pane: Pane
    watch: Watch
    limit: int
    price: Callable[[Usage], float | None]
    _last: Answer | None = None
    _started: float = 0.0
    _gave: Sequence[str] = ()

    def start(self, *, directory: str, system: str, resumed: bool) -> None:
        self.tell(
            "agent_start",
            model=self.model,
            provider=self.client.host,
            directory=directory,
            system_prompt=system,
            tools=self.toolbox.names,
            resumed=resumed or None,
            session=self._session,
        )

    def prompt(self, text: str, origin: str) -> None:
        self.tell(
            "user_prompt",
            model=self.model,
            provider=self.client.host,
            prompt=text,
            origin=origin,
            message_count=len(self.transcript.conversation.messages),
            tools=self.toolbox.names,
            session=self._session,
        )

    def step(self, answer: Answer, given: Sequence[str]) -> None:
        self._last, self._gave = answer, given
        self.tell("agent_step", **self._answer(answer))

    def stop(self, ended: Outcome) -> None:
        conversation = self.transcript.conversation
        last = self._answer(self._last) if self._last else {"usage": self._usage(Usage())}
        self.tell(
            "agent_stop",
            **{
                **last,
                "content": ended.text or conversation.last_text() or None,
                "tool_calls": None,
                "finish_reason": str(ended.details.get("ending") or conversation.stop) or None,
                "model": self.model,
                "session": conversation.session,
            },
            outcome=ended.kind,
            reason=ended.reason or None,
            turns=conversation.turns,
        )

    def call(self, call: Call) -> None:
        self._started = clock.monotonic()
        self.tell(
            "tool_call",
            tool_call_id=call.id,
            tool=call.name,
            arguments=call.input,
            session=self._session,
        )

    def result(self, call: Call, text: str, *, is_error: bool, is_interrupted: bool) -> None:
        seconds = None if is_interrupted else round(clock.monotonic() - self._started, 3)
        self.tell(
            "tool_result",
            tool_call_id=call.id,
            tool=call.name,
            result=text,
            is_error=is_error or None,
            interrupted=is_interrupted or None,
            seconds=seconds,
            session=self._session,
        )

    def unknown_model(self, reason: str) -> list[str]:
        """The nearest of what the server has; said in the pane and as an event."""
        from difflib import get_close_matches

        models = {found.id: found for found in self.watch.ask(self.client.models) or ()}
        near = get_close_matches(self.model, models, n=SUGGESTIONS, cutoff=0.4)
        near = near or sorted(models)[:SUGGESTIONS]
        self.tell(
            "model_lookup_warning",
            model=self.model,
            error_message=reason,
            suggestions=[
                {"id": name, "name": found.name or None, "context_window": found.context_window}
                for name in near
                for found in (models[name],)
            ],
        )
        if near:
            self.pane.line(f"[the server knows no {self.model}; it has {', '.join(near)}]")
        return near

    @property
    def _session(self) -> str:
        return self.transcript.conversation.session

    def _answer(self, answer: Answer) -> dict[str, object]:
        calls = [
            {"id": block.get("id"), "name": block.get("name"), "arguments": block.get("input")}
            for block in answer.content
            if isinstance(block, dict) and block.get("type") == "tool_use"
        ]
        return {
            "model": answer.model or self.model,
            "content": text_of(answer.content) or None,
            "tool_calls": calls,
            "finish_reason": answer.stop,
            "tool_executions": list(self._gave),
            "usage": self._usage(answer.usage),
            "session": self._session,
        }

    def _usage(self, used: Usage) -> dict[str, object]:
        whole = self.transcript.conversation.usage
        context = self.transcript.conversation.context
        fields: dict[str, object] = {
            "input_tokens": used.tokens - used.output,
            "output_tokens": used.output,
            "total_tokens": used.tokens,
            "cache_read_tokens": used.cache_read,
            "cache_write_tokens": used.cache_write,
            "input_cost": self.price(used._replace(output=0)),
            "output_cost": self.price(Usage(output=used.output, model=used.model)),
            "total_cost": used.cost_usd,
            "cumulative_input_tokens": whole.tokens - whole.output,
            "cumulative_output_tokens": whole.output,
            "cumulative_total_tokens": whole.tokens,
            "cumulative_cost": whole.cost_usd,
            "context_limit": self.limit,
            "tokens_used_percentage": f"{100 * context / self.limit:.2f}%",
            "tokens_remaining": max(0, self.limit - context),
        }
        return {key: value for key, value in fields.items() if value is not None}
