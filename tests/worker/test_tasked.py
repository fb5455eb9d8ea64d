"""Proves one run of a program per task: asked, followed, read, taken up again, never blamed for its account."""

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.core.lifecycle import State
from tests.support.wait import wait_for
from tests.support.workers import ROOT, Kitchen, kitchen

PROGRAM = """\
import json, os, pathlib, sys, time
argv = sys.argv[1:]
asked = sys.stdin.read()
here = pathlib.Path(os.environ["SCENE"])
with (here / "calls.jsonl").open("a") as file:
    told = {name: os.environ.get(name) for name in ("SNAKEPIT_TASK", "TOY_KEY", "SNAKEPIT_ATTEMPT")}
    file.write(json.dumps({"argv": argv, "asked": asked, "env": told}) + "\\n")
def say(**event):
    print(json.dumps(event), flush=True)
say(type="init", session=argv[argv.index("--id") + 1] if "--id" in argv else "kept")
plan = (here / "plan").read_text().splitlines()
word = plan.pop(0)
(here / "plan").write_text("\\n".join(plan))
if word == "wait":
    (here / "waits").touch()
    while True:
        time.sleep(60)
if word == "limit":
    say(type="end", error="usage limit reached, resets in 2 hours")
    sys.exit(1)
if word == "lost":
    print("no such conversation", file=sys.stderr)
    sys.exit(1)
if word == "broken":
    say(type="end", error="no such model")
    sys.exit(1)
if word == "edit":
    name = os.environ["SNAKEPIT_TASK"]
    path = pathlib.Path("shared.txt")
    path.write_text(path.read_text() + name + "\\n")
    pathlib.Path("new-" + name).write_text("new")
if word == "half":
    pathlib.Path("half.txt").write_text("half")
    (here / "waits").touch()
    while True:
        time.sleep(60)
if word == "long":
    say(type="end", text="x" * 1_000_000 + " the end")
    sys.exit(0)
if word == "bad":
    say(type="end", error="the answer is no")
    sys.exit(0)
say(type="text", text="thinking about " + os.environ["TOY_KEY"])
say(type="end", text="done: " + word + " " + os.environ["TOY_KEY"], used={"in": 7, "out": 5}, cost=0.25)
"""
CONFIG = """\
[defaults]
session_prefix = "t-"
log_dir = "logs"
backend = "toy"
tmux_socket = "snakepit-test-{token}"

[pit]
path = "pit"
settle = "0s"
durable = "kill"

[backend.toy]
bin = "{python} {program}"
env_pass = ["TOY_KEY"]

[backend.toy.account]
name = "toy"
env = ["TOY_KEY"]

[backend.toy.task]
argv = ["--json"]
prompt = "stdin"
fresh = ["--id", "{session_id}"]
resume = ["--resume", "{session_id}"]

[backend.toy.stream.init]
when = { type = "init" }
take = { session_id = "session" }

[backend.toy.stream.text]
when = { type = "text" }
show = "{text}"

[backend.toy.stream.end]
when = { type = "end" }
[backend.toy.stream.end.take]
text = "text"
error = "error"
"usage.input" = "used.in"
"usage.output" = "used.out"
cost_usd = "cost"
ended = "=true"

[backend.toy.trouble.limit]
kind = "limited"
match = "usage limit reached"
reset = "resets (in .*)"

[backend.toy.trouble.model]
kind = "config"
match = "no such model"

[[agent]]
name = "thinker"
kind = "task"
species = "worker"
model = "toy-1"
prompt = "You are {name}."
env = { SCENE = "{scene}" }
"""
KEY = "toy-key-1234567890"


SECOND = """
[[agent]]
name = "second"
kind = "task"
species = "worker"
env = { SCENE = "{scene}" }
"""


class Scene:
    def __init__(self, box: Kitchen, folder: Path) -> None:
        self.box = box
        self.folder = folder

    def plan(self, *words: str) -> None:
        (self.folder / "plan").write_text("\n".join(words))

    def start(self, name: str = "thinker") -> None:
        self.box.start(name, env={"TOY_KEY": KEY})

    def repository(self) -> Path:
        """A committed file; what the test itself needs is ignored."""
        self.git("init", "-q", "-b", "main")
        (self.folder / "shared.txt").write_text("first\n")
        (self.folder / ".git/info/exclude").write_text("*\n!shared.txt\n!new-*\n!half.txt\n")
        self.git("add", "shared.txt")
        self.git("-c", "user.name=t", "-c", "user.email=t@t", "commit", "-q", "-m", "first")
        return self.folder

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", *words], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout

    def calls(self) -> list[dict[str, object]]:
        path = self.folder / "calls.jsonl"
        return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []

    def argv(self, number: int) -> list[str]:
        found = self.calls()[number]["argv"]
        assert isinstance(found, list)
        return found


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    import sys

    program = tmp_path / "toy.py"
    program.write_text(PROGRAM)
    text = (CONFIG + SECOND).replace("{python}", sys.executable).replace("{program}", str(program))
    with kitchen(tmp_path, text.replace("{scene}", str(tmp_path))) as box:
        yield Scene(box, tmp_path)


