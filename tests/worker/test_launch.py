"""Proves how an interactive CLI becomes the process of its own life."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.pool.reap import reap
from snakepit.system import process
from tests.support.wait import wait_for
from tests.support.workers import Kitchen, kitchen

CONFIG = """\
[defaults]
session_prefix = "t-"
log_dir = "logs"
backend = "fake"
model = "m-1"
tmux_socket = "snakepit-test-{token}"

[backend.fake]
bin = "./fake-cli"
flags = "--flag 'two words'"

[backend.absent]
bin = "no-such-cli-anywhere"

[[agent]]
name = "talker"
prompt = "eat \\"everything\\""
env = { OWN = "own-value" }

[[agent]]
name = "mute"
backend = "absent"
"""
FAKE = """#!/bin/sh
printf '%s\\n' "$@" > argv
env > env.tmp && mv env.tmp env
while :; do sleep 1; done
"""


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Kitchen]:
    program = tmp_path / "fake-cli"
    program.write_text(FAKE)
    program.chmod(0o755)
    with kitchen(tmp_path, CONFIG) as made:
        yield made


def start(box: Kitchen) -> dict[str, str]:
    child = box.start("talker", module="snakepit.worker.launch")
    wait_for((box.folder / "env").exists)
    life = box.life("talker")
    assert life is not None
    assert life.pid == child.pid, "the CLI is the life"
    lines = (box.folder / "env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line)


def test_the_cli_gets_its_words_and_its_identity(box: Kitchen) -> None:
    seen = start(box)
    argv = (box.folder / "argv").read_text().splitlines()
    assert argv == ["--flag", "two words", "--model", "m-1", 'eat "everything"']
    life = box.life("talker")
    assert life is not None
    assert not life.lock
    assert seen["SNAKEPIT_GENERATION"] == life.generation
    assert seen["SNAKEPIT_WORKER"] == "talker"
    assert seen["SNAKEPIT_PIT"] == str(box.store)
    assert "SNAKEPIT_ASIDE" not in seen


def test_the_life_ends_with_the_cli(box: Kitchen) -> None:
    start(box)
    life = box.life("talker")
    assert life is not None
    below = wait_for(lambda: process.descendants(life.pid))
    folder = box.store / "claimed" / "talker"
    hidden = folder / ".task.md"
    hidden.write_text("# a task\n")
    hidden.rename(folder / "task.md")
    os.kill(life.pid, signal.SIGKILL)
    wait_for(lambda: process.is_zombie(life.pid))
    wait_for(lambda: reap(box.pit))
    assert (box.store / "food" / "task.md").exists()
    assert not any(process.is_running(pid) for pid in below)


@pytest.mark.skipif(not process.LINUX, reason="reads /proc: Linux")
def test_the_cli_ignores_no_signal(box: Kitchen) -> None:
    start(box)
    life = box.life("talker")
    assert life is not None
    lines = Path(f"/proc/{life.pid}/status").read_text().splitlines()
    ignored = next(int(line.split()[1], 16) for line in lines if line.startswith("SigIgn"))
    assert ignored == 0


def test_a_missing_cli_is_said(box: Kitchen) -> None:
    child = box.start("mute", module="snakepit.worker.launch", ready=False)
    text, _ = child.communicate(timeout=10)
    assert child.returncode == 4
    assert "no-such-cli-anywhere" in text.decode()
    assert box.life("mute") is None
