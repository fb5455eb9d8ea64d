"""Proves that a guard is found by its command line alone, and that two who give it work do not collide."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snakepit.config.model import Config
from snakepit.pool.guards import aside_path, guard_above, guards, start_aside
from snakepit.pool.handover import hand_over
from snakepit.session import launchfile
from snakepit.system import process
from tests.support.pits import make_config
from tests.support.tmux import stopped
from tests.support.wait import wait_for

ENV = {"PATH": os.environ["PATH"]}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(tmp_path)


@contextmanager
def guarded(config: Config, argv: list[str]) -> Iterator["subprocess.Popen[bytes]"]:
    launch = launchfile.write(config.state_dir / "launch", "snakepit-x", argv, ENV, config.root)
    guard = subprocess.Popen(launchfile.pane_command(launch), env={})
    try:
        wait_for(lambda: process.descendants(guard.pid), what="the program below the guard")
        yield guard
    finally:
        for pid in (*process.descendants(guard.pid), guard.pid):
            process.send(pid, 9)
        guard.wait(10)


def write(text: str, path: Path) -> dict[str, object]:
    script = f"echo {text} >> {path}"
    return {"argv": ["sh", "-c", script], "env": ENV, "cwd": "/"}


def test_a_guard_is_known_by_its_command_line(config: Config, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = make_config(tmp_path / "other")
    with guarded(config, ["sleep", "600"]) as guard:
        assert guards(config) == {guard.pid: "snakepit-x"}
        assert guards(other) == {}
    assert guards(config) == {}
    assert guard_above(config) == 0
    assert hand_over(config, ["true"], ENV) is None


def test_what_waits_for_a_guard_is_not_overwritten(config: Config, tmp_path: Path) -> None:
    note = tmp_path / "note"
    with guarded(config, ["sleep", "600"]) as guard:
        path = aside_path(config, guard.pid)
        with stopped(guard.pid):
            assert start_aside(guard.pid, path, write("one", note))
            assert not start_aside(guard.pid, path, write("two", note))
            assert json.loads(path.read_bytes()) == write("one", note)
        wait_for(lambda: note.exists() and note.read_text() == "one\n", what="the first")
        for word in ("three", "four", "five"):
            assert start_aside(guard.pid, path, write(word, note))
        wait_for(lambda: set(note.read_text().split()) >= {"three", "four", "five"})
    assert not start_aside(guard.pid, path, write("six", note))


def test_what_a_guard_of_the_same_pid_left_is_not_started(config: Config, tmp_path: Path) -> None:
    """The launch file appears under the pid that the guard will have: the shell's, before it execs."""
    note = tmp_path / "note"
    launch = launchfile.write(
        config.state_dir / "launch",
        "snakepit-x",
        ["sh", "-c", "kill -USR1 $SNAKEPIT_GUARD; exec sleep 1"],
        ENV,
        config.root,
    )
    stale = tmp_path / "stale"
    stale.write_text(json.dumps(write("stale", note)))
    folder = config.state_dir / "launch"
    script = f'mv {stale} {folder}/aside-$$.json; exec "$@"'
    command = ["sh", "-c", script, "sh", *launchfile.pane_command(launch)]
    done = subprocess.run(command, env=ENV, timeout=20, check=False)
    assert done.returncode == 0
    assert not note.exists()
    assert list(folder.iterdir()) == []


def test_a_command_outside_of_the_pane_is_relayed(config: Config, tmp_path: Path) -> None:
    script = tmp_path / "inside.py"
    outside = ["sh", "-c", "echo $PPID; echo bad >&2; exit 7"]
    script.write_text(
        "import os, sys\n"
        f"sys.path.insert(0, {str(Path(__file__).parents[2])!r})\n"
        "from pathlib import Path\n"
        "from snakepit.pool.handover import hand_over\n"
        "from tests.support.pits import make_config\n"
        f"handed = hand_over(make_config(Path({str(tmp_path)!r})), {outside!r}, dict(os.environ))\n"
        "sys.exit(handed.relay(lambda number, said: os.write(number, said)))\n",
        encoding="utf-8",
    )
    launch = launchfile.write(
        config.state_dir / "launch", "snakepit-x", [sys.executable, str(script)], ENV, tmp_path
    )
    done = subprocess.run(
        launchfile.pane_command(launch), capture_output=True, text=True, timeout=20, check=False
    )
    assert done.returncode == 7, done.stderr
    assert done.stdout.strip().isdigit()
    assert done.stderr.startswith("bad\n")
    assert list((config.state_dir / "handover").iterdir()) == []
