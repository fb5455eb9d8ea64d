"""What the stand-in does wrong, and what our own agent makes of it."""

from typing import NamedTuple

import pytest

from snakepit.agents.anthropic.settings import Settings
from tests.agents.anthropic.scene import NOW, Scene
from tests.standin.fixture import Vendor
from tests.standin.steps import say, tool


class Fault(NamedTuple):
    test_id: str
    preset: str
    kind: str
    error_class: str
    tries: int
    scope: str = ""


FAULTS = [
    Fault("rate limit", "429", "limited", "limited", 4),
    Fault("overloaded", "529", "overloaded", "overloaded", 4),
    Fault("server", "500", "overloaded", "overloaded", 4),
    Fault("gateway page", "502_html", "overloaded", "overloaded", 4),
    Fault("hangs up", "close", "overloaded", "dropped", 4),
    Fault("drops", "drop_mid", "overloaded", "dropped", 4),
    Fault("garbage", "garbage", "overloaded", "garbage", 4),
    Fault("garbage in the middle", "garbage_mid", "overloaded", "garbage", 4),
    Fault("error in the stream", "sse_error_overloaded", "overloaded", "overloaded", 4),
    Fault("no retry", "429_noretry", "limited", "limited", 1),
    Fault("long wait", "429_long", "limited", "limited", 1),
    Fault("five hours", "429_5h", "limited", "limited", 1),
    Fault("week of opus", "429_7d_opus", "limited", "limited", 1, "opus"),
    Fault("key", "401", "auth", "auth", 1),
    Fault("revoked", "403_oauth_revoked", "auth", "auth", 1),
    Fault("credit", "400_credit", "billing", "billing", 1),
    Fault("usage", "400_api_usage_limits", "limited", "limited", 1),
    Fault("poisoned", "400_thinking", "poisoned", "poisoned", 1),
    Fault("ids", "400_tool_use_ids", "poisoned", "poisoned", 1),
    Fault("too long", "400_too_long", "context_full", "context_full", 1),
]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.test_id)
def test_a_fault_that_stays_ends_the_run(fault: Fault, scene: Scene, vendor: Vendor) -> None:
    step = {"preset": fault.preset, "chunk_delay": 0.0}
    vendor.space.always(step)
    ended = scene.run()
    assert (ended.kind, ended.scope) == (fault.kind, fault.scope)
    assert ended.reason
    assert len(vendor.space.main) == fault.tries
    assert len(scene.told("llm_retry_attempt")) == len(scene.pauses) == fault.tries - 1
    (gone,) = scene.told("llm_retry_exhausted")
    assert gone["error_class"] == fault.error_class
    assert gone["attempts"] == fault.tries
    (stop,) = scene.told("agent_stop")
    assert stop["outcome"] == fault.kind
    assert ended.is_accounts == (fault.kind not in ("poisoned", "context_full"))


@pytest.mark.parametrize(
    "preset", ["429", "529", "500", "drop_mid", "garbage_mid", "sse_error_overloaded", "close"]
)
def test_a_fault_that_passes_is_forgotten(preset: str, scene: Scene, vendor: Vendor) -> None:
    vendor.space.then({"preset": preset, "chunk_delay": 0.0, "times": 2}, say("Made it."))
    assert scene.run().text == "Made it."
    assert len(scene.pauses) == 2
    waits = [7.0, 7.0] if preset == "429" else [1.0, 2.0]
    assert scene.pauses == waits, "what the server asks for, else our own"


def test_an_answer_that_broke_off_is_paid_for_and_not_kept(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then({"preset": "drop_mid", "chunk_delay": 0.0, "times": 1}, say("Whole."))
    ended = scene.run()
    assert ended.usage.input == 2400
    assert ended.details["turns"] == 1
    assert len(vendor.space.main[-1].body["messages"]) == 1


def test_a_silent_server_is_left_and_asked_again(scene: Scene, vendor: Vendor) -> None:
    scene.settings = Settings(retries=1, request_timeout=0.3)
    vendor.space.then({"preset": "hang_headers", "times": 1}, say("Back."))
    assert scene.run().text == "Back."
    (again,) = scene.told("llm_retry_attempt")
    assert again["error_class"] == "timeout"


def test_a_server_that_is_not_there_is_overloaded(scene: Scene) -> None:
    scene.url = "http://127.0.0.1:9"
    ended = scene.run()
    assert (ended.kind, ended.is_accounts) == ("overloaded", True)
    assert "cannot be reached" in ended.reason


def test_a_limit_says_until_when(scene: Scene, vendor: Vendor) -> None:
    vendor.space.always("429_long")
    ended = scene.run()
    assert ended.until == NOW + 3600
    assert ended.details["until_source"] == "structured"


def test_an_unknown_model_is_answered_with_near_names(scene: Scene, vendor: Vendor) -> None:
    scene.model = "claude-standing"
    vendor.space.always("404_model")
    ended = scene.run()
    assert ended.kind == "config"
    (warning,) = scene.told("model_lookup_warning")
    suggestions = warning["suggestions"]
    assert isinstance(suggestions, list)
    assert suggestions[0]["id"] == "claude-standin"
    assert len(suggestions) <= 3
    assert "claude-standin" in scene.screen.text


def test_caching_is_left_out_where_it_is_refused(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(
        {"preset": "400_cache", "times": 1}, tool("bash", {"command": "true"}), say("ok")
    )
    assert scene.run().text == "ok"
    marked = ["cache_control" in str(asked.body) for asked in vendor.space.main]
    assert marked == [True, False, False]
    assert scene.pauses == []


def test_shorter_answers_are_asked_for_where_that_is_the_most(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then({"preset": "400_cap", "times": 1}, say("ok"))
    assert scene.run().text == "ok"
    assert [asked.body["max_tokens"] for asked in vendor.space.main] == [16_000, 8192]
