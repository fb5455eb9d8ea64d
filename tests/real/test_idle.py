"""An idle pool costs nothing: the shipped agents.toml with real Claude Code calls no model before there is food.

The timers are a tenth of the shipped ones, and the wake timer of cleanup is shorter still. With
SNAKEPIT_IDLE_S=600 the same watch takes ten minutes with the timers as shipped.
"""

import os
import shutil
from pathlib import Path

import pytest

from tests.standin.fixture import Vendor
from tests.standin.steps import say
from tests.support import clis
from tests.support.fleets import ROOT, fleet
from tests.support.wait import never, wait_for

LONG_S = float(os.environ.get("SNAKEPIT_IDLE_S", "0"))
WATCH_S = LONG_S or 60.0
TENTH = {
    "SNAKEPIT_SET_WATCHDOG_SIGNAL_INTERVAL": "3s",
    "SNAKEPIT_SET_WATCHDOG_HEAVY_INTERVAL": "5s",
    "SNAKEPIT_SET_WATCHDOG_STALL_GRACE": "18s",
}
pytestmark = [
    pytest.mark.timeout(120 + LONG_S),
    pytest.mark.needs("tmux"),
    pytest.mark.needs("claude"),
]


def shipped(folder: Path) -> str:
    """The config as it is, on a server of its own; its prompts and the pit's README beside it."""
    for name in ("prompts", "pit"):
        shutil.copytree(ROOT / name, folder / name, ignore=lambda at, names: set(names) - keep(at))
    text = (ROOT / "agents.toml").read_text()
    own = text.replace("#tmux_socket = ", 'tmux_socket = "{socket}" # ', 1)
    assert own != text
    quick = own if LONG_S else own.replace('interval = "30m"', 'interval = "10s"', 1)
    assert LONG_S or quick != own
    return quick


def keep(folder: str) -> set[str]:
    return {path.name for path in Path(folder).glob("*.md")}


def test_no_model_is_called_before_there_is_food(vendor: Vendor, tmp_path: Path) -> None:
    folder = tmp_path / "project"
    cli = clis.prepare("claude", tmp_path / "home", folder, vendor.url)
    vendor.space.always(say("The answer is forty-two."))
    environ = {**cli.env, **({} if LONG_S else TENTH)}
    with fleet(folder, shipped(folder), environ=environ) as made:
        made.ok("up", "--yes")
        minds = {"snake-1", "snake-2", "snake-3", "planner", "cleanup"}
        wait_for(lambda: minds <= made.lives().keys(), 30, "every snake to wait for food")

        never(lambda: vendor.space.asked, WATCH_S, "nobody asks anything")

        assert minds <= made.lives().keys()
        assert not made.events("task.claimed")
        assert not made.events("session.ended"), "they all were there the whole time"
        made.drop("one.md", "# one\n\nFind the answer.\n")
        wait_for(lambda: made.lies("done") == {"one.md"}, 60, "the first food to be eaten")
        assert {one.headers["user-agent"].split("/")[0] for one in vendor.space.main} == {
            "claude-cli"
        }
        assert "forty-two" in (made.config.pit_dir / "done" / "one.md").read_text()
