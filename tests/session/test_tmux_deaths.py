"""When a pane is dead, on a real server: tmux says so too early, and now and then without a status."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.session.tmux import TmuxHost
from tests.support.tmux import private_host, stopped, tmux
from tests.support.wait import wait_for

pytestmark = pytest.mark.needs("tmux")

CAT = ["/bin/cat"]


@pytest.fixture
def host() -> Iterator[TmuxHost]:
    with private_host() as host:
        yield host


def test_a_pane_is_not_dead_while_its_process_only_left_the_terminal(
    host: TmuxHost, tmp_path: Path
) -> None:
    """To tmux it is dead then, and has no status."""
    quiet = "trap '' HUP; exec </dev/null >/dev/null 2>&1; exec sleep 600"
    host.start("a", ["/bin/sh", "-c", quiet], cwd=tmp_path)
    wait_for(lambda: tmux(host, "list-panes", "-a", "-F", "#{pane_dead}") == "1")
    (pane,) = host.panes()
    assert (pane.dead, pane.exit_status) == (False, None)
    with stopped(host.probe()):
        os.kill(pane.pid, signal.SIGKILL)
    wait_for(lambda: host.panes()[0].dead, what="its death")
    assert host.panes()[0].exit_status == 137


def test_every_death_has_its_status(host: TmuxHost, tmp_path: Path) -> None:
    """Though tmux 3.3 now and then misses that a child has died."""
    host.start("a", CAT, cwd=tmp_path)
    for _ in range(20):
        os.kill(host.panes()[0].pid, signal.SIGKILL)
        (pane,) = wait_for(lambda: [pane for pane in host.panes() if pane.dead], what="its death")
        assert pane.exit_status == 137
        host.respawn("a", CAT, cwd=tmp_path)


def test_a_killed_program_has_the_status_of_its_signal(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path)
    os.kill(host.panes()[0].pid, 9)
    wait_for(lambda: host.panes()[0].dead, what="the dead pane")
    assert host.panes()[0].exit_status == 137
