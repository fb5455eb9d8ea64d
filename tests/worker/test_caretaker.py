"""Proves that idle workers bring the daemon back, that it is not theirs, and that one of them is enough."""

import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.pool.attend import daemon_pid, end_daemon
from snakepit.pool.fleet import Fleet, save_fleet
from snakepit.pool.revive import is_our_turn
from snakepit.system import process
from tests.support.pits import make_config
from tests.support.processes import stays
from tests.support.wait import wait_for
from tests.support.workers import Kitchen, kitchen

pytestmark = [
    pytest.mark.needs("tmux"),
    pytest.mark.skipif(not process.LINUX, reason="needs a subreaper: Linux"),
]


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Kitchen]:
    with kitchen(tmp_path) as made:
        yield made
        made.pit.store.set_paused(True)  # nobody starts it again while we end it
        save_fleet(made.config, Fleet(is_up=False))
        end_daemon(made.config)
        command = ["tmux", "-L", made.config.socket, "kill-server"]
        subprocess.run(command, capture_output=True, timeout=10, check=False)


def another_daemon(box: Kitchen, former: int) -> int:
    pid = daemon_pid(box.config) or 0
    return 0 if pid == former else pid


def test_a_killed_daemon_is_back_and_belongs_to_no_worker(box: Kitchen) -> None:
    save_fleet(box.config, Fleet(is_up=True))
    guards = [box.start("cook"), box.start("second")]
    first = wait_for(lambda: daemon_pid(box.config) or 0, what="the daemon")
    os.kill(first, signal.SIGKILL)
    second = wait_for(lambda: another_daemon(box, first), seconds=5, what="the daemon to be back")
    below = {guard.pid for guard in guards} | process.descendants(*(g.pid for g in guards))
    assert process.parent_of(second) not in below
    assert "SNAKEPIT_GUARD" not in process.environ_of(second)
    for guard in guards:
        guard.kill()
        guard.wait(10)
    assert stays(lambda: process.is_running(second), 0.3), "it outlives whoever started it"


def test_no_daemon_where_no_fleet_is_meant_to_be_up(box: Kitchen) -> None:
    box.start("cook")
    assert stays(lambda: daemon_pid(box.config) is None, 2.0)


def test_one_caller_has_its_turn(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    config.state_dir.mkdir(parents=True)
    assert [is_our_turn(config) for _ in range(3)] == [True, False, False]
    os.utime(config.state_dir / "daemon.starting", (1, 1))
    assert [is_our_turn(config) for _ in range(3)] == [True, False, False]
