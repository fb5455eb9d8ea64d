"""Owns one bash that lives as long as a run: commands in, bounded output out, all ended on a timeout.

Each command is a file that the shell sources, so `cd`, variables and background processes stay. Its exit status
comes through a pipe of its own that no command inherits. Whatever else a command starts hangs below this process.
"""

import os
import select
import signal
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from snakepit import clock
from snakepit.agents.anthropic.waiting import Watch
from snakepit.agents.output import readable

SHOWN = 30_000  # characters of an output that the model sees
HEAD = 10_000  # of them from its beginning
FILE_LIMIT = 50_000_000  # bytes of an output that are kept
STATUS_FD = 9
CHUNK = 65_536
BLIND = 0.05  # seconds between two looks at a shell that no longer tells its status


class Output(NamedTuple):
    """`status` is None where the command did not end by itself. `path`: all of it, where `text` is cut."""

    text: str
    status: int | None
    is_over_time: bool = False
    seconds: float = 0.0


@dataclass(slots=True)
class _Collected:
    """What a command said: its beginning and end in memory, all of it in a file once it is long."""

    path: Path
    head: bytearray = field(default_factory=bytearray)
    tail: bytearray = field(default_factory=bytearray)
    size: int = 0
    _file: int = -1

    def feed(self, data: bytes) -> None:
        self.size += len(data)
        if self._file < 0 and self.size > SHOWN:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC
            self._file = os.open(self.path, flags, 0o600)
            _write(self._file, bytes(self.head))  # all there was until now
        room = 2 * SHOWN - len(self.head)
        if room > 0:
            self.head += data[:room]
        self.tail = (self.tail + data)[-2 * SHOWN :]
        if self._file >= 0 and self.size <= FILE_LIMIT:
            _write(self._file, data)

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1

    def text(self) -> str:
        if self.size <= SHOWN:
            return readable(bytes(self.head)).strip("\n")
        first = readable(bytes(self.head))[:HEAD]
        last = readable(bytes(self.tail)).rstrip("\n")[-(SHOWN - HEAD) :]
        left_out = max(0, self.size - SHOWN)
        return f"{first}\n\n[… about {left_out:,} characters left out; all of it is in {self.path}]\n\n{last}"


