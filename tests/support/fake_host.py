"""Owns a host of sessions in memory: passes the same contract as tmux, and is scripted by tests."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from snakepit.errors import SessionError, SessionGone
from snakepit.session.base import ROWS, Look, Pane


@dataclass(slots=True, kw_only=True)
class FakeSession:
    pane: Pane
    argv: tuple[str, ...]
    cwd: Path
    log: Path | None
    screen: list[str] = field(default_factory=list)
    keys: list[str] = field(default_factory=list)
    starts: int = 1
    in_mode: bool = False
    typed_at: float = 0.0


class FakeHost:
    """`finish`, `show`, `lose_server` and `hang` are what a test does to the world."""

    def __init__(self) -> None:
        self.sessions: dict[str, FakeSession] = {}
        self.calls: list[tuple[str, str]] = []
        self.is_up = False
        self.is_hung = False
        self.server_pid = 5_000_000
        self._pids = itertools.count(5_000_001)  # above every real pid

    def finish(self, name: str, status: int = 0) -> None:
        """The program in the pane exits."""
        session = self.sessions[name]
        session.pane = session.pane._replace(dead=True, exit_status=status)

    def show(self, name: str, text: str) -> None:
        """The program in the pane prints."""
        self.sessions[name].screen += text.splitlines()

    def lose_server(self) -> None:
        """Somebody kills the server with -9."""
        self.sessions.clear()
        self.is_up = False

    def hang(self, hung: bool = True) -> None:
        self.is_hung = hung

    def start(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Path,
        log: Path | None = None,
        mask: Sequence[str] = (),
        driven: bool = False,
    ) -> None:
        self._note("start", name)
        if name in self.sessions:
            msg = f"duplicate session: {name}"
            raise SessionError(msg)
        if not name or set(name) & set(".:"):
            msg = f"bad session name: {name}"
            raise SessionError(msg)
        self.is_up = True
        number = next(self._pids)
        pane = Pane(session=name, pane_id=f"%{number}", pid=number, driven=driven, command=argv[0])
        self.sessions[name] = FakeSession(pane=pane, argv=tuple(argv), cwd=cwd, log=log)

    def respawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: Path,
        log: Path | None = None,
        mask: Sequence[str] = (),
    ) -> None:
        self._note("respawn", name)
        session = self._session(name)
        pid = next(self._pids)
        session.pane = session.pane._replace(pid=pid, dead=False, exit_status=None, command=argv[0])
        session.argv, session.cwd = tuple(argv), cwd
        session.log = log or session.log
        session.starts += 1
        session.screen.clear()

    def panes(self) -> list[Pane]:
        self._answer()
        return [session.pane for session in self.sessions.values()]

    def probe(self) -> int:
        self._answer()
        if not self.is_up:
            msg = "no server runs"
            raise SessionGone(msg)
        return self.server_pid

    def own_server(self) -> int:
        return self.probe() if self.is_up else 0

    def kill(self, name: str) -> None:
        self._note("kill", name)
        self.sessions.pop(name, None)

    def kill_server(self) -> None:
        self._note("kill_server", "")
        self.lose_server()

    def capture(self, name: str, lines: int = ROWS) -> str:
        self._answer()
        return "\n".join(self._session(name).screen[-lines:])

    def look(self, name: str) -> Look:
        self._answer()
        session = self._session(name)
        rows = tuple("\n".join(session.screen).split("\n"))[-ROWS:]
        return Look(
            pane=session.pane,
            rows=rows,
            bright=rows,
            in_mode=session.in_mode,
            typed_at=session.typed_at,
        )

    def leave_mode(self, name: str) -> None:
        self._note("leave_mode", name)
        self._session(name).in_mode = False

    def type_text(self, name: str, text: str) -> None:
        self.send_text(name, text.replace("\n", ""))

    def send_text(self, name: str, text: str) -> None:
        self._note("send_text", name)
        printable = "".join(char for char in text if char.isprintable() or char in "\n\t")
        self._session(name).keys.append(printable)
        self._session(name).screen += printable.splitlines()

    def send_key(self, name: str, key: str) -> None:
        self._note("send_key", name)
        if not key or not all(char.isalnum() or char == "-" for char in key):
            msg = f"{key!r} is not the name of a key"
            raise SessionError(msg)
        self._session(name).keys.append(key)

    def attach_argv(self, name: str, *, read_only: bool) -> list[str]:
        return ["fake", "attach", *(["read-only"] if read_only else []), f"={name}"]

    def attach_line(self, name: str) -> str:
        return f"fake attach ={name}"

    def _session(self, name: str) -> FakeSession:
        if name not in self.sessions:
            msg = f"no session {name!r}"
            raise SessionGone(msg)
        return self.sessions[name]

    def _note(self, call: str, name: str) -> None:
        self._answer()
        self.calls.append((call, name))

    def _answer(self) -> None:
        if self.is_hung:
            msg = "the server did not answer within 5 s"
            raise SessionError(msg)
