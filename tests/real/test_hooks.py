"""What real programs tell by their hooks: events in order, what is known of them, and their conversation kept."""

import os
import signal
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.core.signals import Signals
from snakepit.pool.signals import HookProof, pane_state, signals
from tests.standin.fixture import Vendor
from tests.standin.models import by_calls
from tests.standin.steps import Call, Step, say, shell
from tests.support.snakes import RealFleet, real_fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux")]
both = pytest.mark.parametrize(
    "program",
    [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("claude", "claude-2.1.197")],
)
TURN = ["user_prompt", "tool_call", "tool_result", "agent_stop"]


def known(fleet: RealFleet) -> Signals:
    return signals(fleet.config, "snake-1")


def told(fleet: RealFleet) -> list[str]:
    """The types of the events of its conversations, in order."""
    types = {"agent_start", *TURN, "agent_end"}
    return [str(event["type"]) for event in fleet.events() if event["type"] in types]


@both
def test_an_interactive_turn(program: str, vendor: Vendor, tmp_path: Path) -> None:
    steps = (
        shell("echo it did"),
        shell("echo not so >&2; exit 3"),
        say("The answer is forty-two."),
    )
    vendor.space.always(by_calls(*steps))
    with real_fleet(tmp_path, vendor, program=program, prompt="Go mark-4711.") as fleet:
        began = clock.wall()
        fleet.ok("up")
        wait_for(lambda: "agent_stop" in told(fleet), 90, "the end of its turn")
        assert told(fleet) == ["agent_start", *TURN[:3], *TURN[1:]]
        assert "not so" in str(fleet.events("tool_result")[1]["result"])
        stop = fleet.events("agent_stop")[0]
        assert stop["content"] == "The answer is forty-two."
        call, result = fleet.events("tool_call")[0], fleet.events("tool_result")[0]
        assert call["tool_call_id"] == result["tool_call_id"]
        assert "it did" in str(result["result"])
        now = known(fleet)
        assert (now.turns, now.in_turn, now.tool, now.failure) == (1, False, "", "")
        assert Path(now.transcript).stem == now.session == stop["session"]
        agent = fleet.config.agents[0]
        proof = HookProof(fleet.config, "snake-1", fleet.config.backend_of(agent))
        assert proof.tells
        assert proof.seen("mark-4711", began)
        assert not proof.seen("mark-4712", began)
        settings = fleet.cli.home / ".claude" / "settings.json"
        assert "hook.py" not in settings.read_text()


@pytest.mark.needs("claude")
def test_it_is_seen_in_a_tool_and_goes_on_after_a_kill(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.then(say("Ready."))
    vendor.space.always(say("I go on."))
    with real_fleet(tmp_path, vendor, prompt="Begin.") as fleet:
        fleet.ok("up")
        wait_for(lambda: known(fleet).turn_ended, 90, "the end of its turn")
        first = known(fleet).session
        kept = fleet.config.state_dir / "resume" / "snake-1"
        wait_for(kept.exists, 10, "its conversation to be noted")
        pid = fleet.program_pid()
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: fleet.program_pid() not in (0, pid), 60, "another start")
        wait_for(lambda: known(fleet).turns == 1 and known(fleet).turn_ended, 60, "its next turn")
        wait_for(lambda: len(fleet.events("agent_start")) == 2, 30, "its second start")
        assert fleet.events("agent_start")[1]["resumed"] is True
        assert known(fleet).session == first


@pytest.mark.needs("claude")
def test_a_turn_that_failed_rests_the_account(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.side = "main"
    vendor.space.always("400_api_usage_limits")
    with real_fleet(tmp_path, vendor, prompt="Begin.") as fleet:
        fleet.ok("up")
        wait_for(lambda: known(fleet).failure, 90, "the failed turn")
        stop = wait_for(lambda: fleet.events("agent_stop"), 10, "its event")[0]
        assert stop["outcome"] == "limited"
        assert list((fleet.config.state_dir / "limits").glob("claude-*.json"))
        assert not (fleet.config.state_dir / "resume" / "snake-1").exists()


@pytest.mark.needs("claude")
def test_hooks_false_gives_none(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(say("Nobody hears me."))
    with real_fleet(tmp_path, vendor, prompt="Speak.", more="hooks = false") as fleet:
        fleet.ok("up")
        wait_for(lambda: "Nobody hears" in fleet.screen(), 90, "the answer on its screen")
        assert not (fleet.config.state_dir / "hooks").exists()
        assert told(fleet) == []


@pytest.mark.needs("claude")
def test_the_hooks_of_a_run_per_task_name_the_task(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(by_calls(shell("echo it did"), say("The answer is forty-two.")))
    with real_fleet(tmp_path, vendor, kind="task", prompt="Be brief.") as fleet:
        fleet.ok("up")
        fleet.drop("one.md", "# one\n\nAnswer.\n")
        wait_for(lambda: fleet.events("task.completed"), 90, "the task's end")
        events = [event for event in fleet.events() if event["type"] in TURN]
        assert [(e["type"], e["task"], e["attempt"]) for e in events] == [
            (kind, "one.md", 1) for kind in TURN
        ]


@pytest.mark.needs("qwen")
def test_qwen_tells_its_turns(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(by_calls(shell("echo it did"), say("The answer is forty-two.")))
    with real_fleet(tmp_path, vendor, program="qwen", prompt="Go.") as fleet:
        fleet.ok("up")
        wait_for(lambda: "agent_stop" in told(fleet), 90, "the end of its turn")
        assert told(fleet) == ["agent_start", *TURN]


@pytest.mark.needs("codex")
def test_codex_tells_the_end_of_a_turn(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(say("The answer is forty-two."))
    with real_fleet(tmp_path, vendor, program="codex", prompt="Go.") as fleet:
        fleet.ok("up")
        stop = wait_for(lambda: fleet.events("agent_stop"), 90, "the end of its turn")[0]
        assert stop["content"] == "The answer is forty-two."
        backend = fleet.config.backend_of(fleet.config.agents[0])
        states = ("idle", "done")
        wait_for(
            lambda: pane_state(fleet.config, "snake-1", backend) in states, 20, "it to be idle"
        )
        assert (fleet.config.state_dir / "resume" / "snake-1").read_text().strip() == known(
            fleet
        ).session


SERVED = {"codex": "mcp__snakepit::", "qwen": "mcp__snakepit__", "opencode": "snakepit_"}


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.needs(n)) for n in SERVED])
def test_others_have_our_verbs_as_tools(name: str, vendor: Vendor, tmp_path: Path) -> None:
    prefix = SERVED[name]
    claim = Step(calls=(Call(f"{prefix}claim", {}),))
    done = Step(calls=(Call(f"{prefix}done", {"result": "settled with a tool"}),))
    # The first request may be out before the server has answered.
    vendor.space.always(by_calls(shell("sleep 4"), claim, done, say("Done.")))
    with real_fleet(tmp_path, vendor, program=name, kind="task", prompt="Be brief.") as fleet:
        fleet.ok("up")
        fleet.drop("one.md", "# one\n\nSettle it with your tool.\n")
        wait_for(lambda: fleet.lies("done") == {"one.md"}, 90, "one task in done/")
        assert "settled with a tool" in (fleet.config.pit_dir / "done" / "one.md").read_text()
