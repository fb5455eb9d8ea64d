"""Owns running the tmux program: its socket, its environment, its time limit.

The socket of a private server lies in /tmp/tmux-<uid>/ whatever TMUX_TMPDIR says, so that `up` in
one shell and `status` in another (cron, ssh, the daemon) mean the same server. The socket named
"default" is the person's own server and lies where the person's TMUX_TMPDIR puts it.
"""

import os
import subprocess
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from snakepit.errors import SessionError, TmuxUnavailable

JOINED = "default"
TIMEOUT = 5.0  # seconds
PASSED = ("HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "TZ", "TMPDIR")
AWAY = ("no server running", "error connecting to", "no current target", "no sessions")
LOST = ("server exited", "lost server")


class Reply(NamedTuple):
    status: int
    out: str
    err: str

    @property
    def is_away(self) -> bool:
        """There is no server, or it has no session, or it ended while it was asked."""
        if self.status == 0 or "Permission denied" in self.err:
            return False
        return any(sign in self.err for sign in AWAY + LOST)


class Tmux:
    """One server by its socket name."""

    def __init__(
        self, socket: str, environ: Mapping[str, str], *, program: str, timeout: float = TIMEOUT
    ) -> None:
        self.socket = socket
        self.joined = socket == JOINED
        self.timeout = timeout
        self._program = program
        self._environ = server_environment(environ, joined=self.joined)
        # An empty config: a private server obeys no ~/.tmux.conf.
        config = [] if self.joined else ["-f", "/dev/null"]
        self.prefix = [program, "-u", "-L", socket, *config]

    def run(self, *arguments: str, stdin: str | None = None) -> Reply:
        """Run one client; a server that does not answer in time is a SessionError."""
        try:
            done = subprocess.run(
                [*self.prefix, *arguments],
                input=None if stdin is None else stdin.encode(errors="surrogateescape"),
                stdin=subprocess.DEVNULL if stdin is None else None,
                capture_output=True,
                timeout=self.timeout,
                env=self._environ,
                cwd="/",
                check=False,
            )
        except FileNotFoundError:
            msg = f"tmux is not on PATH ({self._program})"
            fix = "apt-get install tmux, or brew install tmux"
            raise TmuxUnavailable(msg, fix=fix) from None
        except subprocess.TimeoutExpired:
            msg = (
                f"tmux server {self.socket!r} did not answer `{arguments[0]}`"
                f" within {self.timeout:g} s"
            )
            fix = "agents.py down ends the pool all the same; then agents.py up"
            raise SessionError(msg, fix=fix) from None
        return Reply(
            done.returncode,
            done.stdout.decode(errors="backslashreplace"),
            done.stderr.decode(errors="backslashreplace").strip(),
        )

    def visible_prefix(self, environ: Mapping[str, str] | None = None) -> list[str]:
        """Return the words that reach this server from a person's shell.

        A shell with TMUX_TMPDIR would look for `-L` elsewhere, so it gets the path.
        """
        environ = os.environ if environ is None else environ
        if environ.get("TMUX_TMPDIR") and not self.joined:
            return ["tmux", "-S", self.socket_path()]
        return ["tmux", "-L", self.socket]

    def socket_path(self) -> str:
        root = self._environ.get("TMUX_TMPDIR") or "/tmp"
        return os.path.join(os.path.realpath(root), f"tmux-{os.getuid()}", self.socket)


def server_environment(environ: Mapping[str, str], *, joined: bool) -> dict[str, str]:
    """Return the environment of every tmux call, and so of a server that the call starts.

    A private server gets no value that a key could hide in. The person's own server is started
    as the person would start it; its panes are cleaned by `env -i`.
    """
    if joined:
        return {
            name: value
            for name, value in environ.items()
            if name not in ("TMUX", "TMUX_PANE") and not name.startswith("SNAKEPIT_")
        }
    return {
        name: value for name, value in environ.items() if name in PASSED or name.startswith("LC_")
    }


def literal(argument: str) -> str:
    """Escape a last `;`, which tmux would read as the end of a command."""
    return f"{argument[:-1]}\\;" if argument.endswith(";") else argument


def no_format(text: str) -> str:
    """Escape what tmux would expand as a format."""
    return text.replace("#", "##")


def shell_line(argv: Sequence[str]) -> str:
    """Return `argv` for tmux's `sh -c`, where it expands formats and strftime first."""
    import shlex

    return no_format("exec " + shlex.join(argv)).replace("%", "%%")
