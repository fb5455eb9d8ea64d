"""Proves an account's rest on real workers: nobody asks meanwhile, one asks first, no attempt is lost."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.pool import limits
from snakepit.pool.canary import remembered
from tests.support.processes import stays
from tests.support.wait import wait_for
from tests.support.workers import Kitchen, kitchen

PROGRAM = """\
import json, os, pathlib, select, sys
here = pathlib.Path(os.environ["SCENE"])
sys.stdin.read()
with (here / "calls").open("a") as file:
    file.write(os.environ["SNAKEPIT_WORKER"] + "\\n")
if (here / "limited").exists():
    print(json.dumps({"type": "end", "error": (here / "limited").read_text(), "used": 9}))
    sys.exit(1)
while (here / "slow").exists() and not (here / "go").exists():
    select.select([], [], [], 0.05)
print(json.dumps({"type": "end", "text": "eaten"}))
"""
CONFIG = """\
[defaults]
session_prefix = "t-"
log_dir = "logs"
tmux_socket = "snakepit-test-{token}"

[watchdog]
limit_reset_slack = "0s"
limit_probe_fallback = "2s"

[pit]
path = "pit"
settle = "0s"
durable = "kill"

[backend.toy]
bin = "{python} {program}"

[backend.toy.account]
name = "toy"

[backend.toy.task]
argv = ["--json"]

[backend.toy.stream.end]
when = { type = "end" }
[backend.toy.stream.end.take]
text = "text"
error = "error"
"usage.output" = "used"
ended = "=true"

[backend.toy.trouble.limit]
kind = "limited"
match = "hit your .*limit"

[backend.toy.trouble.login]
kind = "auth"
match = "please log in"

[[pool]]
name = "mind"
count = 2
kind = "task"
species = "worker"
backend = "toy"
env = { SCENE = "{scene}" }

[[agent]]
name = "cook"
species = "script"
backend = "script"
"""


class Scene:
    def __init__(self, box: Kitchen, folder: Path) -> None:
        self.box = box
        self.folder = folder

    def limit(self, words: str) -> None:
        (self.folder / "limited").write_text(words)

    def calls(self) -> list[str]:
        path = self.folder / "calls"
        return path.read_text().split() if path.exists() else []

    def start(self) -> None:
        for name in ("mind-1", "mind-2"):
            self.box.start(name)

    def feed(self, *names: str) -> None:
        for name in names:
            self.box.feed(name, "Think.")

    def resting(self) -> limits.Rest | None:
        config = self.box.config
        mind = config.member_of("mind-1")
        assert mind is not None
        return limits.resting(config, remembered(config, mind))


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    program = tmp_path / "toy.py"
    program.write_text(PROGRAM)
    text = CONFIG.replace("{python}", sys.executable).replace("{program}", str(program))
    with kitchen(tmp_path, text.replace("{scene}", str(tmp_path))) as box:
        yield Scene(box, tmp_path)


def test_food_goes_back_and_nobody_asks_until_a_person_lifts(scene: Scene) -> None:
    scene.limit("You've hit your 5-hour limit · resets in 2h")
    scene.feed("a.md", "b.md", "c.md")
    scene.start()
    wait_for(scene.resting)
    wait_for(lambda: all("resting:" in scene.box.pane(name) for name in ("mind-1", "mind-2")))
    asked = len(scene.calls())
    assert 1 <= asked <= 2, "each once at most"
    assert stays(lambda: len(scene.calls()) == asked, 3.0)
    assert {path.name for path in (scene.box.store / "food").glob("*.md")} == {
        "a.md",
        "b.md",
        "c.md",
    }
    released = scene.box.events("task.released")
    assert len(released) == asked
    assert all("5-hour limit" in str(event["reason"]) for event in released)
    assert all(json.loads(json.dumps(event["usage"]))["output"] == 9 for event in released)
    scene.box.start("cook")
    scene.box.feed("stir.md", "```bash run\necho stirred\n```\n")
    assert "stirred" in scene.box.done("stir.md"), "who has no account goes on"
    (scene.folder / "limited").unlink()
    rest = scene.resting()
    assert rest is not None
    limits.lift(scene.box.pit, rest.account)
    for name in ("a.md", "b.md", "c.md"):
        text = scene.box.done(name)
        assert "eaten" in text
        assert "## Attempt" not in text, "no attempt was lost"


def test_after_the_rest_one_goes_first(scene: Scene) -> None:
    scene.limit("please log in")
    scene.feed("a.md", "b.md", "c.md")
    scene.start()
    first = wait_for(scene.resting)
    assert first is not None
    assert first.kind == "auth"
    again = wait_for(lambda: (rest := scene.resting()) and rest.refused >= 2 and rest)
    assert again
    (scene.folder / "slow").touch()
    (scene.folder / "limited").unlink()
    asked = len(scene.calls())
    wait_for(lambda: len(scene.calls()) == asked + 1)
    assert stays(lambda: len(scene.calls()) == asked + 1, 4.0)
    (scene.folder / "go").touch()
    for name in ("a.md", "b.md", "c.md"):
        assert "## Attempt" not in scene.box.done(name)
    wait_for(lambda: scene.box.events("account.rested"))
    assert scene.box.events("account.rested")[0]["reason"] == "it answers again"
    assert limits.records(scene.box.config) == []
