"""Owns the error answers of the stand-in's Messages API, with the headers that clients act on."""

from collections.abc import Mapping

from tests.standin.steps import Fault, Step

UNIFIED = "anthropic-ratelimit-unified-"
HOUR = 3600
DAY = 86400
TOO_MANY = (
    "This request would exceed your organization's rate limit of 50,000 input tokens per minute."
)
REGAIN = "You will regain access on 2026-12-01 at 00:00 UTC."
HTML = "<html><head><title>502 Bad Gateway</title></head><body>gateway</body></html>"


def faults(now: int, step: Step) -> Mapping[str, Fault]:
    invalid, limit = "invalid_request_error", "rate_limit_error"
    plain = {
        "401": (401, "authentication_error", "invalid x-api-key"),
        "401_oauth": (401, "authentication_error", "OAuth token has expired. Please refresh it."),
        "403": (403, "permission_error", "Your API key may not use the specified resource."),
        "403_oauth_revoked": (403, "permission_error", "OAuth token has been revoked."),
        "404": (404, "not_found_error", "model: claude-nonexistent-9"),
        "404_model": (404, "not_found_error", "model: claude-nonexistent-9"),
        "413": (413, "request_too_large", "Request exceeds the maximum size"),
        "500": (500, "api_error", "Internal server error"),
        "503": (503, "api_error", "Service unavailable"),
        "529": (529, "overloaded_error", "Overloaded"),
        "400_api_usage_limits": (
            400,
            invalid,
            f"You have reached your specified API usage limits. {REGAIN}",
        ),
        "429_spend_workspace": (
            400,
            invalid,
            f"You have reached your specified workspace API usage limits. {REGAIN}",
        ),
        "quota": (
            400,
            invalid,
            "Your credit balance is too low to access the Anthropic API. "
            "Please go to Plans & Billing to upgrade or purchase credits.",
        ),
        "context": (400, invalid, "prompt is too long: 214532 tokens > 200000 maximum"),
        "400_cache": (400, invalid, "system.0.cache_control: Extra inputs are not permitted"),
        "400_cap": (
            400,
            invalid,
            "max_tokens: 16000 > 8192, which is the maximum allowed number of output tokens for x",
        ),
        "400_thinking": (
            400,
            invalid,
            "messages.5.content.0: `thinking` or `redacted_thinking` blocks in the latest "
            "assistant message cannot be modified. These blocks must remain as they were in the "
            "original response.",
        ),
        "400_tool_use_ids": (
            400,
            invalid,
            "messages.3: `tool_use` ids were found without `tool_result` blocks immediately "
            "after: toolu_x. Each `tool_use` block must have a corresponding `tool_result` block "
            "in the next message.",
        ),
    }
    known = {name: _fault(*answer) for name, answer in plain.items()}
    known["400_credit"], known["400_too_long"] = known["quota"], known["context"]
    known["502_html"] = Fault(502, HTML, {"content-type": "text/html"})
    short = str(step.retry_s if step.retry_s is not None else 7)
    long = {"retry-after": str(HOUR)}
    known["429"] = _fault(429, limit, TOO_MANY, {"retry-after": short})
    known["429_long"] = _fault(429, limit, TOO_MANY, long)
    known["429_noretry"] = _fault(429, limit, TOO_MANY, {**long, "x-should-retry": "false"})
    known["429_gateway_spend"] = _gateway(now)
    return {**known, **_subscription(now, step)}


def _subscription(now: int, step: Step) -> dict[str, Fault]:
    def unified(claim: str, reset: int, **more: str) -> Fault:
        return _unified(now, claim, step.reset_s if step.reset_s is not None else reset, more)

    return {
        "429_5h": unified("five_hour", 3 * HOUR),
        "usage": unified("five_hour", 3 * HOUR),
        "429_5h_soon": unified("five_hour", 75),
        "429_7d": unified("seven_day", 3 * DAY),
        "429_7d_opus": unified("seven_day_opus", 3 * DAY),
        "429_7d_sonnet": unified("seven_day_sonnet", 3 * DAY),
        "429_out_of_credits": unified(
            "five_hour", 3 * HOUR, **{"overage-disabled-reason": "out_of_credits"}
        ),
        "429_overage": unified(
            "overage", 3 * DAY, **{"overage-disabled-reason": "org_spend_cap_reached"}
        ),
    }


def _unified(now: int, claim: str, reset: int, more: Mapping[str, str]) -> Fault:
    """The 429 that a subscription account gets at its usage limit."""
    full = {"status": "rejected", "reset": str(now + reset), "utilization": "1.0"}
    free = {"status": "allowed", "reset": str(now + 400_000), "utilization": "0.4"}
    spent, other = ("5h", "7d") if claim == "five_hour" else ("7d", "5h")
    said = {
        "status": "rejected",
        "representative-claim": claim,
        "reset": str(now + reset),
        "fallback-percentage": "0.5",
        "overage-status": "rejected",
        "overage-disabled-reason": "org_level_disabled",
        **{f"{spent}-{key}": value for key, value in full.items()},
        **{f"{other}-{key}": value for key, value in free.items()},
        **more,
    }
    headers = {UNIFIED + key: value for key, value in said.items()}
    headers |= {"retry-after": str(reset), "x-should-retry": "false"}
    message = "This request would exceed your account's rate limit. Please try again later."
    return _fault(429, "rate_limit_error", message, headers)


def _gateway(now: int) -> Fault:
    headers = {
        "retry-after": str(HOUR),
        "x-should-retry": "false",
        UNIFIED + "status": "rejected",
        UNIFIED + "reset": str(now + HOUR),
        UNIFIED + "overage-reset": str(now + HOUR),
        UNIFIED + "overage-utilization": "1",
        UNIFIED + "overage-period": "daily",
        UNIFIED + "overage-disabled-reason": "org_spend_cap_reached",
    }
    message = "spend limit reached \u00b7 resets Aug 8 \u00b7 request an increase at go.example.com"
    return _fault(429, "billing_error", message, headers)


def _fault(status: int, kind: str, message: str, headers: Mapping[str, str] | None = None) -> Fault:
    error = {"type": kind, "message": message}
    return Fault(
        status, {"type": "error", "error": error, "request_id": "req_standin"}, headers or {}
    )
