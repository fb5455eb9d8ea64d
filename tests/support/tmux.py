"""Owns private tmux servers for tests: a socket of its own for each, ended by the test itself."""

import contextlib
import os
import secrets
import signal
import subprocess
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
