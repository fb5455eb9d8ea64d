"""Every real program run once per task by a worker: refused first, then to done/, with its answer and what it used."""

from pathlib import Path

import pytest

from tests.standin.fixture import Vendor
from tests.standin.models import by_calls
from tests.standin.steps import say, shell
from tests.support.snakes import real_fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux")]
PROGRAMS = ("claude", "claude-2.1.197", "codex", "opencode", "gemini", "aider")
BODY = "# {name}\n\nFind the answer and say it. The word of this task is nonce-{name}.\n"
ONCE = {"CLAUDE_CODE_MAX_RETRIES": "1"}  # ten of them take 200 s


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.needs(n)) for n in PROGRAMS])
def test_it_eats_what_it_is_given(name: str, vendor: Vendor, tmp_path: Path) -> None:
    """A refused key comes first, for which several of them exit 0: the task is given back uncounted."""
    names = {f"task-{n}.md" for n in range(1, 6 if name == "claude" else 2)}
    vendor.space.always("401")
    vendor.space.side = "main"
    with real_fleet(
        tmp_path, vendor, program=name, kind="task", prompt="Be brief.", env=ONCE
    ) as fleet:
        pit = fleet.config.pit_dir
        fleet.ok("up")
        fleet.drop("task-1.md", BODY.format(name="task-1.md"))
        wait_for(lambda: fleet.events("task.released"), 60, "the task to be given back")
        wait_for(lambda: fleet.lies("food") == {"task-1.md"}, 10, "it to be food again")
        assert "attempt" not in (pit / "food" / "task-1.md").read_text()
        (rest,) = (fleet.config.state_dir / "limits").glob("*.json")

        steps = [say("The answer is forty-two.")]
        if not fleet.cli.toolless:
            vendor.space.side = "canned"
            steps.insert(0, shell("echo it did >> ran.txt"))
        vendor.space.always(by_calls(*steps))
        for task in sorted(names - {"task-1.md"}):
            fleet.drop(task, BODY.format(name=task))
        fleet.ok("limits", "--lift", rest.stem)
        wait_for(lambda: fleet.lies("done") == names, 90, "every task in done/")
        wait_for(lambda: len(fleet.events("task.completed")) == len(names), 10, "an event of each")
        completed = {str(event["task"]): event for event in fleet.events("task.completed")}
        assert set(completed) == names
        for task in names:
            assert "The answer is forty-two." in (pit / "done" / task).read_text()
            assert any(f"nonce-{task}" in text for text in vendor.space.users())
            used = completed[task]["usage"]
            assert isinstance(used, dict)
            assert (used["input"], used["output"]) != (0, 0), used
            assert completed[task]["attempt"] == 1
        if not fleet.cli.toolless:
            assert (fleet.folder / "ran.txt").read_text() == "it did\n" * len(names)
