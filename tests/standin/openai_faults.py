"""Owns the error answers of the stand-in's OpenAI APIs."""

from collections.abc import Mapping

from tests.standin.steps import Fault, Step


def faults(now: int, step: Step) -> Mapping[str, Fault]:
    retry = step.retry_s if step.retry_s is not None else 20
    reset = step.reset_s if step.reset_s is not None else 5400
    overloaded = _fault(
        503,
        "The server is currently overloaded with other requests. Sorry about that!",
        "server_error",
        "server_overloaded",
    )
    return {
        "401": _fault(
            401,
            "Incorrect API key provided: sk-dummy****************0000.",
            "invalid_request_error",
            "invalid_api_key",
        ),
        "404": _fault(
            404,
            "The model `gpt-standin` does not exist or you do not have access to it.",
            "invalid_request_error",
            "model_not_found",
        ),
        "429": _rate_limit(retry),
        "usage": _usage(now, reset),
        "429_5h": _usage(now, reset),
        "quota": _fault(
            429,
            "You exceeded your current quota, please check your plan and billing details.",
            "insufficient_quota",
            "insufficient_quota",
        ),
        "500": _fault(
            500,
            "The server had an error while processing your request. Sorry about that!",
            "server_error",
            None,
        ),
        "503": overloaded,
        "529": overloaded,
        "context": _fault(
            400,
            "This model's maximum context length is 128000 tokens. However, your messages "
            "resulted in 140321 tokens. Please reduce the length of the messages.",
            "invalid_request_error",
            "context_length_exceeded",
        ),
    }


def _fault(
    status: int,
    message: str,
    kind: str,
    code: str | None,
    headers: Mapping[str, str] | None = None,
) -> Fault:
    error = {"message": message, "type": kind, "param": None, "code": code}
    return Fault(status, {"error": error}, headers or {})


def _rate_limit(retry: int) -> Fault:
    message = (
        "Rate limit reached for gpt-5 in organization org-standin on tokens per min (TPM): Limit "
        f"30000, Used 29500, Requested 1200. Please try again in {retry}s."
    )
    headers = {
        "retry-after": str(retry),
        "retry-after-ms": str(retry * 1000),
        "x-ratelimit-limit-requests": "500",
        "x-ratelimit-remaining-requests": "0",
        "x-ratelimit-reset-requests": f"{retry}s",
    }
    return _fault(429, message, "tokens", "rate_limit_exceeded", headers)


def _usage(now: int, reset: int) -> Fault:
    """What the plan's backend sends to Codex at the usage limit."""
    headers = {
        "x-codex-primary-used-percent": "100",
        "x-codex-primary-window-minutes": "300",
        "x-codex-primary-reset-at": str(now + reset),
        "x-codex-secondary-used-percent": "41",
        "x-codex-secondary-window-minutes": "10080",
        "x-codex-secondary-reset-at": str(now + 400_000),
    }
    error = {
        "type": "usage_limit_reached",
        "message": "The usage limit has been reached",
        "plan_type": "plus",
        "resets_at": now + reset,
        "resets_in_seconds": reset,
    }
    return Fault(429, {"error": error}, headers)
