"""Proves that nothing a life started outlives it, whatever it does to hide."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snakepit.pool.tree import MARK, end_below, end_life, end_tree
from snakepit.store.base import LifeRecord
from snakepit.system import process
from tests.support.processes import PLAIN_ENV, Escapee, child_of, guarded, started
from tests.support.wait import wait_for


def record(generation: str, *, pid: int = 0, guard: int = 0, lock: bool = True) -> LifeRecord:
    return LifeRecord(
        worker="snake-1",
        generation=generation,
        pid=pid,
        start=(process.start_time(pid) or 0) if pid else 0,
        boot=process.boot_id(),
        pidns=process.pid_namespace(),
        guard=guard,
        lock=lock,
    )


def test_nothing_to_end_is_an_end() -> None:
    assert end_life(record("ffff-no-such-generation"))


def test_a_life_of_another_boot_has_no_processes() -> None:
    other = LifeRecord(
        worker="w", generation="g", pid=os.getppid(), boot="another boot", lock=False
    )
    assert end_life(other)
    assert process.is_running(os.getppid())


def test_the_mark_finds_what_left_its_session_and_parent(tmp_path: Path) -> None:
    env = {**PLAIN_ENV, MARK: "mark-1"}
    note = tmp_path / "pid"
    script = f"setsid sh -c 'echo $$ > {note}; trap \"\" TERM HUP; while :; do sleep 1; done' &"
    with started(["sh", "-c", script], env=env) as shell:
        shell.wait(10)
        pid = int(wait_for(lambda: note.exists() and note.read_text().strip()))
        assert process.is_running(pid)
        assert end_life(record("mark-1"))
        assert not process.is_running(pid)
        assert process.pids_with_mark(MARK, "mark-1") == set()


def test_a_strangers_generation_is_left_alone() -> None:
    with started(["sleep", "60"], env={**PLAIN_ENV, MARK: "stranger"}) as child:
        assert end_life(record("strange"))
        assert process.is_running(child.pid)


@pytest.mark.skipif(not process.LINUX, reason="needs a subreaper: Linux")
def test_what_dropped_its_environment_ends_with_its_killed_worker(tmp_path: Path) -> None:
    escapee = Escapee(tmp_path)
    with guarded(tmp_path, ["sh", "-c", f"{escapee.line}\nwhile :; do sleep 1; done"]) as guard:
        worker = child_of(guard.pid)
        life = record("gone", pid=worker, guard=guard.pid)
        pid = escapee.pid
        os.kill(worker, signal.SIGKILL)
        assert end_life(life)
        assert not process.is_running(pid)
        assert escapee.is_silent()
        assert guard.wait(10) == 128 + signal.SIGKILL


@pytest.mark.skipif(not process.LINUX, reason="needs a subreaper: Linux")
def test_a_frozen_guard_does_not_hinder(tmp_path: Path) -> None:
    escapee = Escapee(tmp_path)
    with guarded(tmp_path, ["sh", "-c", f"{escapee.line}\nwhile :; do sleep 1; done"]) as guard:
        worker = child_of(guard.pid)
        life = record("gone", pid=worker, guard=guard.pid)
        pid = escapee.pid
        os.kill(guard.pid, signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        assert end_life(life)
        assert not process.is_running(pid)
        os.kill(guard.pid, signal.SIGCONT)
        assert guard.wait(10) == 128 + signal.SIGKILL


@pytest.mark.skipif(not process.LINUX, reason="needs a memfd: Linux")
def test_what_hid_from_all_ends_though_guard_and_worker_died_at_once(tmp_path: Path) -> None:
    """No environment, no parent, no session, and no guard left to hang below: the open file is."""
    generation = os.urandom(8).hex()
    note = tmp_path / "pid"
    hidden = f"(setsid env -i /bin/sh -c 'echo $$ > {note}; while :; do sleep 1; done' &)"
    code = (
        "import os, subprocess, sys; sys.path.insert(0, sys.argv[1])\n"
        "from snakepit.pool.tree import open_mark\n"
        "from snakepit.system import process\n"
        "process.leave_mark(open_mark(sys.argv[2]))\n"
        "subprocess.Popen(['sh', '-c', sys.argv[3]], pass_fds=process.marks()).wait()\n"
        "os.read(os.pipe()[0], 1)\n"
    )
    root = str(Path(__file__).parents[2])
    argv = [sys.executable, "-c", code, root, generation, hidden]
    with guarded(tmp_path, argv) as guard:
        worker = child_of(guard.pid)
        life = record(generation, pid=worker, guard=guard.pid)
        pid = int(wait_for(lambda: note.exists() and note.read_text().strip()))
        os.kill(guard.pid, signal.SIGSTOP)
        os.kill(worker, signal.SIGKILL)
        os.kill(guard.pid, signal.SIGKILL)
        guard.wait(10)
        wait_for(lambda: process.parent_of(pid) != guard.pid, what="the orphan to be nobody's")
        assert process.is_running(pid)
        assert end_life(life)
        assert not process.is_running(pid)


def test_a_younger_process_with_the_guards_pid_is_not_it() -> None:
    me = record("old", pid=os.getpid())
    with started(["sh", "-c", "sleep 60 & wait"]) as stranger:
        below = child_of(stranger.pid)
        older = LifeRecord(
            worker="w",
            generation="old",
            start=me.start - 10_000,
            boot=me.boot,
            pidns=me.pidns,
            guard=stranger.pid,
        )
        assert end_life(older)
        assert process.is_running(below)


def test_an_unlocked_life_is_ended_itself() -> None:
    with started(["sleep", "60"]) as child:
        assert end_life(record("cli", pid=child.pid, lock=False))
        assert child.wait(10) == -signal.SIGKILL


def test_a_locked_life_at_its_orderly_end_is_not_killed() -> None:
    with started(["sleep", "60"]) as child:
        assert end_life(record("worker", pid=child.pid))
        assert process.is_running(child.pid)


def test_a_tree_that_forks_without_end_is_ended(tmp_path: Path) -> None:
    script = tmp_path / "hydra.sh"
    script.write_text("#!/bin/sh\nfor i in 1 2; do sleep .05; sh $0 & done\nwait\n")
    bounded = f"ulimit -u 4000; exec sh {script}"
    with started(["sh", "-c", bounded]) as hydra:
        wait_for(lambda: len(process.descendants(hydra.pid)) > 6)
        assert end_tree([hydra.pid])
        assert process.descendants(hydra.pid) == set()
        assert hydra.wait(10) == -signal.SIGKILL


def test_a_kept_branch_survives() -> None:
    with started(["sh", "-c", "sleep 61 & sleep 62 & wait"]) as shell:
        wait_for(lambda: len(process.descendants(shell.pid)) == 2)
        kept, other = sorted(process.descendants(shell.pid))
        assert end_below(shell.pid, keep=[kept])
        assert process.is_running(kept)
        assert not process.is_running(other)


def test_what_cannot_be_killed_is_reported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("snakepit.pool.tree.PATIENCE", 0.2)
    monkeypatch.setattr(process, "send", lambda pid, number: False)
    with subprocess.Popen(["sleep", "60"], env={**PLAIN_ENV, MARK: "stuck"}) as child:
        wait_for(lambda: process.pids_with_mark(MARK, "stuck"))
        assert not end_life(record("stuck"))
        child.kill()
