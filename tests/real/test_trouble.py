"""Real Claude Code that is refused: food goes back uncounted, the account rests, a spoilt talk is not taken up."""

import json
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from snakepit import clock
from tests.standin.fixture import Vendor
from tests.standin.space import Asked
from tests.standin.steps import Step, say, shell
from tests.support.snakes import RealFleet, real_fleet
from tests.support.wait import wait_for

both = pytest.mark.parametrize(
    "program",
    [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("claude", "claude-2.1.197")],
)
pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux")]
SUBSCRIBED = {
    "ANTHROPIC_API_KEY": "",
    "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-" + "standin" * 8,
    "CLAUDE_CODE_MAX_RETRIES": "1",  # ten of them take 200 s
}
HOUR = 3600.0


def drop(fleet: RealFleet, name: str) -> None:
    fleet.drop(name, f"# {name}\n\nFind the answer. The word is nonce-{name}.\n")


def rest_of(fleet: RealFleet) -> Mapping[str, object]:
    """What is written about the only account."""
    (path,) = (fleet.config.state_dir / "limits").glob("*.json")
    found = json.loads(path.read_text())
    assert isinstance(found, dict)
    return found


def is_back(fleet: RealFleet, name: str, times: int) -> bool:
    released = [one for one in fleet.events("task.released") if one["task"] == name]
    return len(released) == times and name in fleet.lies("food")


@both
def test_the_account_rests_and_the_food_is_not_counted(
    program: str, vendor: Vendor, tmp_path: Path
) -> None:
    """The 5-hour limit of a subscription; lifted by hand the server is overloaded; then it answers."""
    vendor.space.always("429_5h")
    with real_fleet(
        tmp_path, vendor, program=program, kind="task", prompt="Be brief.", env=SUBSCRIBED
    ) as fleet:
        fleet.ok("up")
        drop(fleet, "one.md")
        wait_for(lambda: is_back(fleet, "one.md", 1), 60, "the task to be given back")
        rest = rest_of(fleet)
        assert (rest["kind"], rest["window"]) == ("limited", "5-hour")
        until = float(str(rest["until"])) - clock.wall()
        assert 2.9 * HOUR < until < 3.1 * HOUR
        said = fleet.ok("status")
        assert "is at its 5-hour limit until " in said
        asked = len(vendor.space.main)

        vendor.space.always("529")
        fleet.ok("limits", "--lift", "claude")
        wait_for(lambda: is_back(fleet, "one.md", 2), 60, "it to be given back again")
        assert len(vendor.space.main) == asked + 2, "one try and one retry"
        assert rest_of(fleet)["kind"] == "overloaded"
        assert "is overloaded and is tried again at " in fleet.ok("status")

        vendor.space.always(say("The answer is forty-two."))
        fleet.ok("limits", "--lift", "claude")
        wait_for(lambda: fleet.lies("done") == {"one.md"}, 60, "the task in done/")
        (completed,) = wait_for(lambda: fleet.events("task.completed"), 10, "its event")
        assert completed["attempt"] == 1
        assert "## Attempt" not in (fleet.config.pit_dir / "done" / "one.md").read_text()
        assert not list((fleet.config.state_dir / "limits").glob("*.json"))


@pytest.mark.needs("claude")
def test_a_spoilt_conversation_is_not_taken_up(vendor: Vendor, tmp_path: Path) -> None:
    program = "claude"
    faults = {"thinking.md": "400_thinking", "context.md": "context"}
    spoilt: set[str] = set()

    def model(asked: Asked) -> Step:
        name = next(name for name in faults if any(f"nonce-{name}" in t for t in asked.talk.users))
        if name in spoilt:
            return say(f"fresh, after {len(asked.talk.calls)} calls")
        if asked.talk.calls:
            return Step(fault=faults[name])
        return shell("echo it did")

    vendor.space.always(model)
    with real_fleet(tmp_path, vendor, program=program, kind="task", prompt="Be brief.") as fleet:
        fleet.ok("up")
        for name, kind in (("thinking.md", "poisoned"), ("context.md", "context_full")):
            drop(fleet, name)
            wait_for(partial(failed, fleet, name), 60, "the first attempt to fail")
            spoilt.add(name)
            wait_for(partial(lies_in_done, fleet, name), 60, "the second to end well")
            assert "fresh, after 0 calls" in (fleet.config.pit_dir / "done" / name).read_text()
            runs = sorted((fleet.config.pit_dir / "waste" / Path(name).stem).glob("*/run.json"))
            first, second = (json.loads(run.read_text()) for run in runs)
            assert first["kind"] == kind
            assert first["session_id"] != second["session_id"]
        assert not list((fleet.config.state_dir / "limits").glob("*.json")), "nobody rests"


def failed(fleet: RealFleet, name: str) -> list[Mapping[str, object]]:
    return [one for one in fleet.events("task.failed") if one["task"] == name]


def lies_in_done(fleet: RealFleet, name: str) -> bool:
    return name in fleet.lies("done")
