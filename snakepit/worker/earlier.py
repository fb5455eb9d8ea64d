"""Owns what is known of earlier runs of a task by an agent program: which conversation may be taken up.

Each attempt's folder in waste/ has a `run.json`: written before the program starts, so that a killed run
is known too, and again when it ended. The newest one of the same task decides.
"""

import os
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from snakepit.core import outcome
from snakepit.core.result import authored
from snakepit.pool.statefile import read_state, write_state
from snakepit.store.base import Claim

NAME = "run.json"
GOES_ON = frozenset(  # cut off from outside: the conversation itself is sound
    {
        "",
        outcome.INTERRUPTED,
        outcome.TIMEOUT,
        outcome.LIMITED,
        outcome.OVERLOADED,
        outcome.AUTH,
        outcome.BILLING,
    }
)


class Earlier(NamedTuple):
    session_id: str
    kind: str


def fingerprint(claim: Claim, cwd: Path, backend: str) -> str:
    """The same where a conversation fits: a new task of an old name, or another folder, has another."""
    parts = (backend.encode(), os.fsencode(cwd), authored(claim.text))
    return sha256(b"\0".join(parts)).hexdigest()[:16]


def note_run(folder: Path, mark: str, session_id: str, *, kind: str = "") -> None:
    write_state(folder / NAME, {"mark": mark, "session_id": session_id, "kind": kind})


def earlier_run(folder: Path, mark: str) -> Earlier | None:
    """The run before the one in `folder`, if its conversation may be taken up."""
    others = sorted(
        (path for path in folder.parent.glob(f"*/{NAME}") if path.parent != folder),
        key=lambda path: path.stat().st_mtime_ns,
    )
    if not others:
        return None
    found = read_state(others[-1])
    session_id, kind = found.get("session_id"), found.get("kind")
    if found.get("mark") != mark or not isinstance(session_id, str) or not session_id:
        return None
    return Earlier(session_id, str(kind)) if kind in GOES_ON else None
