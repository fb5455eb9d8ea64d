"""Owns sessions on tmux; decides nothing about what runs in them.

A private server (`-L <socket>`) is started and set by us and holds nobody else's sessions. With
the socket "default" our sessions join the person's own server: then only they are set, never the
server, and the server is never killed. A server of another name that runs already and was not
started by us is treated the same.
"""

import contextlib
import os
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from snakepit.errors import SessionError, SessionGone
from snakepit.session import settings
from snakepit.session.base import COLUMNS, ROWS, Look, Pane
from snakepit.session.command import TIMEOUT, Tmux, no_format, shell_line
from snakepit.session.listing import Question
from snakepit.system import process

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.session.driver import DrivenServer

PANELOG = os.path.join(os.path.dirname(__file__), "panelog.py")
PLACEHOLDER = ("tail", "-f", "/dev/null")
SIZE = ("-x", str(COLUMNS), "-y", str(ROWS))
FOREIGN = "foreign"
CLEAN = ("/usr/bin/env", "-i")
LOOKS = 3  # at a pane that tmux owes a status


class TmuxHost:
    """Sessions on one tmux server; see `Host` for what each call promises."""

    def __init__(
        self,
        socket: str,
        *,
        tmux_conf: "Path | None" = None,
        environ: Mapping[str, str] | None = None,
        timeout: float = TIMEOUT,
        program: str = "tmux",
    ) -> None:
        given = os.environ if environ is None else environ
        self.socket = socket
        self._tmux = Tmux(socket, given, program=program, timeout=timeout)
        self._tmux_conf = tmux_conf

    @cached_property
    def _driver(self) -> "DrivenServer":
        from snakepit.session.driver import DrivenServer

        return DrivenServer(self._tmux)

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: "Path",
        log: "Path | None" = None,
        mask: Sequence[str] = (),
        driven: bool = False,
    ) -> None:
        # Not libtmux's new_session: it takes one command a call, and what a pane shows before
        # its log is attached would be lost.
        begin, pane = self._begin(name, argv, cwd), f"={name}:"
        with _log_pipe(pane, log, mask) as pipe:
            self._driver.sequence(
                *begin,
                ("set-option", "-p", "-t", pane, settings.DRIVEN, "1" if driven else "0"),
                ("set-option", "-p", "-t", pane, settings.MARK, name),
                *pipe,
            )

    def respawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: "Path",
        log: "Path | None" = None,
        mask: Sequence[str] = (),
    ) -> None:
        pane = self._pane(name)
        clean = CLEAN if self._is_joined() else ()
        words = ("-k", "-t", pane.pane_id, "-c", no_format(str(cwd)), "--", *clean, *argv)
        with _log_pipe(pane.pane_id, log, mask) as pipe:
            self._driver.sequence(("respawn-pane", *words), *pipe)

    def panes(self) -> list[Pane]:
        # To tmux a pane is dead once its terminal is closed: long before its process ends, if that
        # left it, and a moment before tmux has its status, or for good: tmux 3.3 loses a SIGCHLD.
        panes = self._list()
        for _ in range(LOOKS):
            late = [pane for pane in panes if _is_half_dead(pane) and not _runs(pane)]
            if not late:
                break
            for pane in late:
                _remind(pane)
            panes = self._list()
        return [
            pane._replace(dead=False) if _is_half_dead(pane) and _runs(pane) else pane
            for pane in panes
        ]

    def _list(self) -> list[Pane]:
        question = Question()
        reply = self._tmux.run("list-panes", "-a", "-F", question.format)
        if reply.is_away:
            return []
        if reply.status != 0 and not reply.out:
            msg = f"tmux {self.socket!r} cannot list its panes: {reply.err}"
            raise SessionError(msg)
        return question.read(reply.out)

    def probe(self) -> int:
        reply = self._tmux.run("display-message", "-p", "#{pid}")
        if reply.status != 0 or not reply.out.strip().isdigit():
            msg = f"no tmux server runs on socket {self.socket!r}: {reply.err or 'no answer'}"
            raise SessionGone(msg, fix="agents.py up")
        return int(reply.out)

    def own_server(self) -> int:
        if self._tmux.joined:
            return 0
        reply = self._tmux.run("display-message", "-p", f"#{{pid}} #{{{settings.OURS}}}")
        words = reply.out.split()
        return int(words[0]) if reply.status == 0 and words[1:] == ["1"] else 0

    def kill(self, name: str) -> None:
        with contextlib.suppress(SessionGone):
            self._driver.cmd("kill-session", target=f"={name}")

    def kill_server(self) -> None:
        with contextlib.suppress(SessionGone):
            self.probe()
            if not self._is_joined():
                with contextlib.suppress(SessionGone):
                    self._driver.cmd("kill-server")
                with contextlib.suppress(OSError):
                    os.unlink(self.socket_path())  # tmux leaves it

    def capture(self, name: str, lines: int = ROWS) -> str:
        pane = self._driver.pane(self._pane(name).pane_id)
        shown = pane.capture_pane(start=-lines, join_wrapped=True) or []
        text = "\n".join(line.rstrip() for line in shown).rstrip()
        return "\n".join(text.split("\n")[-lines:])

    def look(self, name: str) -> Look:
        from snakepit.session.looking import LookQuestion

        question = LookQuestion(self._pane(name))
        found = question.read("\n".join(self._driver.sequence(*question.commands)))
        if found is None:
            msg = f"the pane of session {name!r} went away while it was looked at"
            raise SessionGone(msg, fix="agents.py status")
        return found

    def leave_mode(self, name: str) -> None:
        pane = self._pane(name).pane_id
        quit_mode = f"send-keys -X -t {pane} cancel"
        self._driver.sequence(("if-shell", "-F", "-t", pane, "#{pane_in_mode}", quit_mode))

    def send_text(self, name: str, text: str) -> None:
        printable = only_printable(text)
        if printable:
            self._driver.paste(self._pane(name).pane_id, printable)

    def type_text(self, name: str, text: str) -> None:
        printable = "".join(only_printable(text).split("\n"))
        if printable:
            self._driver.cmd("send-keys", "-l", "--", printable, target=self._pane(name).pane_id)

    def send_key(self, name: str, key: str) -> None:
        if not key or not all(char.isalnum() or char == "-" for char in key):
            msg = f"{key!r} is not the name of a key"
            raise SessionError(msg, fix="tmux key names: Enter, Escape, C-c, F1")
        self._driver.pane(self._pane(name).pane_id).send_keys(key, enter=False)

    def attach_argv(self, name: str, *, read_only: bool) -> list[str]:
        # Not -r: that also ignores the size of the terminal.
        flags = ["-f", "read-only"] if read_only else []
        return [*self._tmux.visible_prefix(), "attach-session", *flags, "-t", f"={name}"]

    def switch_argv(self, name: str) -> list[str]:
        """Return the command that shows the session in a client of this very server."""
        return ["tmux", "switch-client", "-t", f"={name}"]

    def attach_line(self, name: str) -> str:
        import shlex

        return shlex.join([*self._tmux.visible_prefix(), "attach", "-t", f"={name}"])

    def socket_path(self) -> str:
        return self._tmux.socket_path()

    def _pane(self, name: str) -> Pane:
        for pane in self.panes():
            if pane.session == name:
                return pane
        msg = f"no session {name!r} on tmux socket {self.socket!r}"
        raise SessionGone(msg, fix="agents.py status, agents.py up")

    def _is_joined(self) -> bool:
        """Tell whether the server is somebody else's; a private one that is away is not."""
        return self._tmux.joined or self._server() == FOREIGN

    def _server(self) -> str:
        reply = self._tmux.run("show-options", "-g")
        if reply.is_away:
            return ""
        if reply.status != 0:
            msg = f"tmux {self.socket!r} does not tell its options: {reply.err}"
            raise SessionError(msg)
        names = {line.split(" ")[0] for line in reply.out.splitlines()}
        return next((mark for mark in (settings.READY, settings.OURS) if mark in names), FOREIGN)

    def _begin(self, name: str, argv: Sequence[str], cwd: "Path") -> list[tuple[str, ...]]:
        state = FOREIGN if self._tmux.joined else self._server()
        if state == FOREIGN:
            return _begin_joined(name, argv, cwd)
        if state != settings.READY:
            self._set_up()
        place = ("-s", name, "-n", name, "-c", no_format(str(cwd)))
        return [("new-session", "-d", *SIZE, *place, "--", *argv)]

    def _set_up(self) -> None:
        """Start and set the private server; twice, or by two at once, is the same as once."""
        stay = ("set-option", "-s", "exit-empty", "off")
        ours = ("set-option", "-g", settings.OURS, "1")
        self._driver.sequence(("start-server",), stay, ours)
        self._driver.sequence(*settings.private_tastes())
        if self._tmux_conf is not None:
            self._source(self._tmux_conf)
        ready = ("set-option", "-g", settings.READY, "1")
        self._driver.sequence(*settings.private_musts(), ready)

    def _source(self, conf: "Path") -> None:
        try:
            self._driver.cmd("source-file", str(conf))
        except SessionError as exc:
            self._driver.cmd("kill-server")
            msg = f"tmux cannot use [defaults] tmux_conf {conf}: {exc.message}"
            raise SessionError(msg, fix=f"try it with: tmux -L try -f {conf} new") from exc


