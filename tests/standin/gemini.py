"""Owns the stand-in's Gemini API: generateContent, plain and streamed, and its errors."""

import json
from collections.abc import Iterator, Mapping

from tests.standin.dialect import Dialect, Frame, Json, Talk, new_id, pieces, sse
from tests.standin.steps import Call, Fault, Step

GOOGLE = "type.googleapis.com/google.rpc."
METRIC = "generativelanguage.googleapis.com/generate_content_free_tier_requests"
QUOTA = (
    "You exceeded your current quota, please check your plan and billing details.\n* Quota "
    f"exceeded for metric: {METRIC}, limit: 100, model: gemini-2.5-pro\nPlease retry in "
)


class Gemini(Dialect):
    name = "gemini"

    def read(self, body: Json) -> Talk:
        users: list[str] = []
        results: list[str] = []
        calls: list[Call] = []
        for content in body.get("contents", []):
            parts = content.get("parts", [])
            answers = [part["functionResponse"] for part in parts if "functionResponse" in part]
            spoken = [str(part["text"]) for part in parts if "text" in part]
            if answers:
                results += [_answered(answer.get("response")) for answer in answers]
            elif content.get("role") == "user":
                users += spoken
                results = []
            asked = [part["functionCall"] for part in parts if "functionCall" in part]
            calls += [Call(call["name"], call.get("args") or {}) for call in asked]
        tools = {
            declared["name"]: declared.get("parametersJsonSchema")
            or declared.get("parameters")
            or {}
            for tool in body.get("tools") or []
            for declared in tool.get("functionDeclarations", [])
        }
        instruction = body.get("systemInstruction") or {}
        system = "\n".join(str(part.get("text", "")) for part in instruction.get("parts", []))
        return Talk(system, tuple(users), tuple(results), tuple(calls), tools)

    def whole(self, step: Step, model: str) -> Json:
        parts: list[Json] = [{"text": step.text}] if step.text else []
        return self._chunk([*parts, *_calls(step)], step, model, finish=True)

    def frames(self, step: Step, model: str) -> Iterator[Frame]:
        said = pieces(step.text, step.chunk)
        for piece in said:
            yield sse(self._chunk([{"text": piece}], step, model), is_delta=True)
        yield sse(self._chunk(_calls(step), step, model, finish=True), is_delta=bool(step.calls))

    @staticmethod
    def _chunk(parts: list[Json], step: Step, model: str, *, finish: bool = False) -> Json:
        candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
        if finish:
            candidate["finishReason"] = "MAX_TOKENS" if step.stop == "max_tokens" else "STOP"
        given, made = step.usage.get("input_tokens", 100), step.usage.get("output_tokens", 10)
        usage = {
            "promptTokenCount": given,
            "candidatesTokenCount": made,
            "totalTokenCount": given + made,
        }
        return {"candidates": [candidate], "modelVersion": model, "usageMetadata": usage}

    def faults(self, now: int, step: Step) -> Mapping[str, Fault]:
        retry = step.retry_s if step.retry_s is not None else 20
        day = _quota("GenerateRequestsPerDayPerProjectPerModel-FreeTier", 37)
        minute = _quota("GenerateRequestsPerMinutePerProjectPerModel-FreeTier", retry)
        invalid = {
            "@type": GOOGLE + "ErrorInfo",
            "reason": "API_KEY_INVALID",
            "domain": "googleapis.com",
        }
        overloaded = _fault(503, "The model is overloaded. Please try again later.", "UNAVAILABLE")
        return {
            "401": _fault(
                400,
                "API key not valid. Please pass a valid API key.",
                "INVALID_ARGUMENT",
                [invalid],
            ),
            "404": _fault(404, "models/gemini-standin is not found.", "NOT_FOUND"),
            "429": _fault(429, f"{QUOTA}{retry}.07s.", "RESOURCE_EXHAUSTED", minute),
            "quota": _fault(429, f"{QUOTA}37.07s.", "RESOURCE_EXHAUSTED", day),
            "usage": _fault(429, f"{QUOTA}37.07s.", "RESOURCE_EXHAUSTED", day),
            "500": _fault(500, "An internal error has occurred. Please retry.", "INTERNAL"),
            "503": overloaded,
            "529": overloaded,
            "context": _fault(
                400,
                "The input token count (1140321) exceeds the maximum number of tokens allowed "
                "(1048576).",
                "INVALID_ARGUMENT",
            ),
        }


def side_answer(body: Json) -> str:
    """What fits the schema of a side question (who speaks next, which model), as JSON."""
    config = body.get("generationConfig") or {}
    schema = config.get("responseJsonSchema") or config.get("responseSchema") or {}
    plain: Json = {"number": 1, "integer": 1, "boolean": False, "array": []}
    answer: Json = {}
    for key, value in (schema.get("properties") or {}).items():
        choices = value.get("enum") or [plain.get(str(value.get("type")).lower(), "stand-in")]
        answer[key] = choices[-1]
    if "next_speaker" in answer:
        answer["next_speaker"] = "user"
    return json.dumps(answer)


def _answered(response: object) -> str:
    if isinstance(response, dict) and isinstance(response.get("output"), str):
        return str(response["output"])
    return json.dumps(response)


def _calls(step: Step) -> list[Json]:
    return [
        {"functionCall": {"name": call.name, "args": dict(call.input), "id": new_id("fc_")}}
        for call in step.calls
    ]


def _fault(status: int, message: str, word: str, details: list[Json] | None = None) -> Fault:
    error: Json = {"code": status, "message": message, "status": word}
    if details:
        error["details"] = details
    return Fault(status, {"error": error})


def _quota(quota: str, delay: int) -> list[Json]:
    violation = {
        "quotaMetric": METRIC,
        "quotaId": quota,
        "quotaDimensions": {"location": "global", "model": "gemini-2.5-pro"},
        "quotaValue": "100",
    }
    return [
        {"@type": GOOGLE + "QuotaFailure", "violations": [violation]},
        {"@type": GOOGLE + "RetryInfo", "retryDelay": f"{delay}s"},
    ]
