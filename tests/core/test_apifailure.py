"""What a failed request means: whose fault it is, and when it is worth another try."""

from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

import pytest

from snakepit.core.apifailure import (
    DROPPED,
    GARBAGE,
    SILENT,
    STATUS,
    UNREACHABLE,
    Diagnosis,
    Failure,
    backoff,
    diagnose,
    retry_after,
)

NOW = datetime(2026, 11, 21, 12, 0, tzinfo=UTC).timestamp()


def zone(name: str) -> tzinfo | None:
    return UTC


def found(failure: Failure) -> Diagnosis:
    return diagnose(failure, now=NOW, zone_of=zone)


class Case(NamedTuple):
    test_id: str
    status: int
    type: str
    message: str
    kind: str
    may_retry: bool = False


CASES = [
    Case("key", 401, "authentication_error", "invalid x-api-key", "auth"),
    Case("permission", 403, "permission_error", "no permission", "auth"),
    Case("payment", 402, "", "pay first", "billing"),
    Case("credit", 400, "invalid_request_error", "Your credit balance is too low", "billing"),
    Case("spend", 429, "billing_error", "spend limit reached", "billing"),
    Case("rate", 429, "rate_limit_error", "too fast", "limited", True),
    Case("usage", 400, "invalid_request_error", "your specified API usage limits", "limited"),
    Case("overloaded", 529, "overloaded_error", "Overloaded", "overloaded", True),
    Case("stream", 200, "overloaded_error", "Overloaded", "overloaded", True),
    Case("server", 500, "api_error", "Internal server error", "overloaded", True),
    Case("gateway", 502, "", "<html>", "overloaded", True),
    Case("long", 400, "invalid_request_error", "prompt is too long: 9 > 8 maximum", "context_full"),
    Case("large", 413, "request_too_large", "Request exceeds the maximum size", "context_full"),
    Case("llama", 400, "", "the request exceeds the available context size", "context_full"),
    Case("model", 404, "not_found_error", "model: claude-nonexistent-9", "config"),
    Case("path", 404, "", "no such page", "config"),
    Case("thinking", 400, "", "`thinking` blocks cannot be modified", "poisoned"),
    Case("ids", 400, "", "`tool_use` ids were found without `tool_result`", "poisoned"),
    Case("other", 400, "invalid_request_error", "messages: at least one", "failed"),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.test_id)
def test_a_status_says_whose_fault_it_is(case: Case) -> None:
    diagnosis = found(Failure(STATUS, case.status, case.type, case.message))
    assert (diagnosis.kind, diagnosis.may_retry) == (case.kind, case.may_retry)
    assert str(case.message[:20]) in diagnosis.reason


@pytest.mark.parametrize("what", [UNREACHABLE, SILENT, DROPPED, GARBAGE])
def test_what_the_line_did_is_tried_again(what: str) -> None:
    diagnosis = found(Failure(what, message="x"))
    assert (diagnosis.kind, diagnosis.may_retry) == ("overloaded", True)


def test_the_model_is_told_from_the_path() -> None:
    assert found(Failure(STATUS, 404, "", "model: x")).is_model
    assert not found(Failure(STATUS, 404, "", "no page")).is_model


def test_the_servers_word_on_retrying_wins() -> None:
    limited = Failure(STATUS, 429, "rate_limit_error", "x", {"x-should-retry": "false"})
    assert not found(limited).may_retry


def test_the_accounts_reset_wins_over_retry_after() -> None:
    headers = {
        "anthropic-ratelimit-unified-reset": str(int(NOW) + 9000),
        "anthropic-ratelimit-unified-representative-claim": "seven_day_opus",
        "retry-after": "60",
    }
    diagnosis = found(Failure(STATUS, 429, "rate_limit_error", "x", headers))
    assert diagnosis.until == NOW + 9000
    assert diagnosis.is_structured
    assert (diagnosis.scope, diagnosis.wait) == ("opus", 60)


def test_a_five_hour_limit_is_the_whole_accounts() -> None:
    headers = {"anthropic-ratelimit-unified-representative-claim": "five_hour"}
    assert found(Failure(STATUS, 429, "rate_limit_error", "x", headers)).scope == ""


def test_an_emptied_bucket_says_when_it_is_full() -> None:
    headers = {
        "anthropic-ratelimit-tokens-remaining": "0",
        "anthropic-ratelimit-tokens-reset": "2026-11-21T12:05:00Z",
        "anthropic-ratelimit-requests-reset": "2026-11-21T12:50:00Z",
    }
    assert found(Failure(STATUS, 429, "rate_limit_error", "x", headers)).until == NOW + 300


def test_words_say_until_when() -> None:
    told = (
        "You have reached your API usage limits. You will regain access on 2026-11-22 at 00:00 UTC."
    )
    diagnosis = found(Failure(STATUS, 400, "invalid_request_error", told))
    assert diagnosis.until == datetime(2026, 11, 22, tzinfo=UTC).timestamp()
    assert not diagnosis.is_structured


def test_a_refused_request_says_what_it_could_be_without() -> None:
    cached = Failure(STATUS, 400, "", "system.0.cache_control: Extra inputs are not permitted")
    assert found(cached).drop_cache
    capped = Failure(STATUS, 400, "", "max_tokens: 16000 > 8192, which is the maximum allowed")
    assert found(capped).cap == 8192


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "7"}, 7.0),
        ({"retry-after": "0.5"}, 0.5),
        ({"retry-after-ms": "250", "retry-after": "9"}, 0.25),
        ({"retry-after": "Sat, 21 Nov 2026 12:00:30 GMT"}, 30.0),
        ({"retry-after": "-3"}, 0.0),
        ({"retry-after": "soon"}, None),
    ],
)
def test_retry_after_in_all_its_forms(headers: dict[str, str], seconds: float | None) -> None:
    assert retry_after(headers, NOW) == seconds


def test_waits_grow_and_end_growing() -> None:
    assert [backoff(n, 0.0) for n in range(1, 9)] == [1, 2, 4, 8, 16, 32, 60, 60]
    assert backoff(3, 1.0) == 5.0
    assert backoff(400, 1.0) == 60.0
