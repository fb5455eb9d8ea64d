"""Owns what every kind of run has in common: what it is about, where it happens, what came of it."""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.core.outcome import Outcome
from snakepit.pool.claim import is_join
from snakepit.pool.context import Pit
from snakepit.pool.environment import plain
from snakepit.store.base import Claim, Life
from snakepit.worker.attention import Attention
from snakepit.worker.identity import SESSION, identity, with_own_command
from snakepit.worker.screen import Screen

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Backend

KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run happens: its waste folder, its working folder, its environment without identity."""

    folder: Path
    cwd: Path
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`reason` is empty when it went well; `dead`: another try would end the same way. `outcome` is what an
    agent program told: where that ended for its account's sake, the task goes back uncounted. `rest_s`: seconds
    without claims after the task went back. `is_settled`: the run did that. `accepted` is called once the pit has it.
    """

    text: str = ""
    reason: str = ""
    stopped: str = ""
    dead: bool = False
    keep: Path | None = None
    logs: str = ""
    folder: Path | None = None
    outcome: Outcome | None = None
    rest_s: float = 0.0
    is_settled: bool = False
    accepted: Callable[[], None] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One run of one claimed task. `end_rest` ends what it left behind; `secrets` are masked."""

    pit: Pit
    life: Life
    claim: Claim
    agent: "Agent"
    place: Place
    screen: Screen
    attention: Attention
    end_rest: Callable[[], bool]
    secrets: tuple[str, ...] = ()

    @property
    def backend(self) -> "Backend":
        return self.pit.config.backend_of(self.agent)

    @property
    def kept(self) -> Path:
        """What is to be kept beside the result; whoever runs makes the folder."""
        return self.place.folder / KEEP

    @property
    def timeout_s(self) -> float:
        return self.claim.task.timeout_s or self.pit.config.pit.timeout_s

    @property
    def identity(self) -> dict[str, str]:
        """The variables that tell a run who it is and which task it is for."""
        own = {
            **identity(self.pit.config, self.claim.worker, self.claim.generation),
            "SNAKEPIT_TASK": self.claim.name,
            "SNAKEPIT_ATTEMPT": str(self.claim.attempt),
            "SNAKEPIT_ARTEFACTS": str(self.kept),
        }
        if is_join(self.claim):
            own["SNAKEPIT_JOIN"] = "1"
        session = os.environ.get(SESSION)
        return {**own, SESSION: session} if session else own

    def keep_artefacts(self) -> None:
        """What the task's `artefacts` name, copied beside the rest."""
        if not self.claim.task.artefacts:
            return
        from snakepit.agents.artefacts import keep

        for problem in keep(self.claim.task.artefacts, self.place.cwd, self.kept):
            self.screen.say(problem)

    def keep(self) -> Path | None:
        return self.kept if has_files(self.kept) else None


def has_files(folder: Path) -> bool:
    """A run may have removed its folder: then there is nothing to keep."""
    try:
        with os.scandir(folder) as entries:
            return any(entries)
    except (FileNotFoundError, NotADirectoryError):
        return False


def script_environment(own: Mapping[str, str]) -> dict[str, str]:
    """What a script task gets beside its identity: no key."""
    return with_own_command({**plain(os.environ), **own})
