"""Owns the processes of a storm as their killer sees them: started by the warm parent, stopped, killed, awaited."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from snakepit import clock
from snakepit.system import process
from tests.storm.actor import pid_file, worker_arguments
from tests.storm.ground import SCRIPTED, WORKERS, config_path
from tests.storm.victim import doing, pid_of_folder

ROOT = Path(__file__).parents[2]
STOP_S = 0.05
PAUSE_S = 0.0005
KILLED = (-signal.SIGKILL, 128 + signal.SIGKILL)  # the second by a guard
PLAIN_ENV = ("PATH", "HOME", "LANG", "TMPDIR")


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """`pid` is the child of the warm parent; of a scripted worker that is its guard."""

    role: str
    pid: int
    is_new: bool  # a new interpreter, not forked


class Crew:
    """`close` leaves no process."""

    def __init__(self, root: Path, *, tasks: int) -> None:
        self.root = root
        self.errors = root / "errors.log"
        self._tasks = tasks
        self._codes: dict[int, int] = {}
        self._members: dict[str, Member] = {}
        env = {key: os.environ[key] for key in PLAIN_ENV if key in os.environ}
        with self.errors.open("ab") as errors:
            self._parent = subprocess.Popen(
                [sys.executable, "-m", "tests.storm.warm"],
                cwd=ROOT,
                env=env | {"PYTHONPATH": str(ROOT)},
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        answer = self._read()
        assert isinstance(answer, list)
        self.is_open: list[str] = answer  # what a forked process would share; nothing

    def members(self) -> list[Member]:
        return list(self._members.values())

    def start(self, role: str, *, is_new: bool = False) -> Member:
        """`is_new`: by exec of the command that a pane has; else forked."""
        argv = _command(role, self.root) if is_new else []
        order = {"do": "start", "role": role, "argv": argv, "tasks": self._tasks}
        pid = self._ask(order | {"root": str(self.root), "errors": str(self.errors)})
        assert isinstance(pid, int)
        member = Member(role=role, pid=pid, is_new=is_new)
        self._members[role] = member
        return member

    def target(self, member: Member) -> int:
        """The process to kill; 0 where it is not there yet."""
        if member.role not in SCRIPTED:
            return member.pid
        if member.is_new:
            pid = pid_of_folder(self.root / "pit" / "claimed" / member.role)
        else:
            with suppress(OSError, ValueError):
                pid = int(pid_file(self.root, member.role).read_text())
                return pid if process.parent_of(pid) == member.pid else 0
            return 0
        return pid if pid and process.parent_of(pid) == member.pid else 0

    def is_at_work(self, member: Member) -> bool:
        pid = self.target(member)
        if member.role in WORKERS:
            return bool(pid) and pid_of_folder(self.root / "pit" / "claimed" / member.role) == pid
        return bool(pid)

    def kill(self, member: Member) -> str:
        """Stopped, looked at, killed, awaited with all below its guard; "" when it had ended before."""
        pid = self.target(member)
        if not pid or self._code(member) is not None:
            return ""
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return ""
        try:
            if self.target(member) != pid:
                return ""
            signal.pidfd_send_signal(handle, signal.SIGSTOP)
            _await_stop(pid)
            at = doing(self.root, member.role, pid)
            signal.pidfd_send_signal(handle, signal.SIGKILL)
        except ProcessLookupError:
            return ""
        finally:
            os.close(handle)
        if self.await_exit(member) not in KILLED:
            self._members[member.role] = member  # had ended by itself: `ended` tells
            return ""
        return at

    def await_exit(self, member: Member) -> int:
        if member.pid not in self._codes:
            self._note_exits(self._ask({"do": "exits", "wait_for": member.pid}))
        self._members.pop(member.role, None)
        return self._codes[member.pid]

    def ended(self) -> list[tuple[Member, int]]:
        """Who has ended by itself."""
        self._note_exits(self._ask({"do": "exits", "wait_for": 0}))
        gone = [one for one in self._members.values() if one.pid in self._codes]
        for member in gone:
            del self._members[member.role]
        return [(member, self._codes[member.pid]) for member in gone]

    def stop_all(self) -> list[tuple[Member, int]]:
        """By SIGTERM, as `down` does."""
        left = list(self._members.values())
        for member in left:
            process.send(member.pid, signal.SIGTERM)
        return [(member, self.await_exit(member)) for member in left]

    def left(self) -> list[int]:
        """What still runs below the warm parent, orphans too."""
        left = self._ask({"do": "left"})
        assert isinstance(left, list)
        return left

    def close(self) -> None:
        if self._parent.stdin is not None and self._parent.stdout is not None:
            self._parent.stdin.close()
            self._parent.wait()
            self._parent.stdout.close()

    def _code(self, member: Member) -> int | None:
        return self._codes.get(member.pid)

    def _note_exits(self, found: object) -> None:
        assert isinstance(found, Mapping)
        self._codes.update({int(pid): code for pid, code in found.items()})

    def _ask(self, order: Mapping[str, object]) -> object:
        assert self._parent.stdin is not None
        self._parent.stdin.write(json.dumps(order).encode() + b"\n")
        self._parent.stdin.flush()
        return self._read()

    def _read(self) -> object:
        assert self._parent.stdout is not None
        line = self._parent.stdout.readline()
        if not line:
            msg = f"the warm parent has ended: {self.errors.read_text(errors='replace')[-2000:]}"
            raise AssertionError(msg)
        return json.loads(line)


def _command(role: str, root: Path) -> list[str]:
    if role == "daemon":
        words = ["snakepit.daemon", "--foreground", "--always", "--config", str(config_path(root))]
    else:
        words = ["snakepit.worker", *worker_arguments(role, root)]
    return [sys.executable, "-m", *words]


def _await_stop(pid: int) -> None:
    pause = threading.Event()
    deadline = clock.monotonic() + STOP_S
    while not process.is_stopped(pid) and clock.monotonic() < deadline:
        pause.wait(PAUSE_S)
