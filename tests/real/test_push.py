"""Real Claude Code that the daemon feeds: it is brought each task, settles it, and calls no model for nothing."""

from pathlib import Path

import pytest

from tests.standin import models
from tests.standin.fixture import Vendor
from tests.support.snakes import real_fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux"), pytest.mark.needs("claude")]
FIVE = [f"task-{number}.md" for number in range(1, 6)]


def test_five_tasks_are_brought_and_settled(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(models.fed())
    with real_fleet(tmp_path, vendor, prompt="", feed="push") as fleet:
        fleet.ok("up")
        wait_for(lambda: fleet.events("session.ready"), 60, "it to be ready")
        assert vendor.space.calls == 0
        for name in FIVE:
            fleet.drop(name, f"# {name}\n\nSay that you have eaten.\n")
        wait_for(lambda: fleet.lies("done") == set(FIVE), 90, "five tasks in done/")
        for name in FIVE:
            text = (fleet.config.pit_dir / "done" / name).read_text()
            assert f"{name} settled by its model" in text
        wait_for(lambda: len(fleet.events("task.completed")) == 5, 20, "five events of it")
        assert [event["task"] for event in fleet.events("task.claimed")] == FIVE
        pushed = fleet.events("prompt.delivered")
        assert [(event["task"], event["why"]) for event in pushed] == [(n, "push") for n in FIVE]
        for kind in ("task.failed", "task.released", "push.reminded", "prompt.ambiguous"):
            assert fleet.events(kind) == []


def test_a_turn_that_settles_nothing_is_reminded_once(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(models.fed(settle=False))
    with real_fleet(tmp_path, vendor, prompt="", feed="push") as fleet:
        fleet.ok("up")
        fleet.drop("one.md", "---\nattempts: 1\n---\n# one\n")
        (dead,) = wait_for(lambda: fleet.events("task.dead"), 90, "the end of its last attempt")
        assert "ended its turn twice without settling it" in str(dead["reason"])
        assert fleet.lies("scraps") == {"one.md"}
        whys = [event["why"] for event in fleet.events("prompt.delivered")]
        assert whys == ["push", "reminder"]
        reminder = [
            text for text in vendor.space.users() if "Your task one.md is still open" in text
        ]
        assert len(reminder) == 1
        (failed,) = fleet.events("task.failed")
        assert failed["counted"] is True
