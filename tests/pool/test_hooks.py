"""What hooks wrote becomes events and signals; an account that is used up rests; a conversation is kept or not."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.core.events import EVENTS, Event
from snakepit.pool.canary import Account
from snakepit.pool.context import Pit, opened
from snakepit.pool.hooks import Hooks
from snakepit.pool.limits import records
from snakepit.pool.resume import resume_id, take_resume_id
from snakepit.pool.signals import HookProof, pane_state, signals, status
from snakepit.pool.spool import make_folder, spool_path, status_path
from tests.support.backends import built_in
from tests.support.pits import make_config

TEXT = """\
[defaults]
tmux_socket = "snakepit-test-none"

[[agent]]
name = "snake-1"
backend = "claude"
"""
SESSION = {"session_id": "s-1", "transcript_path": "/t/s-1.jsonl"}
LIMIT = "You've hit your weekly limit ∙ resets Nov 25 at 3am (UTC)"


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    config = make_config(tmp_path, TEXT)
    with opened(config) as found:
        make_folder(config)
        yield found


def record(said: Mapping[str, object], **more: object) -> bytes:
    found = {"at": clock.wall(), "worker": "snake-1", "generation": "g1", **more}
    return b"\n" + json.dumps({**found, "said": json.dumps(said)}).encode() + b"\n"


def tell(pit: Pit, name: str, more: Mapping[str, object] = {}, **about: object) -> None:
    with open(spool_path(pit.config, "snake-1"), "ab") as file:
        file.write(record({"hook_event_name": name, **SESSION, **more}, **about))
    Hooks(pit).step(0)


def events(pit: Pit) -> list[Event]:
    found = list(pit.journal.read(0))
    for event in found:
        assert set(event.data) <= set(EVENTS[event.type].fields), event
    return found


def test_a_turn_with_a_tool_becomes_events(pit: Pit) -> None:
    tell(pit, "SessionStart", {"source": "startup", "model": "opus"})
    tell(pit, "UserPromptSubmit", {"prompt": "eat"})
    call = {"tool_name": "Bash", "tool_use_id": "t1", "tool_input": {"command": "ls"}}
    tell(pit, "PreToolUse", call)
    assert signals(pit.config, "snake-1").in_tool
    tell(pit, "PostToolUse", {**call, "tool_response": {"stdout": "a"}})
    tell(pit, "Stop", {"last_assistant_message": "eaten", "session_crons": [{"id": 1}]})
    tell(pit, "SessionEnd", {"reason": "other"})
    found = events(pit)
    assert [event.type for event in found] == [
        "agent_start",
        "user_prompt",
        "tool_call",
        "tool_result",
        "agent_stop",
        "agent_end",
    ]
    _, prompt, called, result, stop, _ = found
    assert prompt.data["prompt"] == "eat"
    assert called.data["arguments"] == {"command": "ls"}
    assert called.data["tool_call_id"] == result.data["tool_call_id"] == "t1"
    assert result.data["result"] == {"stdout": "a"}
    assert (stop.data["content"], stop.data["outcome"]) == ("eaten", "ok")
    assert {event.worker for event in found} == {"snake-1"}
    known = signals(pit.config, "snake-1")
    assert (known.session, known.turns, known.crons, known.in_turn) == ("s-1", 1, 1, False)
    assert known.session_ended > 0


def test_a_tool_that_failed_has_a_result(pit: Pit) -> None:
    tell(pit, "PreToolUse", {"tool_name": "Bash", "tool_use_id": "t1"})
    failed = {"tool_name": "Bash", "tool_use_id": "t1", "error": "exit 1", "is_interrupt": False}
    tell(pit, "PostToolUseFailure", failed)
    result = events(pit)[-1]
    assert (result.type, result.data["result"], result.data["is_error"]) == (
        "tool_result",
        "exit 1",
        True,
    )
    assert not signals(pit.config, "snake-1").in_tool


def test_the_task_is_the_runs_or_the_only_one_held(pit: Pit) -> None:
    tell(pit, "UserPromptSubmit", {"prompt": "x"}, task="a.md", attempt="3")
    held = pit.config.pit_dir / "claimed" / "snake-1"
    held.mkdir(parents=True)
    (held / "b.md").write_text("b")
    tell(pit, "UserPromptSubmit", {"prompt": "y"})
    (held / "c.md").write_text("c")
    tell(pit, "UserPromptSubmit", {"prompt": "z"})
    assert [(event.task, event.attempt) for event in events(pit)] == [
        ("a.md", 3),
        ("b.md", None),
        (None, None),
    ]


def test_secrets_are_masked(pit: Pit) -> None:
    key = "sk-ant-api03-" + "a" * 40
    tell(pit, "PreToolUse", {"tool_name": "Bash", "tool_input": {"command": f"echo {key}"}})
    assert key not in str(events(pit))


def test_an_unknown_hook_and_an_unknown_worker_are_nothing(pit: Pit) -> None:
    tell(pit, "Wink")
    (spool_path(pit.config, "stranger")).write_bytes(record({"hook_event_name": "Stop"}))
    Hooks(pit).step(0)
    assert events(pit) == []


def test_a_new_life_begins_with_nothing_known(pit: Pit) -> None:
    tell(pit, "UserPromptSubmit", {"prompt": "x"})
    assert signals(pit.config, "snake-1").in_turn
    tell(pit, "SessionStart", {"source": "resume"}, generation="g2")
    known = signals(pit.config, "snake-1")
    assert (known.generation, known.in_turn) == ("g2", False)
    assert events(pit)[-1].data["resumed"] is True


def test_it_asks_until_it_goes_on(pit: Pit) -> None:
    tell(pit, "UserPromptSubmit", {"prompt": "x"})
    tell(pit, "PreToolUse", {"tool_name": "Bash", "tool_use_id": "t1"})
    tell(pit, "PermissionRequest", {"tool_name": "Bash"})
    tell(pit, "Notification", {"notification_type": "permission_prompt", "message": "may I"})
    assert signals(pit.config, "snake-1").is_waiting
    tell(pit, "PostToolUse", {"tool_name": "Bash", "tool_use_id": "t1"})
    assert not signals(pit.config, "snake-1").is_waiting
    assert [event.type for event in events(pit)][2:4] == ["agent_asks", "agent_notice"]


def test_a_turn_refused_for_the_account_rests_it(pit: Pit) -> None:
    agent = pit.config.agents[0]
    account = Account(pit.config, agent, {"ANTHROPIC_API_KEY": "x"}).name
    tell(pit, "StopFailure", {"error": "rate_limit", "last_assistant_message": LIMIT})
    (rest,) = records(pit.config)
    assert (rest.account, rest.kind, rest.by) == (account, "limited", "snake-1")
    assert rest.until > clock.wall()
    assert signals(pit.config, "snake-1").failure == "rate_limit"
    stop = next(event for event in events(pit) if event.type == "agent_stop")
    assert (stop.data["outcome"], stop.data["finish_reason"]) == ("limited", "rate_limit")


def test_a_run_per_task_is_judged_by_its_own_output(pit: Pit) -> None:
    Account(pit.config, pit.config.agents[0], {"ANTHROPIC_API_KEY": "x"})
    failure = {"error": "rate_limit", "last_assistant_message": LIMIT}
    tell(pit, "StopFailure", failure, task="a.md")
    assert records(pit.config) == []


def test_a_conversation_is_kept_after_a_turn_and_dropped_when_it_is_at_fault(pit: Pit) -> None:
    agent = pit.config.agents[0]
    tell(pit, "SessionStart", {"source": "startup"})
    tell(pit, "UserPromptSubmit", {"prompt": "x"})
    assert resume_id(pit.config, agent) == ""
    tell(pit, "Stop")
    assert take_resume_id(pit.config, agent) == "s-1"
    assert take_resume_id(pit.config, agent) == ""
    tell(pit, "Stop")
    poisoned = "API Error: 400 messages.3.content.0: thinking blocks cannot be modified"
    tell(pit, "StopFailure", {"error": "invalid_request", "last_assistant_message": poisoned})
    assert resume_id(pit.config, agent) == ""


def say_status(pit: Pit, percent: float, used: float, resets: float) -> None:
    said = {
        **SESSION,
        "model": {"id": "claude-opus-5-5"},
        "cost": {"total_cost_usd": 1.25},
        "context_window": {"used_percentage": percent, "context_window_size": 200_000},
        "rate_limits": {"five_hour": {"used_percentage": used, "resets_at": resets}},
    }
    status_path(pit.config, "snake-1").write_bytes(record(said))


def test_the_status_line_warns_once_for_each_mark(pit: Pit) -> None:
    (spool_path(pit.config, "snake-1")).touch()
    hooks = Hooks(pit)
    for percent in (10, 61, 62, 85, 70, 85):
        say_status(pit, percent, 1, 0)
        hooks.step(0)
    warned = [e.data["threshold"] for e in events(pit) if e.type == "context_limit_warning"]
    assert warned == ["60%", "80%", "80%"]


def test_a_window_that_is_used_up_rests_the_account_until_it_begins_anew(pit: Pit) -> None:
    agent = pit.config.agents[0]
    Account(pit.config, agent, {"ANTHROPIC_API_KEY": "x"})
    (spool_path(pit.config, "snake-1")).touch()
    resets = clock.wall() + 3600
    say_status(pit, 10, 99.5, resets)
    hooks = Hooks(pit)
    hooks.step(0)
    assert records(pit.config) == []
    say_status(pit, 10, 100, resets)
    hooks.step(0)
    (rest,) = records(pit.config)
    assert (rest.kind, rest.source) == ("limited", "structured")
    assert resets <= rest.until < resets + 600
    said = status(pit.config, "snake-1", pit.config.backend_of(agent))
    assert (said.cost_usd, said.model, said.windows[0].name) == (
        1.25,
        "claude-opus-5-5",
        "five_hour",
    )
    tell(pit, "Stop")
    stop = next(event for event in events(pit) if event.type == "agent_stop")
    assert stop.data["usage"] == {
        "cumulative_cost": 1.25,
        "context_limit": 200_000,
        "tokens_used_percentage": "10%",
    }


def test_a_prompt_is_proved_by_its_mark(pit: Pit) -> None:
    backend = pit.config.backend_of(pit.config.agents[0])
    assert not HookProof(pit.config, "snake-1", backend).tells
    since = clock.wall()
    tell(pit, "UserPromptSubmit", {"prompt": "go on (mark-77)"})
    tell(pit, "PreToolUse", {"tool_name": "Bash", "tool_input": {"command": "mark-88"}})
    proof = HookProof(pit.config, "snake-1", backend)
    assert proof.tells
    assert proof.seen("mark-77", since)
    assert not proof.seen("mark-88", since)
    assert not proof.seen("mark-77", clock.wall() + 1)


def test_the_bytes_of_a_pane_tell_its_state(pit: Pit) -> None:
    backend = built_in("codex")
    assert pane_state(pit.config, "snake-1", backend) == ""
    raw = pit.config.log_dir / "raw"
    raw.mkdir(exist_ok=True)
    log = raw / "snake-1.log"
    log.write_bytes(b"x\x1b]7501;state=working:app=codex\x1b\\y\xff\n")
    assert pane_state(pit.config, "snake-1", backend) == "working"
    with open(log, "ab") as file:
        file.write(b"\x1b]7501;state=blocked:app=codex:kind=permission\x1b\\")
    assert pane_state(pit.config, "snake-1", backend) == "blocked"
    assert pane_state(pit.config, "snake-1", built_in("claude")) == ""


@pytest.mark.parametrize(
    "said",
    [
        {"prompt": "half \ud800 of a character"},
        {"prompt": ["a", {"b": 1}], "session_id": {"not": "a text"}},
        {"prompt": "x" * 100_000, "session_id": None},
    ],
)
def test_no_payload_stops_the_ones_after_it(pit: Pit, said: Mapping[str, object]) -> None:
    tell(pit, "UserPromptSubmit", said)
    tell(pit, "Stop", {"last_assistant_message": "eaten"})
    assert events(pit)[-1].type == "agent_stop"
