"""Real Claude Code at work in one repository: a branch for each task, nothing crossed, nothing lost by a kill."""

import json
import signal
import subprocess
from pathlib import Path

import pytest

from snakepit.system import process
from tests.standin.fixture import Vendor
from tests.standin.space import Asked
from tests.standin.steps import Model, Step, say, shell
from tests.support.snakes import RealFleet, real_fleet
from tests.support.wait import wait_for

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.needs("tmux"),
    pytest.mark.needs("git"),
    pytest.mark.needs("claude"),
]
TASKS = ("one.md", "two.md")
MORE = """\
dir = "repo"
[[agent]]
name = "snake-2"
backend = "claude"
kind = "task"
dir = "repo"
"""
BEFORE = "begin\nmiddle\nend\n"


def git(folder: Path, *words: str) -> str:
    own = ("-c", "user.name=t", "-c", "user.email=t@t")
    done = subprocess.run(
        ["git", *own, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def repository(folder: Path) -> Path:
    folder.mkdir(parents=True)
    git(folder, "init", "-q", "-b", "main")
    (folder / "shared.txt").write_text(BEFORE)
    git(folder, "add", "--all")
    git(folder, "commit", "-q", "-m", "first")
    return folder


def edits(base: Path) -> Model:
    """Each edits the same line, waits in its second call for a word from outside, then adds a line."""

    def model(asked: Asked) -> Step:
        name = "one" if any("nonce-one" in text for text in asked.talk.users) else "two"
        first = f"sed -i s/middle/middle-{name}/ shared.txt && echo {name} >> {base}/calls"
        held = f"touch {base}/holds-{name}; until [ -e {base}/go-{name} ]; do read -t 0.2 <> <(:) || true; done"
        last = f"echo last-{name} >> shared.txt"
        if name == "two":  # hands its result in by the verb
            last += "; snakepit done -m 'edited by two'"
        steps = (shell(first), shell(held), shell(last), say(f"edited by {name}"))
        return steps[min(len(asked.talk.calls), 3)]

    return model


def expected(name: str) -> str:
    return f"begin\nmiddle-{name}\nend\nlast-{name}"


def feed_both(fleet: RealFleet, base: Path) -> None:
    fleet.ok("up")
    for task in TASKS:
        fleet.drop(task, f"# {task}\n\nEdit shared.txt. The word is nonce-{task[:3]}.\n")
    wait_for(
        lambda: all((base / f"holds-{task[:3]}").exists() for task in TASKS), 60, "both in mid-tool"
    )


def check_branches(fleet: RealFleet, repo: Path) -> None:
    done = fleet.config.pit_dir / "done"
    wait_for(lambda: len(git(repo, "worktree", "list").splitlines()) == 1, 20, "both runs to end")
    for task in TASKS:
        branch = f"snakepit/{task[:3]}"
        assert git(repo, "show", f"{branch}:shared.txt") == expected(task[:3])
        assert git(repo, "rev-list", "--count", f"main..{branch}") == "1"
        result = (done / task).read_text().partition("## Result")[2]
        assert f"edited by {task[:3]}" in result
        assert branch in result
        assert git(repo, "rev-parse", "--short=12", branch) in result
        assert "shared.txt | 3 +" in result
    assert git(repo, "branch", "--format=%(refname:short)").split() == [
        "main",
        "snakepit/one",
        "snakepit/two",
    ]
    assert git(repo, "status", "--porcelain") == ""
    assert git(repo, "rev-parse", "--abbrev-ref", "HEAD") == "main"
    assert (repo / "shared.txt").read_text() == BEFORE


def test_two_edit_the_same_file(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(edits(tmp_path))
    repo = repository(tmp_path / "project" / "repo")
    with real_fleet(tmp_path, vendor, kind="task", prompt="Be brief.", more=MORE) as fleet:
        feed_both(fleet, tmp_path)
        for task in TASKS:
            (tmp_path / f"go-{task[:3]}").touch()
        wait_for(lambda: fleet.lies("done") == set(TASKS), 60, "both in done/")
        check_branches(fleet, repo)


def test_a_killed_one_goes_on_in_its_worktree(vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(edits(tmp_path))
    repo = repository(tmp_path / "project" / "repo")
    with real_fleet(tmp_path, vendor, kind="task", prompt="Be brief.", more=MORE) as fleet:
        feed_both(fleet, tmp_path)
        worker = fleet.holder("one.md")
        (folder,) = (fleet.config.pit_dir / "waste" / "one").iterdir()
        session = json.loads((folder / "run.json").read_text())["session_id"]
        (record,) = [path for path in fleet.conversations() if path.stem == session]
        wait_for(lambda: "holds-one" in record.read_text(), 10, "the call to be recorded")
        claudes = [pid for pid in fleet.processes() if is_claude(pid, "one.md")]
        assert claudes
        asked = len(vendor.space.main)

        process.send(fleet.lives()[worker].pid, signal.SIGKILL)
        for pid in claudes:
            process.send(pid, signal.SIGKILL)

        wait_for(lambda: not any(map(process.is_running, claudes)), 20, "what it ran to end")
        wait_for(lambda: len(vendor.space.main) > asked, 60, "the second attempt")
        for task in TASKS:
            (tmp_path / f"go-{task[:3]}").touch()
        wait_for(lambda: fleet.lies("done") == set(TASKS), 60, "both in done/")

        check_branches(fleet, repo)
        went_on = next(
            one for one in vendor.space.main[asked:] if "nonce-one" in "".join(one.talk.users)
        )
        assert [call.name for call in went_on.talk.calls] == ["Bash", "Bash"], "the same talk"
        assert sorted((tmp_path / "calls").read_text().split()) == ["one", "two"], "none repeated"
        runs = sorted((fleet.config.pit_dir / "waste" / "one").glob("*/run.json"))
        assert [json.loads(run.read_text())["session_id"] for run in runs] == [session] * 2
        assert [
            one["attempt"] for one in fleet.events("task.completed") if one["task"] == "one.md"
        ] == [2]


def is_claude(pid: int, task: str) -> bool:
    """The program at work on this task, and what it started itself."""
    env = Path(f"/proc/{pid}/environ")
    try:
        return f"SNAKEPIT_TASK={task}".encode() in env.read_bytes().split(b"\0")
    except OSError:
        return False
