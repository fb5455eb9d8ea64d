"""Proves what Ctrl-C does in an attached pane: it asks, and takes a second one for a yes."""

import os
import pty
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snakepit.core.lifecycle import State
from snakepit.core.redact import Redactor
from snakepit.system import process
from snakepit.worker.attention import GIVE_BACK, STOP, Attention
from snakepit.worker.screen import Screen
from tests.support.processes import PLAIN_ENV
from tests.support.wait import wait_for
from tests.support.workers import ROOT, Kitchen, kitchen, run_block

CTRL_C = b"\x03"
AS_A_PANE = (
    "import fcntl, os, sys, termios; os.setsid(); fcntl.ioctl(0, termios.TIOCSCTTY, 0); "
    "os.execv(sys.argv[1], sys.argv[1:])"
)


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Kitchen]:
    with kitchen(tmp_path) as made:
        yield made


@contextmanager
def in_a_pane(box: Kitchen) -> Iterator[tuple[int, "subprocess.Popen[bytes]"]]:
    """A worker whose terminal we hold the other end of."""
    ours, theirs = pty.openpty()
    argv = [sys.executable, "-m", "snakepit.worker", "--config", str(box.config.path)]
    child = subprocess.Popen(
        [sys.executable, "-c", AS_A_PANE, *argv, "--agent", "cook"],
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        env={**PLAIN_ENV, "PYTHONPATH": str(ROOT)},
        cwd=box.folder,
    )
    os.close(theirs)
    try:
        wait_for(lambda: "waiting for food" in box.pane())
        yield ours, child
    finally:
        for pid in (child.pid, *process.descendants(child.pid)):
            process.send(pid, signal.SIGKILL)
        child.wait(10)
        os.close(ours)


def start_eating(box: Kitchen) -> None:
    box.feed("task.md", run_block("while ! [ -e go ]; do sleep .05; done; echo finished"))
    wait_for(lambda: "eating task.md" in box.pane())
    wait_for(lambda: box.where("task.md") == {State.CLAIMED})


def test_no_means_going_on(box: Kitchen) -> None:
    with in_a_pane(box) as (terminal, _):
        start_eating(box)
        os.write(terminal, CTRL_C)
        wait_for(lambda: "give the food back? [y/N]" in box.pane())
        os.write(terminal, b"n\n")
        wait_for(lambda: "going on" in box.pane())
        (box.folder / "go").touch()
        assert "finished" in box.done("task.md")


def test_yes_gives_the_food_back(box: Kitchen) -> None:
    with in_a_pane(box) as (terminal, child):
        start_eating(box)
        os.write(terminal, CTRL_C)
        wait_for(lambda: "give the food back? [y/N]" in box.pane())
        os.write(terminal, b"y\n")
        wait_for(lambda: "gave task.md back" in box.pane())
        assert box.where("task.md") == {State.QUEUED}
        assert child.poll() is None
        wait_for(lambda: "resting" in box.pane())


def test_a_second_one_is_a_yes(box: Kitchen) -> None:
    with in_a_pane(box) as (terminal, _):
        start_eating(box)
        os.write(terminal, CTRL_C)
        wait_for(lambda: "give the food back? [y/N]" in box.pane())
        os.write(terminal, CTRL_C)
        wait_for(lambda: "gave task.md back" in box.pane())
        assert box.where("task.md") == {State.QUEUED}


def test_an_idle_worker_says_how_to_leave(box: Kitchen) -> None:
    with in_a_pane(box) as (terminal, child):
        os.write(terminal, CTRL_C)
        wait_for(lambda: "nothing to give back" in box.pane())
        assert child.poll() is None
        os.write(terminal, CTRL_C)
        assert child.wait(10) == 0


def test_a_closed_terminal_gives_the_food_back_and_ends(box: Kitchen) -> None:
    with in_a_pane(box) as (terminal, child):
        start_eating(box)
        null = os.open(os.devnull, os.O_RDWR)
        os.dup2(null, terminal)
        os.close(null)
        assert child.wait(10) == 0
        assert box.where("task.md") == {State.QUEUED}


@pytest.fixture
def attention(tmp_path: Path) -> Iterator[Attention]:
    shown = os.open(tmp_path / "shown", os.O_WRONLY | os.O_CREAT)
    made = Attention(Screen(tmp_path / "log", Redactor(), fd=shown), poke=lambda: None, tty=shown)
    yield made
    made.close()
    os.close(shown)


def test_a_signal_while_busy_is_answered_at_the_next_look(attention: Attention) -> None:
    attention.is_busy = True
    assert attention.look() == ""
    attention.on_signal(signal.SIGINT)
    assert attention.look() == ""
    attention.on_signal(signal.SIGINT)
    assert attention.look() == GIVE_BACK
    assert not attention.stops


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_an_end_is_an_end_for_good(attention: Attention, number: signal.Signals) -> None:
    attention.is_busy = True
    attention.on_signal(number)
    assert attention.look() == STOP
    assert attention.look() == STOP
    assert attention.stops
