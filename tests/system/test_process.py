"""Proves what is said of processes, on real ones; both paths, where a system offers only one."""

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.system import process
from tests.support.processes import PLAIN_ENV, child_of, started
from tests.support.wait import wait_for


@pytest.fixture(params=[True, False], ids=["native", "portable"], autouse=True)
def path(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Both paths, also where the native one is there: psutil answers on Linux too."""
    if not request.param:
        monkeypatch.setattr(process, "LINUX", False)


linux_only = pytest.mark.skipif(not process.LINUX, reason="reads /proc: Linux")


def test_a_boot_has_one_id() -> None:
    script = "from snakepit.system import process; print(process.boot_id())"
    root = Path(__file__).parents[2]
    other = subprocess.run(
        [sys.executable, "-c", script], cwd=root, capture_output=True, text=True, check=True
    )
    assert other.stdout.strip() == process.boot_id() != ""


def test_a_start_time_tells_two_processes_apart() -> None:
    with started(["sleep", "60"]) as child:
        first = process.start_time(child.pid)
        assert first == process.start_time(child.pid)
        assert process.is_running(child.pid, first)
        assert first is not None
        assert not process.is_running(child.pid, first + 1)
    assert process.start_time(child.pid) is None


@linux_only
def test_a_name_with_brackets_and_spaces_is_no_trap(tmp_path: Path) -> None:
    odd = tmp_path / "x) R 1 (y"
    odd.symlink_to("/bin/sleep")
    with started([str(odd), "60"]) as child:
        wait_for(lambda: b"x) R 1" in Path(f"/proc/{child.pid}/stat").read_bytes())
        assert process.parent_of(child.pid) == os.getpid()
        assert not process.is_zombie(child.pid)


def test_a_zombie_does_not_run() -> None:
    with subprocess.Popen(["true"]) as child:
        wait_for(lambda: process.is_zombie(child.pid))
        assert not process.is_running(child.pid)
        assert process.start_time(child.pid) is not None
        assert child.pid not in process.parents()


def test_a_stopped_process_is_seen() -> None:
    with started(["sleep", "60"]) as child:
        assert not process.is_stopped(child.pid)
        os.kill(child.pid, signal.SIGSTOP)
        wait_for(lambda: process.is_stopped(child.pid))


def test_marks_are_found_whole() -> None:
    with started(["sleep", "60"], env={**PLAIN_ENV, "MARK_T": "abc"}) as child:
        assert wait_for(lambda: process.pids_with_mark("MARK_T", "abc")) == {child.pid}
        assert process.pids_with_mark("MARK_T", "ab") == set()
        assert process.pids_with_mark("ARK_T", "abc") == set()
        assert process.environ_of(child.pid)["MARK_T"] == "abc"
    assert process.environ_of(child.pid) == {}


def test_descendants_are_the_whole_tree() -> None:
    with started(["sh", "-c", "sh -c 'sleep 60 & wait' & wait"]) as child:
        wait_for(lambda: len(process.descendants(child.pid)) == 2)
        middle = child_of(child.pid)
        assert process.descendants(middle) == process.descendants(child.pid) - {middle}
        assert process.descendants(child.pid, without=[middle]) == set()


def test_cpu_time_is_counted() -> None:
    with started([sys.executable, "-c", "while True: pass"]) as child:
        wait_for(lambda: process.cpu_seconds([child.pid]) > 0.1)
    assert process.cpu_seconds([child.pid]) == 0.0


def test_signals_to_nobody_are_told() -> None:
    with started(["true"]) as child:
        child.wait(10)
    assert not process.send(child.pid, signal.SIGTERM)


@pytest.fixture(params=[False, True], ids=["pidfd", "portable"])
def watch(request: pytest.FixtureRequest) -> process.ExitWatch:
    if not request.param and not hasattr(os, "pidfd_open"):
        pytest.skip("no pidfd on this system")
    return process.ExitWatch(portable=request.param)


def test_exits_are_told_once(watch: process.ExitWatch) -> None:
    with started(["sleep", "60"]) as one, started(["sleep", "60"]) as two:
        watch.add(one.pid)
        watch.add(two.pid)
        assert watch.poll(0) == set()
        one.kill()
        assert watch.poll(5) == {one.pid}
        assert watch.poll(0) == set()
        two.kill()
        assert watch.poll(5) == {two.pid}
    watch.close()


def test_a_process_that_is_gone_already_is_told(watch: process.ExitWatch) -> None:
    with started(["true"]) as child:
        child.wait(10)
    watch.add(child.pid)
    assert watch.poll(5) == {child.pid}
    watch.close()


def test_a_wait_ends_in_time(watch: process.ExitWatch) -> None:
    with started(["sleep", "60"]) as child:
        watch.add(child.pid)
        began = clock.monotonic()
        assert watch.poll(0.1) == set()
        assert 0.05 < clock.monotonic() - began < 5
    watch.close()


@linux_only
def test_orphans_come_to_a_subreaper(tmp_path: Path) -> None:
    script = (
        "import os, subprocess\n"
        "from snakepit.system import process as p\n"
        "assert p.has_no_child()\n"
        "assert p.set_subreaper()\n"
        "subprocess.run(['sh', '-c', 'sleep 60 & echo $!'], stdout=open('pid', 'w'))\n"
        "pid = int(open('pid').read())\n"
        "assert p.parent_of(pid) == os.getpid()\n"
        "assert not p.has_no_child()\n"
        "os.kill(pid, 9)\n"
        "watch = p.ExitWatch(); watch.add(pid); watch.poll(5)\n"
        "p.reap_orphans()\n"
        "assert p.has_no_child()\n"
    )
    run_isolated(script, tmp_path)


@linux_only
def test_a_child_asks_to_die_with_its_parent(tmp_path: Path) -> None:
    script = (
        "import os, signal\n"
        "from snakepit.system import process as p\n"
        "child = os.fork()\n"
        "if child == 0:\n"
        "    p.set_parent_death_signal()\n"
        "    open('pid', 'w').write(str(os.getpid()))\n"
        "    signal.pause()\n"
        "while not (os.path.exists('pid') and open('pid').read()): pass\n"
    )
    run_isolated(script, tmp_path)
    pid = int((tmp_path / "pid").read_text())
    wait_for(lambda: not process.is_running(pid))


def run_isolated(script: str, folder: Path) -> None:
    env = {**PLAIN_ENV, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_watching_works_beside_other_threads(watch: process.ExitWatch) -> None:
    with started(["sleep", "60"]) as child:
        watch.add(child.pid)
        killer = threading.Timer(0.1, child.kill)
        killer.start()
        assert watch.poll(10) == {child.pid}
        killer.join()
    watch.close()