def test_a_task_is_asked_shown_and_answered(scene: Scene) -> None:
    scene.plan("sum")
    scene.box.feed("sum.md", "What is {6 * 7}?", title="A sum")
    scene.start()
    text = scene.box.done("sum.md")
    assert "done: sum [redacted]" in text
    (call,) = scene.calls()
    assert isinstance(call["asked"], str)
    assert call["asked"].startswith("You are thinker.\n")
    assert "# A sum\n\nWhat is {6 * 7}?" in call["asked"]
    assert call["env"] == {"SNAKEPIT_TASK": "sum.md", "TOY_KEY": KEY, "SNAKEPIT_ATTEMPT": "1"}
    argv = scene.argv(0)
    assert argv[:4] == ["--json", "--model", "toy-1", "--id"]
    assert len(argv[4]) == 36
    attempt = scene.box.store / "waste" / "sum" / "1"
    assert str(attempt / "task.md") in call["asked"]
    assert "claimed" not in call["asked"]
    assert '"cost": 0.25' in (attempt / "stream.jsonl").read_text()
    wait_for(lambda: "thinking about [redacted]" in scene.box.pane("thinker"))
    everything = b"".join(
        p.read_bytes() for p in scene.folder.rglob("*") if p.is_file() and p.name != "calls.jsonl"
    )
    assert KEY.encode() not in everything
    (event,) = wait_for(lambda: scene.box.events("task.completed"))
    usage = event["usage"]
    assert isinstance(usage, dict)
    assert (usage["input"], usage["output"], usage["cost_usd"]) == (7, 5, 0.25)


def test_an_answer_that_says_error_is_a_failed_attempt_whatever_the_exit_says(scene: Scene) -> None:
    scene.plan("bad", "good")
    scene.box.feed("x.md", "Do it.")
    scene.start()
    text = scene.box.done("x.md")
    assert "the answer is no" in text
    assert "done: good" in text
    assert "--id" in scene.argv(1)  # a conversation that ended by its own word is not taken up
    assert "the answer is no" in str(scene.calls()[1]["asked"])


def test_an_answer_without_an_end_is_cut(scene: Scene) -> None:
    scene.plan("long")
    scene.box.feed("x.md", "Do it.")
    scene.start()
    text = scene.box.done("x.md")
    assert "characters are only in" in text
    assert "xx the end" in text
    assert len(text) < 70_000


def test_a_killed_run_is_taken_up_in_its_conversation(scene: Scene) -> None:
    scene.plan("wait", "good")
    scene.box.feed("x.md", "Do it.")
    scene.start()
    wait_for((scene.folder / "waits").exists)
    os.kill(scene.box.worker_pid("thinker"), signal.SIGKILL)
    wait_for(lambda: scene.box.life("thinker") is None)
    scene.start()
    assert "done: good" in scene.box.done("x.md")
    first, second = scene.argv(0), scene.argv(1)
    assert second[second.index("--resume") + 1] == first[first.index("--id") + 1]
    assert "attempt 2" in str(scene.calls()[1]["asked"])


def test_a_conversation_that_is_gone_begins_anew_in_the_same_attempt(scene: Scene) -> None:
    scene.plan("wait", "lost", "good")
    scene.box.feed("x.md", "Do it.")
    scene.start()
    wait_for((scene.folder / "waits").exists)
    os.kill(scene.box.worker_pid("thinker"), signal.SIGKILL)
    wait_for(lambda: scene.box.life("thinker") is None)
    scene.start()
    assert "done: good" in scene.box.done("x.md")
    assert "--resume" in scene.argv(1)
    assert "--id" in scene.argv(2)
    (done,) = scene.box.events("task.completed")
    assert done["attempt"] == 2


def test_another_task_of_the_same_name_is_not_taken_up(scene: Scene) -> None:
    scene.plan("wait", "good")
    scene.box.feed("x.md", "Do it.")
    scene.start()
    wait_for((scene.folder / "waits").exists)
    os.kill(scene.box.worker_pid("thinker"), signal.SIGKILL)
    wait_for(lambda: scene.box.life("thinker") is None)
    food = scene.box.store / "food" / "x.md"
    scene.box.pit.store.set_paused(True)
    scene.start()
    wait_for(food.exists)
    food.write_text("Do something else.")
    scene.box.pit.store.set_paused(False)
    assert "done: good" in scene.box.done("x.md")
    assert "--id" in scene.argv(1)


