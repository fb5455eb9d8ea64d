"""Real Claude Code eats with our verbs as its tools: given by `up` for one launch, nothing written into its home."""

from pathlib import Path

import pytest

from tests.standin.fixture import Vendor
from tests.standin.space import Asked
from tests.standin.steps import Model, Step, say, tool
from tests.support.snakes import real_fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux")]
both = pytest.mark.parametrize(
    "program",
    [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("claude", "claude-2.1.197")],
)
PREFIX = "mcp__snakepit__"


def by_tools(result: str) -> Model:
    """Claims, waiting for food where there is none, and hands in a result without any work."""

    def model(asked: Asked) -> Step:
        last = asked.result
        if "claimed: " in last or "still yours: " in last:
            return tool(f"{PREFIX}done", {"result": result})
        if "is in done/" in last:
            return say("I have eaten.")
        if "nothing waits" in last or "nothing came" in last:
            return tool(f"{PREFIX}wait", {"seconds": 20})
        return tool(f"{PREFIX}claim", {})

    return model


@both
def test_an_interactive_one_eats_with_tools(program: str, vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(by_tools("eaten with tools"))
    with real_fleet(tmp_path, vendor, program=program, prompt="Eat with your tools.") as fleet:
        fleet.ok("up")
        wait_for(lambda: vendor.space.main, 60, "the first call of its model")
        fleet.drop("one.md", "# one\n")
        wait_for(lambda: fleet.lies("done") == {"one.md"}, 90, "one task in done/")
        assert "eaten with tools" in (fleet.config.pit_dir / "done" / "one.md").read_text()
        tools = {name for asked in vendor.space.main for name in asked.talk.tools}
        assert {f"{PREFIX}claim", f"{PREFIX}done"} <= tools
        own = [fleet.cli.home / ".claude.json", fleet.cli.home / ".claude" / "settings.json"]
        assert [path for path in own if "snakepit.mcp" in path.read_text()] == []


@both
def test_one_per_task_settles_with_a_tool(program: str, vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(by_tools("settled with a tool"))
    with real_fleet(tmp_path, vendor, program=program, kind="task", prompt="Be brief.") as fleet:
        fleet.ok("up")
        fleet.drop("one.md", "# one\n\nSettle it with your tool.\n")
        wait_for(lambda: fleet.lies("done") == {"one.md"}, 90, "one task in done/")
        assert "settled with a tool" in (fleet.config.pit_dir / "done" / "one.md").read_text()
        wait_for(lambda: fleet.events("task.used"), 30, "its worker to see that it is settled")
        assert len(fleet.events("task.completed")) == 1


@pytest.mark.needs("claude")
def test_mcp_false_gives_none(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(say("I have no tools of yours."))
    with real_fleet(tmp_path, vendor, prompt="Say hello.", more="mcp = false") as fleet:
        fleet.ok("up")
        wait_for(lambda: vendor.space.main, 60, "the first call of its model")
        wait_for(lambda: "no tools" in fleet.screen(), 30, "the answer on its screen")
        tools = {name for asked in vendor.space.main for name in asked.talk.tools}
        assert not [name for name in tools if name.startswith("mcp__")]
