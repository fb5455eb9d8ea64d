"""Owns real processes in tests: each is started here, told by its pid, and ended by the test that started it."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

from snakepit import clock
from snakepit.system import process
from tests.support.wait import wait_for

GUARD = Path(__file__).parents[2] / "snakepit" / "worker" / "guard.py"
PLAIN_ENV = {key: os.environ[key] for key in ("PATH", "HOME", "LANG") if key in os.environ}

# what the issue names: it leaves its session, its parent and its environment, and writes for ever
ESCAPER = "setsid env -i PATH=\"$PATH\" sh -c 'echo $$ > {pid}; while :; do date >> {out}; sleep .02; done' &"


class Escapee:
    """A process that tries to outlive whoever started it."""

    def __init__(self, folder: Path) -> None:
        self._pid_file = folder / "escapee.pid"
        self.output = folder / "escapee.out"
        self.line = ESCAPER.format(pid=self._pid_file, out=self.output)

    @property
    def pid(self) -> int:
        """Waits until it runs and writes."""
        text = wait_for(lambda: self._pid_file.exists() and self._pid_file.read_text().strip())
        wait_for(lambda: self.output.exists() and self.output.stat().st_size > 0)
        return int(text)

    def is_silent(self) -> bool:
        """True when it is gone and nothing is written any more."""
        before = self.output.stat().st_size
        return not process.is_running(self.pid) and stays(
            lambda: self.output.stat().st_size == before, 0.2
        )


def stays(predicate: Callable[[], bool], seconds: float) -> bool:
    """True when the predicate holds all the time."""
    pause = threading.Event()
    deadline = clock.monotonic() + seconds
    while clock.monotonic() < deadline:
        if not predicate():
            return False
        pause.wait(0.02)
    return True


@contextlib.contextmanager
def started(
    argv: Sequence[str], *, env: Mapping[str, str] | None = None, cwd: Path | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """A program of its own session with piped output, killed at the end with all below it."""
    child = subprocess.Popen(
        argv,
        env=None if env is None else dict(env),
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        yield child
    finally:
        end(child)


def end(child: "subprocess.Popen[bytes]") -> None:
    for pid in {child.pid, *process.descendants(child.pid)}:
        process.send(pid, signal.SIGKILL)
    child.wait(10)
    if child.stdout is not None:
        child.stdout.close()


@contextlib.contextmanager
def guarded(
    folder: Path, argv: Sequence[str], *, env: Mapping[str, str] | None = None
) -> Iterator["subprocess.Popen[bytes]"]:
    """The program under our guard, as a pane runs it."""
    launch = folder / f"launch-{os.urandom(4).hex()}.json"
    fields = {
        "argv": list(argv),
        "env": dict(PLAIN_ENV if env is None else env),
        "cwd": str(folder),
    }
    launch.write_text(json.dumps(fields))
    launch.chmod(0o600)
    command = [sys.executable, "-I", "-S", str(GUARD), str(launch)]
    with started(command, cwd=folder) as child:
        try:
            yield child
        finally:
            below = process.descendants(child.pid)
            for pid in below:
                process.send(pid, signal.SIGKILL)


def child_of(pid: int) -> int:
    """The first child, once there is one."""
    return wait_for(
        lambda: next((p for p, parent in process.parents().items() if parent == pid), 0)
    )