def only_printable(text: str) -> str:
    return "".join(char for char in text if char.isprintable() or char in "\n\t")


def _is_half_dead(pane: Pane) -> bool:
    return pane.dead and pane.exit_status is None


def _runs(pane: Pane) -> bool:
    return process.is_running(pane.pid)


def _remind(pane: Pane) -> None:
    """Have the server look at its children once more; where it has done so, nothing happens."""
    server = process.parent_of(pane.pid)
    if server > 1:
        process.send(server, signal.SIGCHLD)


def _begin_joined(name: str, argv: Sequence[str], cwd: "Path") -> list[tuple[str, ...]]:
    # The scrollback of a pane is fixed when it is made, so the session is set up around a
    # placeholder and the real window made after that.
    place = ("-t", f"={name}:^", "-n", name, "-c", no_format(str(cwd)))
    return [
        ("new-session", "-d", *SIZE, "-s", name, "--", *PLACEHOLDER),
        *settings.joined_session(name),
        ("new-window", "-k", *place, "--", *CLEAN, *argv),
        *settings.joined_window(name),
    ]


@contextlib.contextmanager
def _log_pipe(
    target: str, log: "Path | None", mask: Sequence[str]
) -> Iterator[list[tuple[str, ...]]]:
    """Yield the commands that send a pane's output through the masking filter into its log.

    The values to mask go by a file that the filter unlinks; it is removed here when the commands
    fail.
    """
    if log is None:
        yield []
        return
    import json

    from snakepit.session.launchfile import write_private

    log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    values = log.parent / f".{log.stem}-{os.urandom(6).hex()}.mask"
    write_private(values, json.dumps(list(mask)).encode())
    line = shell_line([sys.executable, "-I", "-S", PANELOG, str(log), str(values)])
    try:
        yield [("pipe-pane", "-t", target), ("pipe-pane", "-O", "-t", target, line)]
    except BaseException:
        values.unlink(missing_ok=True)
        raise
