"""The other real programs in a real fleet: each starts by `up`, feeds itself, and is gone after `down`."""

from pathlib import Path

import pytest

from snakepit.system import process
from tests.standin import models
from tests.standin.fixture import Vendor
from tests.support.snakes import real_fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux")]
PROGRAMS = ("codex", "opencode", "gemini")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.needs(n)) for n in PROGRAMS])
def test_it_eats_by_hand(name: str, vendor: Vendor, tmp_path: Path) -> None:
    prompt = "Eat what is in pit/food.\nThe second line of the role, with 'quotes' and $HOME."
    with real_fleet(tmp_path, vendor, program=name, prompt=prompt) as fleet:
        pit = fleet.config.pit_dir
        vendor.space.always(models.by_hand(pit, "snake-1"))
        (pit / "food").mkdir(parents=True)
        (pit / "food" / "one.md").write_text("# one\n")
        fleet.ok("up")
        wait_for(lambda: fleet.lies("done") == {"one.md"}, 90, "one task in done/")
        assert "one.md eaten by hand" in (pit / "done" / "one.md").read_text()
        assert any(prompt in text for text in vendor.space.users())
        pids = fleet.processes()
        assert fleet.program_pid() in pids
        fleet.ok("down", "--grace", "3")
        wait_for(lambda: not any(map(process.is_running, pids)), 20, "every process to end")