def test_a_limit_gives_back_uncounted_and_rests_the_account(scene: Scene) -> None:
    scene.plan("limit")
    scene.box.feed("x.md", "Do it.")
    scene.start()
    wait_for(lambda: scene.box.events("account.limited"))
    wait_for(lambda: scene.box.where("x.md") == {State.QUEUED})
    text = (scene.box.store / "food" / "x.md").read_text()
    assert "attempt:" not in text
    wait_for(lambda: "resting" in scene.box.pane("thinker"))
    assert len(scene.calls()) == 1


def test_a_program_that_cannot_be_run_like_this_eats_no_attempts(scene: Scene) -> None:
    scene.plan("broken")
    scene.box.feed("x.md", "Do it.")
    scene.start()
    wait_for(lambda: "cannot be run like this: no such model" in scene.box.pane("thinker"))
    wait_for(lambda: scene.box.where("x.md") == {State.QUEUED})
    assert "attempt:" not in (scene.box.store / "food" / "x.md").read_text()


def test_a_run_out_of_time_is_ended_and_says_so(scene: Scene) -> None:
    scene.plan("wait", "good")
    scene.box.feed("x.md", "Do it.", timeout="1s")
    scene.start()
    assert "timed out after 1s" in scene.box.done("x.md")
    assert "--resume" in scene.argv(1)


@pytest.mark.needs("git")
def test_two_edit_one_file_on_two_branches(scene: Scene) -> None:
    scene.repository()
    scene.plan("edit", "edit")
    for name in ("a.md", "b.md"):
        scene.box.feed(name, f"Add {name}.")
    scene.start()
    scene.start("second")
    for name, other in (("a", "b"), ("b", "a")):
        text = scene.box.done(f"{name}.md")
        assert f"Branch `snakepit/{name}`, commit `" in text
        assert "shared.txt | 1 +" in text
        shown = scene.git("show", f"snakepit/{name}:shared.txt")
        assert shown == f"first\n{name}.md\n"
        files = scene.git("ls-tree", "--name-only", f"snakepit/{name}").split()
        assert files == [f"new-{name}.md", "shared.txt"]
        assert f"new-{other}.md" not in files
    assert (scene.folder / "shared.txt").read_text() == "first\n"
    assert scene.git("worktree", "list").count("\n") == 1
    assert scene.git("rev-parse", "--abbrev-ref", "HEAD").strip() == "main"


@pytest.mark.needs("git")
def test_a_killed_run_goes_on_in_its_worktree(scene: Scene) -> None:
    scene.repository()
    scene.plan("half", "edit")
    scene.box.feed("x.md", "Do it.")
    scene.start()
    wait_for((scene.folder / "waits").exists)
    os.kill(scene.box.worker_pid("thinker"), signal.SIGKILL)
    wait_for(lambda: scene.box.life("thinker") is None)
    scene.start()
    scene.box.done("x.md")
    files = scene.git("ls-tree", "--name-only", "snakepit/x").split()
    assert files == ["half.txt", "new-x.md", "shared.txt"]
    assert "--resume" in scene.argv(1)


def test_a_run_that_we_cannot_take_ends_the_attempt_and_not_the_worker(
    scene: Scene,
) -> None:
    """A fault of ours in one run: the file is scraped with its reason, and the snake eats the next."""
    (scene.folder / "sitecustomize.py").write_text(
        "import snakepit.worker.earlier as earlier\n"
        "note = earlier.note_run\n"
        "def broken(folder, *more, **named):\n"
        "    if folder.parent.name == 'poison':\n"
        "        raise OverflowError('cannot convert float infinity to integer')\n"
        "    note(folder, *more, **named)\n"
        "earlier.note_run = broken\n"
    )
    scene.plan("good", "good")
    scene.box.feed("poison.md", "Do it.", attempts="2")
    child = scene.box.start("thinker", env={"TOY_KEY": KEY, "PYTHONPATH": f"{scene.folder}:{ROOT}"})
    scrap = scene.box.store / "scraps" / "poison.md"
    wait_for(scrap.exists, what="the task to be scraped")
    assert "cannot convert float infinity" in scrap.read_text()
    scene.box.feed("next.md", "Do it.")
    assert "done: good" in scene.box.done("next.md")
    assert child.poll() is None
    (said, _) = scene.box.events("log.error")
    assert "sitecustomize.py:5" in str(said["message"])


def test_a_role_that_cannot_be_read_costs_the_task_no_attempt(scene: Scene) -> None:
    role = scene.folder / "role.md"
    path = scene.box.config.path
    path.write_text(
        path.read_text().replace('prompt = "You are {name}."', f'prompt_file = "{role}"')
    )
    role.write_text("You eat.")
    scene.start()
    role.unlink()
    scene.box.feed("x.md", "Do it.")
    wait_for(lambda: scene.box.events("task.released"), what="the task to go back")
    assert scene.box.where("x.md") == {State.QUEUED}
    assert "attempt:" not in (scene.box.store / "food" / "x.md").read_text()
    wait_for(lambda: "role.md cannot be read" in scene.box.pane("thinker"))
