"""Owns the way into libtmux: its objects, over our own call with a time limit and a clean start.

libtmux as it is waits for a hung server for ever and gives a new server the caller's whole
environment. Nothing here lists anything: libtmux refuses a listing in which a pane just vanished.
"""

import os
from typing import Any

import libtmux
from libtmux.common import tmux_cmd

from snakepit.errors import SessionError, SessionGone
from snakepit.session.command import Tmux, literal

GONE = ("can't find", "no such", "session not found")


class DrivenServer(libtmux.Server):
    """A libtmux server whose every command goes through `Tmux.run`, and fails loudly."""

    def __init__(self, tmux: Tmux) -> None:
        super().__init__(socket_name=tmux.socket)
        self._tmux = tmux

    def cmd(self, cmd: str, *args: Any, target: str | int | None = None) -> tmux_cmd:
        words = [] if target is None else ["-t", str(target)]
        return self._send([(cmd, *words, *(str(word) for word in args))])

    def sequence(self, *commands: tuple[str, ...]) -> list[str]:
        """Run several commands in one call: nothing a pane does comes between them."""
        return self._send(list(commands)).stdout

    def _send(self, commands: list[tuple[str, ...]], stdin: str | None = None) -> tmux_cmd:
        words: list[str] = []
        for command in commands:
            words += [";"] if words else []
            words += [literal(word) for word in command]
        reply = self._tmux.run(*words, stdin=stdin)
        if reply.status != 0:
            kind = SessionGone if reply.is_away or _is_gone(reply.err) else SessionError
            msg = f"tmux {self._tmux.socket!r} refused `{commands[0][0]}`: {reply.err}"
            raise kind(msg)
        answer = tmux_cmd.__new__(tmux_cmd)
        answer.cmd = [*self._tmux.prefix, *words]
        answer.returncode = reply.status
        answer.stdout = reply.out.splitlines()
        answer.stderr = reply.err.splitlines()
        return answer

    def paste(self, pane_id: str, text: str) -> None:
        """Paste as a terminal would, bracketed where the program asked for that."""
        buffer = f"snakepit-{pane_id.lstrip('%')}-{os.urandom(4).hex()}"
        commands = [
            ("load-buffer", "-b", buffer, "-"),
            ("paste-buffer", "-d", "-p", "-b", buffer, "-t", pane_id),
        ]
        self._send(commands, stdin=text)

    def pane(self, pane_id: str) -> libtmux.Pane:
        return libtmux.Pane(server=self, pane_id=pane_id)


def _is_gone(message: str) -> bool:
    return any(sign in message for sign in GONE)
