"""Owns the work on one task: ask, run what the model calls, tell it what came of it, until it ends; it settles nothing.

Every step is on the disk before the next is taken: an answer before its calls, a call before it runs, its
result before it is sent. So whoever goes on with the conversation repeats no call that has a result.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

from snakepit.agents.anthropic.asking import Asker
from snakepit.agents.anthropic.client import Answer
from snakepit.agents.anthropic.limits import over_limit
from snakepit.agents.anthropic.pane import Pane
from snakepit.agents.anthropic.reports import Reports
from snakepit.agents.anthropic.settings import Settings
from snakepit.agents.anthropic.toolbox import Toolbox, ToolResult
from snakepit.agents.anthropic.transcript import Transcript
from snakepit.agents.anthropic.waiting import Stopped, ended_by
from snakepit.agents.anthropic.window import Window
from snakepit.core import outcome
from snakepit.core.apifailure import Diagnosis
from snakepit.core.conversation import INTERRUPTED, Call, Ending, text_of
from snakepit.core.outcome import Outcome

RESULT_LIMIT = 60_000  # characters of one result that the model sees
TAKEN_AWAY = "the task was taken away"
CUT_ANSWERS = 3  # one after the other, before the run fails
RESUMED = (
    "[This run was interrupted and goes on now. Your shell is new: its folder, variables and "
    "background processes are gone. Go on with the task.]"
)
CUT = "[Your answer reached the limit of its length and was cut. Go on from there, in smaller pieces.]"
FULL = "[Your context was full; older content was shortened. Go on.]"
NOT_YET = "not ended: the person at your pane has just written to you; see below"
SILENT = "[You said nothing. Go on with the task, or end it with done or fail.]"
KINDS = {
    "done": outcome.OK,
    "split": outcome.OK,
    "fail": outcome.FAILED,
    "dead": outcome.FAILED,
    "release": outcome.INTERRUPTED,
}


@dataclass(slots=True, kw_only=True)
class Work:
    """`is_held`: whether the task is still ours. `typed`: what the person at the pane wrote since the last
    call. `mask`: text without known secrets."""

    asker: Asker
    window: Window
    toolbox: Toolbox
    transcript: Transcript
    settings: Settings
    pane: Pane
    reports: Reports
    is_held: Callable[[], bool]
    typed: Callable[[], list[str]]
    mask: Callable[[str], str]
    _silences: int = 0
    _cuts: int = 0
    _fed: list[str] = field(default_factory=list)

    def run(self, prompt: str) -> Outcome:
        """Begin with `prompt`, or go on where an earlier run of this conversation was cut off."""
        conversation = self.transcript.conversation
        try:
            if conversation.ending is not None:
                return self._ended(conversation.ending)
            if not conversation.messages and not conversation.notes:
                self._prompt(prompt, "task")
            elif conversation.answers:
                self._prompt(RESUMED, "resume")
            return self._until_the_end()
        except Stopped as stopped:
            return self._out(ended_by(stopped))

    def _until_the_end(self) -> Outcome:
        conversation = self.transcript.conversation
        while True:
            self._run_calls()
            if conversation.ending is not None:
                return self._ended(conversation.ending)
            if not self.is_held():
                raise Stopped(TAKEN_AWAY)
            for line in self.typed():
                self._prompt(line, "person")
            reason = over_limit(self.settings, conversation)
            if reason:
                return self._end(Ending(outcome.FAILED, reason))
            self.window.keep_inside()
            got = self.asker.answer(self._request)
            if isinstance(got, Answer):
                ended = self._take(got)
            elif got.kind == outcome.CONTEXT_FULL and self.window.tighten():
                ended = None
            else:
                ended = self._gave_up(got)
            if ended is not None:
                return ended

    def _request(self) -> dict[str, object]:
        return self.asker.request(self.transcript.conversation.messages, room=self.window.room())

    # --- an answer

    def _take(self, answer: Answer) -> Outcome | None:
        content = answer.content
        if answer.stop == "max_tokens":  # a call that was cut is not what the model meant
            content = [block for block in content if not _is_call(block)]
        self.transcript.add(
            "answer",
            message=answer.message,
            model=answer.model,
            content=content,
            stop=answer.stop,
            usage=answer.usage.to_json(),
            context=answer.tokens,
        )
        self.pane.end_line()
        if self.transcript.conversation.open:
            self._silences = self._cuts = 0
            self.reports.step(answer, self._fed)
            return None
        return self._without_calls(answer, text_of(content))

    def _without_calls(self, answer: Answer, text: str) -> Outcome | None:
        if answer.stop == "max_tokens" or answer.stop == "model_context_window_exceeded":
            return self._was_cut(answer.stop)
        if answer.stop == "pause_turn":
            return None
        if answer.stop == "refusal":
            said = f": {text}" if text else ""
            return self._end(Ending(outcome.FAILED, f"the model refused{said}"))
        lines = self.typed()
        for line in lines:
            self._prompt(line, "person")
        if lines:
            return None
        if text:
            return self._end(Ending("done", text))
        self._silences += 1
        if self._silences > 1:
            return self._end(Ending(outcome.FAILED, "the model ended its turn without a word"))
        self._prompt(SILENT, "reminder")
        return None

    def _was_cut(self, stop: str) -> Outcome | None:
        if stop != "max_tokens" and not self.window.tighten():
            return self._end(Ending(outcome.CONTEXT_FULL, "the model's context is full"))
        self._cuts += 1
        if self._cuts > CUT_ANSWERS:
            return self._end(Ending(outcome.FAILED, "its answers are longer than it may give"))
        self._prompt(CUT if stop == "max_tokens" else FULL, "reminder")
        return None

    # --- calls

    def _run_calls(self) -> None:
        self._fed = []
        conversation = self.transcript.conversation
        while calls := conversation.pending():
            call = calls[0]
            self._fed.append(call.id)
            if conversation.is_interrupted(call) and not self.toolbox.is_pure(call.name):
                self._result(call, ToolResult(INTERRUPTED, True), is_interrupted=True)
                continue
            if self.toolbox.ends(call.name) and (lines := self.typed()):
                for line in lines:
                    self._prompt(line, "person")
                self._result(call, ToolResult(NOT_YET, True))
                continue
            self.transcript.add("call", id=call.id, name=call.name, input=call.input)
            self.reports.call(call)
            self.pane.call(call.name, call.input)
            result = self.toolbox.run(call.name, call.input)
            self._result(call, result)
            if conversation.ending is not None:
                return

    def _result(self, call: Call, result: ToolResult, *, is_interrupted: bool = False) -> None:
        text = self.mask(result.text).encode("utf-8", "replace").decode()
        if len(text) > RESULT_LIMIT:
            left_out = len(text) - RESULT_LIMIT
            text = f"{text[:RESULT_LIMIT]}\n[… {left_out} characters left out]"
        ending = {"ending": result.ending._asdict()} if result.ending is not None else {}
        self.transcript.add("result", id=call.id, content=text, is_error=result.is_error, **ending)
        self.reports.result(call, text, is_error=result.is_error, is_interrupted=is_interrupted)
        self.pane.result(text, is_error=result.is_error)

    # --- ends

    def _prompt(self, text: str, origin: str) -> None:
        self.transcript.add("prompt", text=self.mask(text), origin=origin)
        self.reports.prompt(text, origin)
        if origin == "person":
            self.pane.line(f"[to the model: {text}]")

    def _end(self, ending: Ending) -> Outcome:
        self.transcript.add("end", **ending._asdict())
        return self._ended(ending)

    def _ended(self, ending: Ending) -> Outcome:
        kind = KINDS.get(ending.kind, ending.kind)
        details = {"ending": ending.kind}
        if kind == outcome.OK:
            return self._out(Outcome(kind, text=ending.text, details=details))
        return self._out(Outcome(kind, reason=ending.text, details=details))

    def _gave_up(self, found: Diagnosis) -> Outcome:
        """What is the account's or the server's fault leaves the conversation open: it goes on later."""
        if found.kind in (outcome.FAILED, outcome.POISONED, outcome.CONTEXT_FULL):
            return self._end(Ending(found.kind, found.reason))
        if found.is_model:
            self.reports.unknown_model(found.reason)
        source = {"until_source": "structured"} if found.is_structured else {}
        return self._out(
            Outcome(found.kind, "", found.reason, found.until, found.scope, details=source)
        )

    def _out(self, ended: Outcome) -> Outcome:
        conversation = self.transcript.conversation
        whole = ended._replace(
            usage=conversation.untold,
            session_id=conversation.session,
            details={**ended.details, "turns": conversation.turns},
        )
        self.reports.stop(whole)
        self.transcript.add("told")
        return whole


def _is_call(block: object) -> bool:
    return isinstance(block, dict) and block.get("type") == "tool_use"
