"""Owns what a program's hook tells, in our words: which event it is, with which fields. It knows no program.

Which hook of a program is which of ours stands in its table; here is under which names the programs put the
same thing.
"""

import json
from collections.abc import Mapping
from typing import NamedTuple

SESSION_START = "session_start"
SESSION_END = "session_end"
PROMPT = "user_prompt"
CALL = "tool_call"
RESULT = "tool_result"
ASKS = "permission_request"
NOTICE = "notification"
STOP = "agent_stop"
FAILED = "agent_failed"
SHRINKS = "context_compression"

_NAME = ("hook_event_name", "hookEventName", "type", "event")
_SESSION = ("session_id", "sessionId", "thread-id", "thread_id", "conversation_id")
_TRANSCRIPT = ("transcript_path", "transcriptPath")
_TOOL = ("tool_name", "toolName", "tool")
_CALL_ID = ("tool_use_id", "toolUseId", "tool_call_id", "toolCallId", "call_id")
_GIVEN = ("tool_input", "toolArgs", "tool_args", "input", "arguments")
_GOT = ("tool_response", "toolResult", "tool_result", "tool_output", "response", "result")
_ANSWER = ("last_assistant_message", "last-assistant-message", "prompt_response", "content")
_ASKED = ("prompt", "initialPrompt", "input-messages")
_DIRECTORY = ("cwd",)
_MODEL = ("model", "model_name")

MOST = 8000  # characters of one field of an event

_TYPES: Mapping[str, str] = {
    SESSION_START: "agent_start",
    SESSION_END: "agent_end",
    PROMPT: "user_prompt",
    CALL: "tool_call",
    RESULT: "tool_result",
    ASKS: "agent_asks",
    NOTICE: "agent_notice",
    STOP: "agent_stop",
    FAILED: "agent_stop",
    SHRINKS: "context_compression",
}


class Told(NamedTuple):
    """One hook's report. `kind`: our name of the hook; `call`: id of the tool's call; `text`: prompt or answer."""

    kind: str
    name: str
    session: str = ""
    transcript: str = ""
    tool: str = ""
    call: str = ""
    text: str = ""
    failure: str = ""
    crons: int = 0
    background: int = 0
    said: Mapping[str, object] = {}


def told(said: Mapping[str, object], names: Mapping[str, str]) -> Told | None:
    """`names`: the program's name of a hook = ours. None for one that we do not know."""
    name = _text(said, _NAME)
    kind = names.get(name, "")
    text = _text(said, _ASKED if kind == PROMPT else _ANSWER)
    if kind not in _TYPES or (kind == PROMPT and not text):
        return (
            None  # some tell of a prompt without words when a tool's result goes back to the model
        )
    return Told(
        kind=kind,
        name=name,
        session=_text(said, _SESSION),
        transcript=_text(said, _TRANSCRIPT),
        tool=_text(said, _TOOL),
        call=_text(said, _CALL_ID),
        text=text,
        failure=(_text(said, ("error", "error_type")) or "unknown") if kind == FAILED else "",
        crons=_count(said.get("session_crons")),
        background=_count(said.get("background_tasks")),
        said=said,
    )


def event_of(found: Told, *, is_cut: bool = False) -> tuple[str, dict[str, object]]:
    """The event's type and fields; what the program did not tell is left out."""
    said = found.said
    fields: dict[str, object | None] = {
        "session": found.session,
        "metadata": {"driver": "hook", "hook": found.name, **({"cut": True} if is_cut else {})},
    }
    if found.kind in (CALL, RESULT, ASKS):
        fields |= {"tool": found.tool, "tool_call_id": found.call}
        fields["arguments"] = None if found.kind == RESULT else short(_first(said, _GIVEN))
    if found.kind == RESULT:
        got, error = _first(said, _GOT), said.get("error")
        fields |= {
            "result": short(error if got is None else got),
            "is_error": bool(error) or is_failed(got) or None,
        }
    fields |= _FIELDS.get(found.kind, lambda _found: {})(found)
    return _TYPES[found.kind], {
        key: value for key, value in fields.items() if value not in (None, "")
    }


def _start(found: Told) -> dict[str, object | None]:
    source = found.said.get("source")
    return {
        "model": _text(found.said, _MODEL),
        "directory": _text(found.said, _DIRECTORY),
        "resumed": True if source == "resume" else None,
        "source": source if isinstance(source, str) else None,
    }


def _prompt(found: Told) -> dict[str, object | None]:
    return {"prompt": short(found.text)}


def _stop(found: Told) -> dict[str, object | None]:
    counts = {"session_crons": found.crons or None, "background_tasks": found.background or None}
    return {"content": short(found.text), "outcome": "ok", "finish_reason": "stop", **counts}


def _failed(found: Told) -> dict[str, object | None]:
    return {"outcome": "failed", "finish_reason": found.failure, "reason": short(found.text)}


def _notice(found: Told) -> dict[str, object | None]:
    said = found.said
    kind, message = said.get("notification_type"), said.get("message")
    return {
        "kind": kind if isinstance(kind, str) else None,
        "message": short(message) if isinstance(message, str) else None,
    }


def _shrinks(found: Told) -> dict[str, object | None]:
    return {"trigger": _text(found.said, ("trigger",))}


def _end(found: Told) -> dict[str, object | None]:
    return {"reason": _text(found.said, ("reason",))}


_FIELDS = {
    SESSION_START: _start,
    SESSION_END: _end,
    PROMPT: _prompt,
    STOP: _stop,
    FAILED: _failed,
    NOTICE: _notice,
    SHRINKS: _shrinks,
}


def short(value: object) -> object:
    """The value itself, or the beginning of its text where it is long."""
    if isinstance(value, str):
        return value if len(value) <= MOST else f"{value[:MOST]} […]"
    if value is None or isinstance(value, bool | int | float):
        return value
    text = json.dumps(value, ensure_ascii=False)
    return value if len(text) <= MOST else f"{text[:MOST]} […]"


def is_failed(result: object) -> bool:
    if not isinstance(result, Mapping):
        return False
    return result.get("is_error") is True or bool(result.get("error"))


def _first(said: Mapping[str, object], names: tuple[str, ...]) -> object:
    return next((said[name] for name in names if said.get(name) not in (None, "")), None)


def _text(said: Mapping[str, object], names: tuple[str, ...]) -> str:
    found = _first(said, names)
    if isinstance(found, list):
        return "\n".join(item for item in found if isinstance(item, str))
    return found if isinstance(found, str) else ""


def _count(found: object) -> int:
    return len(found) if isinstance(found, list | dict) else 0
