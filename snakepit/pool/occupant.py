"""Owns telling who would get what is typed into a pane: the agent's own program, or nobody we type to.

The guard of the pane is above it; when the program ends the guard ends, and the pane takes no key.
"""

import os
from typing import TYPE_CHECKING, NamedTuple

from snakepit.store.base import Verdict
from snakepit.system import process
from snakepit.system.search import program_of

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Backend
    from snakepit.pool.context import Pit
    from snakepit.session.base import Pane

COMM = 15  # characters the kernel keeps of a name
SHELLS = frozenset(("sh", "bash", "dash", "zsh", "fish", "ksh", "ash", "csh", "tcsh", "busybox"))


class Occupant(NamedTuple):
    """`pid` and `start` name one process for ever; `heads`: those of its group, one of them is the program."""

    pid: int
    start: int
    generation: str

    def is_there(self) -> bool:
        return process.is_running(self.pid, self.start)


def occupant(pit: "Pit", agent: "Agent", pane: "Pane") -> Occupant | str:
    """The agent's program in its pane, or why there is none to type to."""
    if pane.dead:
        return "its program has ended"
    life = next((life for life in pit.store.lives() if life.worker == agent.name), None)
    if life is None or life.verdict is not Verdict.ALIVE or life.lock:
        return "its program does not run"
    if not process.is_running(life.pid, life.start):
        return "its program has ended"
    if pane.pid not in _above(life.pid):
        return "the program of its life is not in its pane"
    backend = pit.config.backend_of(agent)
    group = [pid for pid in (life.pid, *process.descendants(life.pid)) if process.has_terminal(pid)]
    if not any(_is_program(pid, names_of(backend)) for pid in group):
        return "another program than its own reads the keys of its pane"
    if process.is_stopped(life.pid):
        return "its program is stopped"
    return Occupant(life.pid, life.start, life.generation)


def names_of(backend: "Backend") -> frozenset[str]:
    """What the processes of a backend's program may be called; never a shell."""
    names = {backend.process_name, os.path.basename(program_of(backend.bin))}
    return frozenset(name for name in names if name) - SHELLS


def _is_program(pid: int, names: frozenset[str]) -> bool:
    """By the kernel's name, by argv[0], or by the script that an interpreter runs."""
    argv = [os.path.basename(word) for word in process.command_of(pid)[:2]]
    name = process.name_of(pid)
    if name in SHELLS and not (len(argv) > 1 and argv[1] in names):
        return False
    return bool({name, *argv} & (names | {one[:COMM] for one in names}))


def _above(pid: int) -> set[int]:
    found = {pid}
    while (pid := process.parent_of(pid)) > 1 and pid not in found:
        found.add(pid)
    return found
