"""Owns the stand-in's OpenAI APIs: chat completions and Responses."""

import json
from collections.abc import Iterator, Mapping

from tests.standin.dialect import Dialect, Frame, Json, Talk, new_id, pieces, sse, texts
from tests.standin.openai_faults import faults
from tests.standin.steps import Call, Fault, Step


class Chat(Dialect):
    name = "chat"

    def read(self, body: Json) -> Talk:
        system: list[str] = []
        users: list[str] = []
        results: list[str] = []
        calls: list[Call] = []
        for message in body.get("messages", []):
            role, content = message.get("role"), texts(message.get("content"))
            if role in ("system", "developer"):
                system += content
            elif role == "user":
                users += content
                results = []
            elif role == "tool":
                results.append("\n".join(content))
            named = [call["function"] for call in message.get("tool_calls") or []]
            calls += [_call(call["name"], call["arguments"]) for call in named]
        return Talk("\n".join(system), tuple(users), tuple(results), tuple(calls), _tools(body))

    def whole(self, step: Step, model: str) -> Json:
        message: Json = {"role": "assistant", "content": step.text or None}
        if step.calls:
            message["tool_calls"] = _tool_calls(step)
        choice = {"index": 0, "finish_reason": _finish(step), "message": message}
        head = _head(model, "chat.completion")
        return {**head, "choices": [choice], "usage": _chat_usage(step)}

    def frames(self, step: Step, model: str) -> Iterator[Frame]:
        head = _head(model, "chat.completion.chunk")

        def chunk(delta: Json, finish: str | None = None, *, is_delta: bool = False) -> Frame:
            choice = {"index": 0, "delta": delta, "finish_reason": finish}
            return sse({**head, "choices": [choice]}, is_delta=is_delta)

        yield chunk({"role": "assistant", "content": ""})
        for piece in pieces(step.text, step.chunk):
            yield chunk({"content": piece}, is_delta=True)
        for index, call in enumerate(_tool_calls(step)):
            yield chunk({"tool_calls": [{"index": index, **call}]}, is_delta=True)
        yield chunk({}, _finish(step))
        yield sse({**head, "choices": [], "usage": _chat_usage(step)})
        yield sse("[DONE]")

    def faults(self, now: int, step: Step) -> Mapping[str, Fault]:
        return faults(now, step)


class Responses(Dialect):
    name = "responses"

    def read(self, body: Json) -> Talk:
        users: list[str] = []
        results: list[str] = []
        calls: list[Call] = []
        given = body.get("input")
        items = [{"role": "user", "content": given}] if isinstance(given, str) else given or []
        for item in items:
            if item.get("role") == "user":
                users += texts(item.get("content"))
                results = []
            elif str(item.get("type", "")).endswith("_call_output"):
                output = item.get("output")
                results.append("\n".join(texts(output)) or json.dumps(output))
            elif item.get("type") == "function_call":
                calls.append(_call(item["name"], item["arguments"]))
        system = str(body.get("instructions") or "")
        return Talk(system, tuple(users), tuple(results), tuple(calls), _tools(body))

    def whole(self, step: Step, model: str) -> Json:
        return {
            "id": new_id("resp_"),
            "object": "response",
            "created_at": 1_790_000_000,
            "model": model,
            "status": "completed",
            "output": _items(step),
            "usage": _response_usage(step),
            "error": None,
        }

    def frames(self, step: Step, model: str) -> Iterator[Frame]:
        whole = self.whole(step, model)
        empty: Json = {"status": "in_progress", "output": [], "usage": None}
        yield _event("response.created", response={**whole, **empty})
        for index, item in enumerate(whole["output"]):
            yield _event("response.output_item.added", output_index=index, item=_begun(item))
            place = {"item_id": item["id"], "output_index": index}
            if item["type"] == "message":
                for piece in pieces(step.text, step.chunk):
                    text = {**place, "content_index": 0, "delta": piece}
                    yield _event("response.output_text.delta", is_delta=True, **text)
            else:
                name = "response.function_call_arguments"
                arguments = item["arguments"]
                yield _event(f"{name}.delta", is_delta=True, **place, delta=arguments)
                yield _event(f"{name}.done", **place, arguments=arguments)
            yield _event("response.output_item.done", output_index=index, item=item)
        yield _event("response.completed", response=whole)

    def faults(self, now: int, step: Step) -> Mapping[str, Fault]:
        return faults(now, step)


def _head(model: str, kind: str) -> Json:
    return {"id": new_id("chatcmpl-"), "created": 1_790_000_000, "model": model, "object": kind}


def _finish(step: Step) -> str:
    if step.stop == "max_tokens":
        return "length"
    return "tool_calls" if step.calls else "stop"


def _chat_usage(step: Step) -> Json:
    given, made = step.usage.get("input_tokens", 100), step.usage.get("output_tokens", 10)
    return {"prompt_tokens": given, "completion_tokens": made, "total_tokens": given + made}


def _response_usage(step: Step) -> Json:
    given, made = step.usage.get("input_tokens", 100), step.usage.get("output_tokens", 10)
    return {
        "input_tokens": given,
        "input_tokens_details": {"cached_tokens": step.usage.get("cache_read_input_tokens", 0)},
        "output_tokens": made,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": given + made,
    }


def _call(name: str, arguments: object) -> Call:
    try:
        given = json.loads(str(arguments))
    except ValueError:
        given = {}
    return Call(name, given if isinstance(given, dict) else {})


def _tools(body: Json) -> dict[str, Mapping[str, object]]:
    found: dict[str, Mapping[str, object]] = {}
    for tool in body.get("tools") or []:
        inner = tool.get("function") or tool
        name = inner.get("name") or tool.get("type")
        found[str(name)] = inner.get("parameters") or {}
    return found


def _tool_calls(step: Step) -> list[Json]:
    return [
        {
            "id": new_id("call_"),
            "type": "function",
            "function": {"name": call.name, "arguments": json.dumps(call.input)},
        }
        for call in step.calls
    ]


def _items(step: Step) -> list[Json]:
    items: list[Json] = []
    if step.text:
        content = [{"type": "output_text", "text": step.text, "annotations": []}]
        items.append({"type": "message", "role": "assistant", "content": content})
    items += [
        {
            "type": "function_call",
            "call_id": new_id("call_"),
            **_named(call.name),
            "arguments": json.dumps(call.input),
        }
        for call in step.calls
    ]
    return [{**item, "id": new_id("item_"), "status": "completed"} for item in items]


def _named(name: str) -> Json:
    """`space::name` is a tool in a namespace, as this API has for the tools of a server."""
    space, _, own = name.rpartition("::")
    return {"name": own, "namespace": space} if space else {"name": own}


def _begun(item: Json) -> Json:
    key, empty = ("content", []) if item["type"] == "message" else ("arguments", "")
    return {**item, "status": "in_progress", key: empty}


def _event(name: str, *, is_delta: bool = False, **fields: object) -> Frame:
    return sse({"type": name, **fields}, name, is_delta=is_delta)