class Shell:
    def __init__(
        self,
        *,
        cwd: Path,
        env: Mapping[str, str],
        folder: Path,
        watch: Watch,
        end_rest: Callable[[], bool],
    ) -> None:
        """`end_rest` ends all that runs below this process and says whether nothing is left."""
        self._cwd = cwd
        self._env = dict(env)
        self._folder = folder
        self._watch = watch
        self._end_rest = end_rest
        self._child: subprocess.Popen[bytes] | None = None
        self._said = self._status = -1
        self._count = 0

    def run(self, command: str, timeout_s: float) -> Output:
        """`Stopped` when a person or a signal ends it; the caller then ends what is left."""
        started = clock.monotonic()
        collected = _Collected(self._next_path("out"))
        try:
            return self._run(command, collected, started, timeout_s)
        finally:
            collected.close()

    def _run(self, command: str, collected: _Collected, started: float, timeout_s: float) -> Output:
        child = self._ready()
        script = self._next_path("sh")
        script.write_text(f"{command}\n", encoding="utf-8", errors="surrogateescape")
        line = f". '{script}' </dev/null {STATUS_FD}>&-; printf '%s\\n' $? >&{STATUS_FD}\n"
        assert child.stdin is not None
        try:
            child.stdin.write(line.encode())
            child.stdin.flush()
        except BrokenPipeError:
            self.end()
            return Output("the shell was gone; a new one begins with the next command", None)
        status = self._follow(child, collected, started + timeout_s)
        seconds = clock.monotonic() - started
        if status is None:
            is_over_time = child.poll() is None
            code = child.returncode
            self.end()
            self._pump(collected)
            self._forget()
            return Output(collected.text(), code, is_over_time, seconds)
        return Output(collected.text(), status, seconds=seconds)

    def once(self, argv: Sequence[str], timeout_s: float) -> Output:
        """A program beside the shell, in the same folder and environment."""
        started = clock.monotonic()
        source, target = os.pipe()
        os.set_blocking(source, False)
        collected = _Collected(self._next_path("out"))
        try:
            child = subprocess.Popen(
                argv,
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.DEVNULL,
                stdout=target,
                stderr=target,
                start_new_session=True,
            )
        finally:
            os.close(target)
        try:
            is_open = True
            while is_open and (left := started + timeout_s - clock.monotonic()) > 0:
                self._watch.wait(left, source)
                is_open = _read_into(source, collected)
        finally:
            collected.close()
            if child.poll() is None and is_open:
                os.killpg(child.pid, signal.SIGKILL)
            code = child.wait()
            os.close(source)
        return Output(collected.text(), None if is_open else code, is_open, 0.0)

    def end(self) -> None:
        """Nothing that a command started is alive afterwards; what cannot be killed is waited for."""
        while not self._end_rest():
            select.select([], [], [], 1.0)  # not the watch: its word must not end the ending
        if self._child is not None:
            self._child.wait()

    def close(self) -> None:
        try:
            self.end()
        finally:
            self._forget()

    def _forget(self) -> None:
        for descriptor in (self._said, self._status):
            if descriptor >= 0:
                os.close(descriptor)
        self._said = self._status = -1
        if self._child is not None and self._child.stdin is not None:
            try:
                self._child.stdin.close()
            except BrokenPipeError:
                pass
        self._child = None

    def _next_path(self, suffix: str) -> Path:
        self._count += suffix == "out"
        return self._folder / f"command-{self._count}.{suffix}"

    def _ready(self) -> "subprocess.Popen[bytes]":
        if self._child is not None and self._child.poll() is None:
            return self._child
        self._forget()
        self._said, said = os.pipe()
        self._status, status = os.pipe()
        os.set_blocking(self._said, False)
        os.set_blocking(self._status, False)
        try:
            self._child = subprocess.Popen(
                ["bash", "--noprofile", "--norc", "-s"],
                env=self._env,
                cwd=self._cwd,
                stdin=subprocess.PIPE,
                stdout=said,
                stderr=said,
                pass_fds=(status,),
                start_new_session=True,
            )
        finally:
            os.close(said)
            os.close(status)
        if status != STATUS_FD:
            assert self._child.stdin is not None
            self._child.stdin.write(f"exec {STATUS_FD}>&{status} {status}>&-\n".encode())
        return self._child

    def _follow(
        self, child: "subprocess.Popen[bytes]", collected: _Collected, deadline: float
    ) -> int | None:
        """The command's status; None when the time is over or the shell ended."""
        is_shell = True
        while (left := deadline - clock.monotonic()) > 0:
            if is_shell:
                self._watch.wait(left, self._said, self._status)
            else:
                self._watch.wait(min(left, BLIND), self._said)
            self._pump(collected)
            told = _read(self._status) if is_shell else b""
            if told:
                self._pump(collected)
                return int(told.split()[-1])
            is_shell = is_shell and told is not None  # else it became a program, by exec, or ended
            if not is_shell and child.poll() is not None:
                return None
        return None

    def _pump(self, collected: _Collected) -> None:
        if self._said >= 0:
            _read_into(self._said, collected)


def _write(file: int, data: bytes) -> None:
    view = memoryview(data)
    while view:
        view = view[os.write(file, view) :]


def _read(descriptor: int) -> bytes | None:
    """None at the end."""
    try:
        return os.read(descriptor, CHUNK) or None
    except BlockingIOError:
        return b""


def _read_into(descriptor: int, collected: _Collected) -> bool:
    """Take what is there; False at the end."""
    for _ in range(256):
        data = _read(descriptor)
        if data is None:
            return False
        if not data:
            return True
        collected.feed(data)
    return True
