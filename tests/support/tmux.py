"""Owns private tmux servers for tests: a socket of its own for each, ended by the test itself."""

import contextlib
import fcntl
import os
import secrets
import signal
import struct
import subprocess
import termios
from collections.abc import Iterator
from pathlib import Path

from snakepit.errors import SessionGone
from snakepit.session.tmux import TmuxHost
from tests.support.wait import wait_for


def unique_socket() -> str:
    return f"snakepit-test-{secrets.token_hex(4)}"


@contextlib.contextmanager
def private_host(
    *, tmux_conf: Path | None = None, environ: dict[str, str] | None = None, timeout: float = 5.0
) -> Iterator[TmuxHost]:
    """Give a host on a server of its own; afterwards no process and no socket of it is left."""
    given = dict(os.environ) if environ is None else environ
    host = TmuxHost(unique_socket(), tmux_conf=tmux_conf, environ=given, timeout=timeout)
    try:
        yield host
    finally:
        reap_server(host)


def reap_server(host: TmuxHost) -> None:
    with contextlib.suppress(SessionGone):
        pid = host.probe()
        tmux(host, "kill-server")
        wait_for(lambda: not is_running(pid), what=f"the tmux server {pid} to end")
    Path(host.socket_path()).unlink(missing_ok=True)


def tmux(host: TmuxHost, *words: str) -> str:
    """Ask the server directly, as a person with `tmux -L` would."""
    environ = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
    command = ["tmux", "-u", "-S", host.socket_path(), "-f", "/dev/null", *words]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=10, check=False, env=environ
    )
    return done.stdout.rstrip("\n")


def is_running(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return _answers_signal(pid) and not Path("/proc/self/stat").exists()
    return stat.rpartition(")")[2].split()[0] != "Z"


def _answers_signal(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@contextlib.contextmanager
def stopped(pid: int) -> Iterator[None]:
    """Keep one process stopped for a while."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


class Client:
    """A person's terminal of some size that runs one command: what it shows, what is typed."""

    def __init__(self, argv: list[str], *, columns: int = 80, rows: int = 24) -> None:
        self._master, slave = os.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        environ = {name: value for name, value in os.environ.items() if not name.startswith("TMUX")}
        self._process = subprocess.Popen(
            argv,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=environ | {"TERM": "screen-256color"},
            start_new_session=True,
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        self.shown = b""

    @property
    def pid(self) -> int:
        return self._process.pid

    def shows(self, text: str) -> bool:
        with contextlib.suppress(BlockingIOError, OSError):
            while data := os.read(self._master, 65_536):
                self.shown += data
        return text.encode() in self.shown

    def type(self, keys: bytes) -> None:
        os.write(self._master, keys)

    def is_running(self) -> bool:
        self.shows("")
        return self._process.poll() is None

    def close(self) -> None:
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        os.close(self._master)


@contextlib.contextmanager
def client(argv: list[str], *, columns: int = 80, rows: int = 24) -> Iterator[Client]:
    terminal = Client(argv, columns=columns, rows=rows)
    try:
        yield terminal
    finally:
        terminal.close()
