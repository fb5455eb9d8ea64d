"""Owns following one task to its end, whatever happens to it on the way; it changes nothing."""

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.header import split
from snakepit.core.lifecycle import State
from snakepit.core.result import result_of
from snakepit.errors import NotFound, TaskError
from snakepit.store.layout import FOLDER
from snakepit.store.reader import read_task

if TYPE_CHECKING:
    from snakepit.pool.context import Pit

LOOK_S = 0.05
LOST_AFTER_S = 5.0
NOTE_SUFFIX = ".why.md"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ending:
    """How a task ended: `text` is its result, or the reason why there is none."""

    name: str
    state: State
    path: Path
    text: str

    @property
    def is_done(self) -> bool:
        return self.state is State.DONE


class _Trail:
    """The names that a task may bear at its end, by what the journal says since it was fed."""

    def __init__(self, pit: "Pit", name: str) -> None:
        self._pit = pit
        self._since = 0
        last = pit.journal.tail(1)
        if last and last[0].seq:
            self._since = last[0].seq
        self.name = name

    def look(self) -> None:
        for event in self._pit.journal.read(self._since):
            self._since = event.seq or self._since
            renamed = event.type in ("task.renamed", "task.refused", "task.cancelled")
            if renamed and event.task and event.data.get("was") == self.name:
                self.name = event.task


def follow(
    pit: "Pit",
    name: str,
    *,
    seconds: float | None = None,
    notice: Callable[[str], None] = lambda _: None,
) -> Ending | None:
    """Wait for the end of a task that was fed; None when `seconds` pass first. NotFound: it is gone.

    `notice` is told once for each new reason why the task waits.
    """
    trail = _Trail(pit, name)
    pause = threading.Event()
    began = seen = clock.monotonic()
    told = ""
    looks = 0
    while True:
        ending = ended(pit, trail.name)
        if ending is not None:
            return ending
        now = clock.monotonic()
        if looks % 20 == 19:
            if pit.store.locate(trail.name):
                seen = now
            else:
                trail.look()
            if now - seen > LOST_AFTER_S:
                msg = f"{trail.name} is nowhere in the pit any more: somebody removed it"
                raise NotFound(msg, fix="agents.py events shows what happened")
            reason = pit.store.held().get(trail.name, "")
            if reason and reason != told:
                notice(reason)
                told = reason
        if seconds is not None and now - began > seconds:
            return None
        looks += 1
        pause.wait(LOOK_S)


def ended(pit: "Pit", name: str) -> Ending | None:
    """Its end, when it lies in done/ or scraps/."""
    for state in (State.DONE, State.DEAD):
        path = pit.config.pit_dir / FOLDER[state] / name
        try:
            if path.is_symlink() or not path.is_file():
                continue
            data = path.read_bytes()
        except OSError:
            continue
        text = result_of(data) if state is State.DONE else reason_of(name, data, path)
        return Ending(name=name, state=state, path=path, text=text)
    return None


def reason_of(name: str, data: bytes, path: Path) -> str:
    """Why it is in scraps/: its own header, else the note beside it."""
    try:
        reason = read_task(name, data).reason
    except TaskError:
        reason = None
    if reason:
        return reason
    note = path.with_name(path.name.removesuffix(".md") + NOTE_SUFFIX)
    if not note.is_file():
        return "no reason was written"
    return split(note.read_bytes())[1].decode(errors="replace").strip()
