"""Proves what the first process of a pane promises, on real processes."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from snakepit.system import process
from tests.support.processes import GUARD, PLAIN_ENV, Escapee, child_of, guarded
from tests.support.wait import wait_for

pytestmark = pytest.mark.skipif(not process.LINUX, reason="needs a subreaper: Linux")


def output(guard: "subprocess.Popen[bytes]") -> str:
    text, _ = guard.communicate(timeout=10)
    return text.decode()


def test_the_program_gets_exactly_the_environment_given(tmp_path: Path) -> None:
    env = {"PATH": os.environ["PATH"], "WORDS": 'ä 😀 "quoted"\nsecond line', "RAW": "\udc80"}
    show = "import os, json; print(json.dumps(dict(os.environ)))"
    with guarded(tmp_path, [sys.executable, "-c", show], env=env) as guard:
        text = output(guard)
    seen = json.loads(text.splitlines()[0])
    assert seen.pop("SNAKEPIT_GUARD") == str(guard.pid)
    assert Path(seen.pop("SNAKEPIT_ASIDE")).parent == tmp_path
    seen.pop("LC_CTYPE", None)  # Python itself sets it
    assert seen == env


def test_the_launch_file_is_gone_once_the_program_runs(tmp_path: Path) -> None:
    with guarded(tmp_path, ["sh", "-c", "ls"]) as guard:
        assert "launch-" not in output(guard)


@pytest.mark.parametrize(
    ("script", "status", "said"),
    [
        ("exit 0", 0, "sh ended: exit 0"),
        ("exit 3", 3, "sh ended: exit 3"),
        ("kill -9 $$", 137, "sh ended: signal 9"),
        ("kill -TERM $$", 143, "sh ended: signal 15"),
    ],
)
def test_the_status_is_the_programs(tmp_path: Path, script: str, status: int, said: str) -> None:
    with guarded(tmp_path, ["sh", "-c", script]) as guard:
        assert said in output(guard)
        assert guard.returncode == status


def test_a_program_that_is_not_there_is_said(tmp_path: Path) -> None:
    with guarded(tmp_path, ["no-such-program-here"]) as guard:
        assert "cannot start no-such-program-here" in output(guard)
        assert guard.returncode == 127


def test_a_missing_launch_file_is_said(tmp_path: Path) -> None:
    argv = [sys.executable, "-I", "-S", str(GUARD), str(tmp_path / "none.json")]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=10, check=False)
    assert done.returncode == 127
    assert "cannot read the launch file" in done.stderr


def test_everything_below_ends_with_the_program(tmp_path: Path) -> None:
    escapee = Escapee(tmp_path)
    os.mkfifo(tmp_path / "go")
    with guarded(tmp_path, ["sh", "-c", f"{escapee.line}\nread x < {tmp_path}/go"]) as guard:
        pid = escapee.pid
        os.kill(child_of(guard.pid), signal.SIGKILL)
        assert guard.wait(10) == 137
        assert not process.is_running(pid)
        assert escapee.is_silent()


def test_the_program_dies_with_its_guard(tmp_path: Path) -> None:
    with guarded(tmp_path, ["sh", "-c", "trap '' HUP TERM; while :; do sleep 1; done"]) as guard:
        child = child_of(guard.pid)
        os.kill(guard.pid, signal.SIGKILL)
        wait_for(lambda: not process.is_running(child), what="the program to die with its guard")


def test_orphans_leave_no_zombies(tmp_path: Path) -> None:
    script = f"for i in 1 2 3; do (sh -c 'exit 0' &); done; read x < {tmp_path}/go"
    os.mkfifo(tmp_path / "go")
    with guarded(tmp_path, ["sh", "-c", script]) as guard:
        child = child_of(guard.pid)

        def children() -> list[int]:
            path = Path(f"/proc/{guard.pid}/task/{guard.pid}/children")
            return [int(word) for word in path.read_text().split()]

        wait_for(lambda: children() == [child], what="the orphans to be reaped")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_term_and_hangup_are_passed_on(tmp_path: Path, number: signal.Signals) -> None:
    ready = tmp_path / "ready"
    script = f"trap 'exit 7' TERM HUP; touch {ready}; while :; do sleep .05; done"
    with guarded(tmp_path, ["sh", "-c", script]) as guard:
        wait_for(ready.exists)
        os.kill(guard.pid, number)
        assert guard.wait(10) == 7


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT])
def test_what_the_keyboard_sends_is_the_programs_business(
    tmp_path: Path, number: signal.Signals
) -> None:
    """In a pane both get it; the guard stays, the program decides."""
    ready = tmp_path / "ready"
    script = f"trap 'exit 9' {number.name[3:]}; touch {ready}; while :; do sleep .05; done"
    with guarded(tmp_path, ["sh", "-c", script]) as guard:
        wait_for(ready.exists)
        os.killpg(guard.pid, number)
        assert guard.wait(10) == 9


def test_a_program_aside_belongs_to_nobody_here(tmp_path: Path) -> None:
    note = tmp_path / "note"
    with guarded(tmp_path, ["sh", "-c", "while :; do sleep 1; done"]) as guard:
        child = child_of(guard.pid)
        aside = tmp_path / f"aside-{guard.pid}.json"
        script = f"echo $$ $PPID > {note}; echo said; while :; do sleep 1; done"
        aside.write_text(
            json.dumps(
                {
                    "argv": ["sh", "-c", script],
                    "env": {**PLAIN_ENV, "ASIDE": "yes"},
                    "cwd": str(tmp_path),
                    "output": str(tmp_path / "aside.log"),
                }
            )
        )
        os.kill(guard.pid, signal.SIGUSR1)
        wait_for(lambda: note.exists() and note.read_text().strip(), what="the aside")
        pid, parent = map(int, note.read_text().split())
        try:
            assert parent not in (guard.pid, child)
            assert pid not in process.descendants(guard.pid)
            assert process.environ_of(pid)["ASIDE"] == "yes"
            assert "SNAKEPIT_GUARD" not in process.environ_of(pid)
            assert not aside.exists()
            wait_for(lambda: (tmp_path / "aside.log").read_text() == "said\n")
            os.kill(child, signal.SIGKILL)
            assert guard.wait(10) == 137
            assert process.is_running(pid)
        finally:
            for member in {pid, *process.descendants(pid)}:
                process.send(member, signal.SIGKILL)


def test_a_guard_is_small(tmp_path: Path) -> None:
    with guarded(tmp_path, ["sleep", "60"]) as guard:
        child_of(guard.pid)
        status = Path(f"/proc/{guard.pid}/status").read_text()
    size = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("VmRSS"))
    assert size < 11_000, f"{size} kB"
