"""Owns what a failed request to a Messages API means: whose fault, whether and when to try again."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from snakepit.core import outcome
from snakepit.core.resets import ZoneOf, read_reset

UNREACHABLE = "unreachable"
SILENT = "timeout"
DROPPED = "dropped"
GARBAGE = "garbage"
STATUS = "status"

LONGEST_BACKOFF = 60.0  # seconds
UNIFIED = "anthropic-ratelimit-unified-"
RESETS = ("requests", "tokens", "input-tokens", "output-tokens")  # of anthropic-ratelimit-*-reset
SAID_LIMIT = 300  # characters of the server's own words

_SAID = {
    UNREACHABLE: "the server cannot be reached",
    SILENT: "the server is silent",
    DROPPED: "the answer broke off",
    GARBAGE: "the answer is no answer",
}
_TOO_LONG = re.compile(
    r"prompt is too long|request_too_large|exceeds? the (?:model's )?(?:maximum|available) context"
    r"|context (?:length|window|size|limit)|maximum context|too many (?:input )?tokens",
    re.IGNORECASE,
)
_CREDIT = re.compile(r"credit balance|purchase credits|billing", re.IGNORECASE)
_SPENT = re.compile(r"usage limits?|spend(?:ing)? limit|quota", re.IGNORECASE)
_POISONED = re.compile(
    r"cannot be modified|tool_use.{0,40}ids?.{0,60}without|tool_result.{0,80}(?:unexpected|without)"
    r"|roles must alternate|Invalid .{0,20}signature",
    re.IGNORECASE | re.DOTALL,
)
_CAP = re.compile(r"max_tokens: \d+ > (\d+)")


class Failure(NamedTuple):
    """`headers` have small names."""

    what: str
    status: int = 0
    type: str = ""
    message: str = ""
    headers: Mapping[str, str] = {}


class Diagnosis(NamedTuple):
    """`kind` is that of the outcome if nothing helps. `wait`: seconds the server asks for.

    `is_structured`: `until` came from a header, not from words.
    `drop_cache`: send it again without prompt caching. `cap`: with at most so many tokens of an answer.
    """

    kind: str
    reason: str
    may_retry: bool = False
    wait: float | None = None
    until: float | None = None
    scope: str = ""
    is_structured: bool = False
    is_model: bool = False
    drop_cache: bool = False
    cap: int = 0


def diagnose(failure: Failure, *, now: float, zone_of: ZoneOf) -> Diagnosis:
    said = " ".join(failure.message.split())[:SAID_LIMIT]
    if failure.what != STATUS:
        reason = f"{_SAID.get(failure.what, failure.what)}: {said}" if said else _SAID[failure.what]
        return Diagnosis(outcome.OVERLOADED, reason, may_retry=True)
    reason = f"HTTP {failure.status}: {said}" if failure.status != 200 else f"in mid-answer: {said}"
    return _by_status(failure, reason, now, zone_of)


def _by_status(failure: Failure, reason: str, now: float, zone_of: ZoneOf) -> Diagnosis:
    status, kind, told = failure.status, failure.type, failure.message
    if status == 401 or kind == "authentication_error":
        return Diagnosis(outcome.AUTH, reason)
    if status == 402 or kind == "billing_error" or (status in (400, 403) and _CREDIT.search(told)):
        return _with_until(outcome.BILLING, reason, failure, now, zone_of)
    if status == 403 or kind == "permission_error":
        return Diagnosis(outcome.AUTH, reason)
    if status == 413 or (status in (400, 422, 500) and _TOO_LONG.search(told)):
        return Diagnosis(outcome.CONTEXT_FULL, reason)
    if status == 429 or kind == "rate_limit_error":
        return _limited(failure, reason, now, zone_of)
    if status == 400 and _SPENT.search(told):
        return _with_until(outcome.LIMITED, reason, failure, now, zone_of)
    if status in (404, 405):
        return Diagnosis(outcome.CONFIG, reason, is_model="model" in told.lower())
    if status >= 500 or status in (408, 409) or kind in ("overloaded_error", "api_error"):
        return Diagnosis(
            outcome.OVERLOADED,
            reason,
            may_retry=failure.headers.get("x-should-retry") != "false",
            wait=retry_after(failure.headers, now),
        )
    return _refused(failure, reason)


def _refused(failure: Failure, reason: str) -> Diagnosis:
    """A request that the server will not take as it is."""
    told = failure.message
    if "cache_control" in told:
        return Diagnosis(outcome.FAILED, reason, drop_cache=True)
    cap = _CAP.search(told)
    if cap:
        return Diagnosis(outcome.CONFIG, reason, cap=int(cap[1]))
    if _POISONED.search(told):
        return Diagnosis(outcome.POISONED, reason)
    return Diagnosis(outcome.FAILED, reason)


def _limited(failure: Failure, reason: str, now: float, zone_of: ZoneOf) -> Diagnosis:
    claim = failure.headers.get(f"{UNIFIED}representative-claim", "")
    is_of_model = claim.startswith("seven_day_")
    found = _with_until(outcome.LIMITED, reason, failure, now, zone_of)
    return found._replace(
        may_retry=failure.headers.get("x-should-retry") != "false",
        wait=retry_after(failure.headers, now),
        scope=claim.removeprefix("seven_day_") if is_of_model else "",
    )


def retry_after(headers: Mapping[str, str], now: float) -> float | None:
    """Seconds; a date is read too."""
    milli = _float(headers.get("retry-after-ms", ""))
    if milli is not None:
        return max(0.0, milli / 1000)
    told = headers.get("retry-after", "")
    seconds = _float(told)
    if seconds is not None:
        return max(0.0, seconds)
    at = _of_http_date(told)
    return None if at is None else max(0.0, at - now)


def _with_until(kind: str, reason: str, failure: Failure, now: float, zone_of: ZoneOf) -> Diagnosis:
    """The account's own reset first, then what the server asks to wait, then its words."""
    until = _of_headers(failure.headers, now, zone_of)
    if until is not None:
        return Diagnosis(kind, reason, until=until, is_structured=True)
    said = failure.message
    return Diagnosis(kind, reason, until=read_reset(said, now, zone_of=zone_of) if said else None)


def _of_headers(headers: Mapping[str, str], now: float, zone_of: ZoneOf) -> float | None:
    unified = _float(headers.get(f"{UNIFIED}reset", ""))
    if unified is not None and unified > now:
        return unified
    wait = retry_after(headers, now)
    if wait:
        return now + wait
    for name in RESETS:
        told = headers.get(f"anthropic-ratelimit-{name}-reset", "")
        if told and headers.get(f"anthropic-ratelimit-{name}-remaining") == "0":
            return read_reset(f"resets at {told}", now, zone_of=zone_of)
    return None


def backoff(failures: int, spread: float) -> float:
    """Seconds before try number `failures` + 1: 1, 2, 4 … 60, and up to a quarter more by `spread` (0 to 1)."""
    step = min(2.0 ** min(failures - 1, 16), LONGEST_BACKOFF)
    return float(min(step * (1 + spread / 4), LONGEST_BACKOFF))


def _float(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _of_http_date(text: str) -> float | None:
    from email.utils import parsedate_to_datetime

    try:
        return parsedate_to_datetime(text).timestamp()
    except (TypeError, ValueError):
        return None
