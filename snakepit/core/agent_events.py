"""Owns the events of what an agent does inside one run: what it was asked, said, called and got back.

Every driver writes the same types, whether it learned of them from a hook, a stream or its own loop.
"""

from collections.abc import Mapping

from snakepit.core.eventtype import EventType

_MODEL = {"model": "the model's name", "provider": "whose server answers: its host"}
_USAGE = {
    "usage": "of this answer and of the run so far: input_tokens, output_tokens, total_tokens, "
    "cache_read_tokens, cache_write_tokens, input_cost, output_cost, total_cost, cumulative_input_tokens, "
    "cumulative_output_tokens, cumulative_total_tokens, cumulative_cost, context_limit, "
    "tokens_used_percentage, tokens_remaining; costs in US dollars, left out where a price is unknown"
}
_CALL = {
    "tool_call_id": "the same in the call and in its result",
    "tool": "name of the tool",
}
_META = {"metadata": "what else the driver knows", "session": "id of the conversation"}
_AT = {"at": "when the program's hook told it, where it came by one"}
_STEP = {
    "model": "the model that answered",
    "content": "its text",
    "tool_calls": "what it asks for: id, name, arguments",
    "finish_reason": "why the answer ended, in the server's word",
    "tool_executions": "ids of the calls whose results it had just been given",
    **_USAGE,
    **_META,
}
_WINDOW = {
    "tokens_used": "in the context now",
    "tokens_remaining": "until it is full",
    "context_limit": "its size in tokens",
    "current_usage": "share of the window that is used, as `82.5%`",
    "is_estimate": "true where the server does not count",
}
_FAILED_CALL = {
    "model": "the model that was asked",
    "error_class": "kind of failure: limited, overloaded, timeout, dropped, garbage, unreachable",
    "error_message": "what the server or the line said",
}

AGENT_EVENTS: Mapping[str, EventType] = {
    "agent_start": EventType(
        doc="An agent program began to work on a task, or went on with it.",
        fields={
            **_MODEL,
            "directory": "where it works",
            "system_prompt": "what it is told before everything else",
            "tools": "names of its tools",
            "resumed": "true: it goes on with the conversation of an earlier run",
            "source": "why it began, in the program's word: startup, resume, clear, compact",
            **_META,
            **_AT,
        },
    ),
    "user_prompt": EventType(
        doc="The agent was given a prompt: the task, a person's line, a reminder.",
        fields={
            **_MODEL,
            "prompt": "its text",
            "origin": "task, person, reminder, resume or compaction",
            "message_count": "messages before it",
            "tools": "names of its tools",
            **_META,
            **_AT,
        },
    ),
    "agent_asks": EventType(
        doc="The program asks a person whether a tool may run.",
        fields={**_CALL, "arguments": "what it would be given", **_META, **_AT},
    ),
    "agent_notice": EventType(
        doc="The program wants a person's attention.",
        fields={
            "kind": "in its own word, as permission_prompt or idle_prompt",
            "message": "what it says",
            **_META,
            **_AT,
        },
    ),
    "agent_end": EventType(
        doc="The program's conversation ended.",
        fields={"reason": "in its own word", **_META, **_AT},
    ),
    "agent_step": EventType(doc="The agent answered and asks for tools.", fields=_STEP),
    "agent_stop": EventType(
        doc="The agent's work on the task ended.",
        fields={
            **_STEP,
            "session_crons": "wake-ups it has planned for itself",
            "background_tasks": "what it left running",
            "outcome": "ok, failed, limited, overloaded, auth, billing, context_full, poisoned, "
            "config, interrupted or timeout",
            "reason": "why, in one sentence",
            "turns": "answers of the model in this conversation",
            **_AT,
        },
    ),
    "tool_call": EventType(
        doc="A tool is about to run.",
        fields={**_CALL, "arguments": "what it was given", **_META, **_AT},
    ),
    "tool_result": EventType(
        doc="A tool ended.",
        fields={
            **_CALL,
            "result": "what the agent gets to see",
            "is_error": "true where it failed",
            "interrupted": "true: nobody knows what came of it, the run was killed meanwhile",
            "seconds": "how long it took",
            **_META,
            **_AT,
        },
    ),
    "model_lookup_warning": EventType(
        doc="The server does not know the model.",
        fields={
            "model": "the name it was asked for",
            "error_message": "what the server said",
            "suggestions": "at most 3 near names: id, name, context_window",
        },
    ),
    "context_limit_warning": EventType(
        doc="The context passed 60, 80, 90 or 95 %; each once until it shrinks.",
        fields={
            "model": "the model's name",
            "threshold": "the mark that was passed, as `80%`",
            "compression_triggered": "true: old content is being shortened",
            **_WINDOW,
        },
    ),
    "context_compression": EventType(
        doc="Old content was shortened so that the context stays inside the window.",
        fields={
            "model": "the model's name",
            "total_messages": "in the conversation",
            "messages_compressed": "how many became shorter",
            "tokens_before": "in the context",
            "tokens_after": "in the context",
            "compression_strategy": "progressive_tool_result_compression or summary",
            "keep_recent": "newest messages that were left as they are",
            "trigger": "manual or auto, where a program's own hook tells",
            **_WINDOW,
            **_META,
            **_AT,
        },
    ),
    "llm_retry_attempt": EventType(
        doc="A request to the model failed and will be sent again.",
        fields={
            "retry": "1 for the first",
            "max_retries": "how many there may be",
            "retry_delay": "seconds until then",
            **_FAILED_CALL,
        },
    ),
    "llm_retry_exhausted": EventType(
        doc="A request to the model failed for good.",
        fields={"attempts": "how often it was sent", **_FAILED_CALL},
    ),
}
