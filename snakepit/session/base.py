"""Owns the contract of a host of sessions; starts nothing itself.

A session is one pane with one program in it. `TmuxHost` keeps them on a tmux server, the tests'
`FakeHost` in memory; both pass `tests/contract/host_contract.py`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    from pathlib import Path

COLUMNS = 220
ROWS = 50
PANE_TERM = "screen-256color"  # TERM of what runs in a pane; in every terminfo, macOS included


class Pane(NamedTuple):
    """The main pane of one of our sessions, as it was at one moment; built by keyword.

    A named tuple, because `status` loads it and importing dataclasses costs 10 ms.
    """

    session: str
    pane_id: str
    pid: int
    dead: bool = False
    exit_status: int | None = None  # of a dead pane; 128 + n where signal n ended it
    command: str = ""
    title: str = ""
    attached: int = 0
    driven: bool = False  # a worker runs in it: attach read-only
    columns: int = COLUMNS
    rows: int = ROWS


class Look(NamedTuple):
    """What a pane shows. `bright`: its rows with blanks for faint text; `typed_at`: when somebody who is
    attached last pressed a key or came, in unix seconds, 0 when nobody is."""

    pane: Pane
    rows: tuple[str, ...]
    bright: tuple[str, ...]
    in_mode: bool = False
    typed_at: float = 0.0


class Host(Protocol):
    """Every call ends within a few seconds: a host that hangs raises SessionError.

    What a call asked of a host that hung may still be done when the host goes on.
    """

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
        """Start a session; SessionError when one of that name exists, dead or alive.

        `log` is the file that gets every byte the pane shows, without the values in `mask`; None
        where the program writes that file itself. The environment is not given here: `argv` is
        what `launchfile.pane_command` made.
        """

    def respawn(
        self,
        name: str,
        argv: Sequence[str],
        *,
        cwd: "Path",
        log: "Path | None" = None,
        mask: Sequence[str] = (),
    ) -> None:
        """Run `argv` in the pane of an existing session, ending what still runs there.

        Without `log` an earlier log goes on. SessionGone when there is no such session.
        """

    def panes(self) -> list[Pane]:
        """Return our sessions, one pane each; empty when no server runs."""

    def probe(self) -> int:
        """Return the pid of the server; SessionGone when none runs. For whoever must know."""

    def own_server(self) -> int:
        """Return the pid of the server if it is ours alone; 0 when it is not, or none runs."""

    def kill(self, name: str) -> None:
        """End a session; nothing happens when it is gone. What ran in it gets SIGHUP, no more."""

    def kill_server(self) -> None:
        """End the server and all its sessions, if it is ours alone; idempotent."""

    def capture(self, name: str, lines: int = ROWS) -> str:
        """Return the last `lines` lines of screen and scrollback, wrapped lines joined."""

    def look(self, name: str) -> Look:
        """Return the visible screen, with what else whoever types must know, of one instant."""

    def leave_mode(self, name: str) -> None:
        """End tmux's copy-mode in the pane, which would take the keys; nothing happens outside of it."""

    def send_text(self, name: str, text: str) -> None:
        """Paste `text` (control characters dropped, but newline and tab); does not submit it."""

    def type_text(self, name: str, text: str) -> None:
        """Type one short line as keys: a command of the program is none when it is pasted."""

    def send_key(self, name: str, key: str) -> None:
        """Press one key by its tmux name: Enter, Escape, C-c."""

    def attach_argv(self, name: str, *, read_only: bool) -> list[str]:
        """Return the command that shows the session in this terminal."""

    def attach_line(self, name: str) -> str:
        """Return the line a person can paste into any shell."""
