"""Real Claude Code plans: a big task becomes three by our own verb, three snakes eat them, the big one ends."""

from pathlib import Path

import pytest

from tests.standin.fixture import Vendor
from tests.standin.models import answering
from tests.standin.space import Asked
from tests.standin.steps import Step, say, shell
from tests.support.fleets import ROOT
from tests.support.snakes import real_fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux"), pytest.mark.needs("claude")]
PARTS = {"part-a.md", "part-b.md", "part-c.md"}
WRITE = 'for p in a b c; do echo "The word of this part is nonce-$p." > part-$p.md; done'
ALL_EAT = (  # nobody is done before all three have begun
    'cd "$SNAKEPIT_PIT/.." && touch "eats-$SNAKEPIT_WORKER"; '
    "until [ $(ls eats-* | wc -l) -eq 3 ]; do read -t 0.2 <> <(:) || true; done"
)


def works(asked: Asked) -> Step:
    """The planner by its role prompt, a snake by whatever part it was given."""
    calls = len(asked.talk.calls)
    if any("You are the planner of this pit" in text for text in asked.talk.users):
        if calls == 0:
            return shell(f"{WRITE}; snakepit split part-a.md part-b.md part-c.md")
        return say(f"The pit said: {asked.result}")
    return answering(r"nonce-\w")(asked) if calls else shell(ALL_EAT)


def agent(name: str, *more: str) -> str:
    return "\n".join((f'[[agent]]\nname = "{name}"\nbackend = "claude"\nkind = "task"', *more))


def test_a_big_task_is_split_and_ends_with_its_parts(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(works)
    prompt = f'prompt_file = "{ROOT / "prompts" / "planner.md"}"'
    others = (agent("snake-2"), agent("snake-3"), agent("planner", 'species = "planner"', prompt))
    with real_fleet(
        tmp_path, vendor, kind="task", prompt="Be brief.", more="\n".join(others)
    ) as fleet:
        fleet.ok("up")
        fleet.drop("whole.md", "---\nbig: true\n---\n# The whole\n\nDo all of it.\n")
        wait_for(lambda: fleet.lies("done") == {"whole.md", *PARTS}, 100, "all four in done/")
        wait_for(lambda: len(fleet.events("task.completed")) == 4, 10, "an event of each")

        (split,) = fleet.events("task.split")
        assert (split["task"], split["worker"]) == ("whole.md", "planner")
        eaten = {str(one["task"]): str(one["worker"]) for one in fleet.events("task.completed")}
        assert {eaten[part] for part in PARTS} == {"snake-1", "snake-2", "snake-3"}
        done = fleet.config.pit_dir / "done"
        for part in PARTS:
            assert f"nonce-{part[5]}" in (done / part).read_text().partition("## Result")[2]
        whole = (done / "whole.md").read_text()
        assert all(part in whole for part in PARTS), whole
        (used,) = fleet.events("task.used")
        assert (used["task"], used["worker"]) == ("whole.md", "planner")
        assert not fleet.events("task.released"), "its own verb settled it, nobody's hand"
