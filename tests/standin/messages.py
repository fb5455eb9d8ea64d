"""Owns the stand-in's Messages API: reading a request, an answer plain and streamed."""

import json
from collections.abc import Iterator, Mapping

from tests.standin.dialect import Dialect, Frame, Json, Talk, new_id, pieces, sse, texts
from tests.standin.messages_faults import faults
from tests.standin.steps import Call, Fault, Step

USAGE = {
    "input_tokens": 1200,
    "cache_creation_input_tokens": 0,
    "cache_read_input_tokens": 0,
    "output_tokens": 42,
}


class Messages(Dialect):
    name = "messages"

    def read(self, body: Json) -> Talk:
        users: list[str] = []
        results: list[str] = []
        calls: list[Call] = []
        for message in body.get("messages", []):
            content = message.get("content")
            blocks = content if isinstance(content, list) else []
            if message.get("role") == "assistant":
                calls += [
                    Call(b["name"], b["input"]) for b in blocks if b.get("type") == "tool_use"
                ]
                continue
            answered = [b.get("content") for b in blocks if b.get("type") == "tool_result"]
            users += texts(content)
            if answered:
                results += ["\n".join(texts(answer)) for answer in answered]
            elif message.get("role") == "user":
                results = []
        tools = {t["name"]: t.get("input_schema", {}) for t in body.get("tools", [])}
        system = "\n".join(texts(body.get("system")))
        return Talk(system, tuple(users), tuple(results), tuple(calls), tools)

    def whole(self, step: Step, model: str) -> Json:
        usage = {**USAGE, **step.usage}
        return {
            "id": new_id("msg_"),
            "type": "message",
            "role": "assistant",
            "model": model,
            "content": _blocks(step),
            "stop_reason": step.stop or ("tool_use" if step.calls else "end_turn"),
            "stop_sequence": None,
            "usage": {**usage, "service_tier": "standard"},
        }

    def frames(self, step: Step, model: str) -> Iterator[Frame]:
        message = self.whole(step, model)
        usage = message["usage"]
        empty: Json = {"content": [], "stop_reason": None, "usage": {**usage, "output_tokens": 1}}
        yield _event("message_start", message={**message, **empty})
        yield _event("ping")
        for index, block in enumerate(message["content"]):
            start, deltas = _deltas(block, step.chunk)
            yield _event("content_block_start", index=index, content_block=start)
            for delta in deltas:
                yield _event("content_block_delta", is_delta=True, index=index, delta=delta)
            if block["type"] == "thinking":
                signed = {"type": "signature_delta", "signature": block["signature"]}
                yield _event("content_block_delta", index=index, delta=signed)
            yield _event("content_block_stop", index=index)
        end = {"stop_reason": message["stop_reason"], "stop_sequence": None}
        said = {"output_tokens": usage["output_tokens"]}
        yield _event("message_delta", delta=end, usage=said)
        yield _event("message_stop")

    def faults(self, now: int, step: Step) -> Mapping[str, Fault]:
        return faults(now, step)

    def error_frame(self) -> Frame:
        return _event("error", error={"type": "overloaded_error", "message": "Overloaded"})


def _blocks(step: Step) -> list[Json]:
    blocks: list[Json] = []
    if step.thinking:
        signature = "c3RhbmQtaW4="
        blocks.append({"type": "thinking", "thinking": step.thinking, "signature": signature})
    if step.text:
        blocks.append({"type": "text", "text": step.text})
    return [
        *blocks,
        *(
            {
                "type": "tool_use",
                "id": new_id("toolu_"),
                "name": call.name,
                "input": dict(call.input),
            }
            for call in step.calls
        ),
    ]


def _deltas(block: Json, size: int) -> tuple[Json, list[Json]]:
    if block["type"] == "tool_use":
        parts = pieces(json.dumps(block["input"]), size)
        return {**block, "input": {}}, [
            {"type": "input_json_delta", "partial_json": part} for part in parts
        ]
    key = str(block["type"])
    start = {name: value if name == "type" else "" for name, value in block.items()}
    return start, [{"type": f"{key}_delta", key: part} for part in pieces(block[key], size)]


def _event(name: str, *, is_delta: bool = False, **fields: object) -> Frame:
    return sse({"type": name, **fields}, name, is_delta=is_delta)
