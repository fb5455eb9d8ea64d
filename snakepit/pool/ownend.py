"""Owns the word that a run leaves when it settles its task itself, by a verb, for the worker that waits for its end."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.pool.statefile import read_state, write_state

if TYPE_CHECKING:
    from snakepit.store.base import Claim

FILE = "settled.json"
DONE = "done"


def note_end(claim: "Claim", verb: str, environ: Mapping[str, str] = os.environ) -> None:
    """Into the folder of the run that called the verb; an interactive snake has none."""
    own = (environ.get("SNAKEPIT_TASK"), environ.get("SNAKEPIT_GENERATION"))
    kept = environ.get("SNAKEPIT_ARTEFACTS")
    if not kept or own != (claim.name, claim.generation):
        return
    folder = Path(kept).parent
    if folder.is_dir():
        try:
            write_state(folder / FILE, {"verb": verb})
        except OSError:
            pass


def noted_end(folder: Path | None) -> str:
    """The verb, "" where the run settled nothing."""
    if folder is None or not (folder / FILE).exists():
        return ""
    verb = read_state(folder / FILE).get("verb")
    return verb if isinstance(verb, str) else ""
