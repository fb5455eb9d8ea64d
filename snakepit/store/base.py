"""Owns the contract that every store keeps: what a transition takes, returns, and when it is committed.

A transition is atomic: before its commit the task is where it was, after it where it goes, and no death of any
process at any instant leaves it in two places or in none. Execution is at least once, settlement exactly once.
A store writes no events; whoever calls it reports.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snakepit.core.lifecycle import State
from snakepit.core.task import Task

if TYPE_CHECKING:
    from snakepit.core.order import Diet

DEFAULT_ATTEMPTS = 3


class Verdict(StrEnum):
    """What is known of the process behind a folder; only DEAD is ever acted on."""

    ALIVE = "alive"
    DEAD = "dead"
    UNKNOWN = "unknown"
    BY_HAND = "hand"


@dataclass(frozen=True, slots=True, kw_only=True)
class LifeRecord:
    """One process with a random generation, as its `.worker.json` tells it. `start` is in kernel clock ticks."""

    worker: str
    generation: str
    pid: int = 0
    start: int = 0
    boot: str = ""
    pidns: str = ""
    host: str = ""
    session: str = ""
    guard: int = 0
    lock: bool = True
    verdict: Verdict = Verdict.UNKNOWN


EndLife = Callable[[LifeRecord], bool]


def nothing_to_end(_: LifeRecord) -> bool:
    """For lives that started no process of their own."""
    return True


class Claim(NamedTuple):
    """A task held by one life. `attempt` is the number of this run, from 1; `inode` is the claimed file's."""

    name: str
    task: Task
    text: bytes
    attempt: int
    worker: str
    generation: str
    inode: int = 0
    claimed_at_ns: int = 0
    by_verb: bool = False


class Settled(NamedTuple):
    """Where a claim ended. `by_hand`: its owner's agent had moved it already; `late`: it was no longer the owner's."""

    name: str
    state: State
    folder: Path | None = None
    attempt: int = 0
    late: bool = False
    by_hand: bool = False

    @property
    def path(self) -> Path | None:
        return None if self.folder is None else self.folder / self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    name: str
    text: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Recovered:
    """A task that a dead life left behind, and where it went. `attempt` is its counter afterwards."""

    name: str
    worker: str
    generation: str
    state: State
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of one state, as a listing saw it; it may have moved since. `ctime_ns` is when it came there."""

    name: str
    state: State
    path: Path
    worker: str | None = None
    size: int = 0
    ctime_ns: int = 0
    inode: int = 0
    in_hand: bool = False


class Life(ABC):
    """One life of one worker: the right to claim and to settle what it claimed, until `close`."""

    record: LifeRecord

    @property
    def worker(self) -> str:
        return self.record.worker

    @property
    def generation(self) -> str:
        return self.record.generation

    @abstractmethod
    def close(self) -> None:
        """Give the life up without releasing: what it still holds is recovered as a dead life's. Idempotent."""


class PitStore(ABC):
    """Every method may be called from any process at any time; none waits for a lock over 50 ms but `recover`."""

    @abstractmethod
    def publish(self, text: bytes, name: str) -> str:
        """Put a new task where workers find it; the name it got (`x~2.md` when `x.md` is taken). Durable."""

    @abstractmethod
    def open_worker(
        self,
        worker: str,
        *,
        session: str = "",
        lock: bool = True,
        guard: int = 0,
        end_life: EndLife = nothing_to_end,
    ) -> Life:
        """Begin a life. What a dead life of that name held is recovered first; WorkerNameTaken while one lives."""

    @abstractmethod
    def adopt(self, worker: str, generation: str) -> Life:
        """Act for a running life from another process; ClaimLost when that worker is of another generation."""

    @abstractmethod
    def claim(self, life: Life, diet: "Diet") -> Claim | None:
        """The first task in order that the diet allows, or None. Atomic; never lists the folder."""

    @abstractmethod
    def claim_name(self, life: Life, name: str) -> Claim:
        """That task and no other; NotFound when it does not wait."""

    @abstractmethod
    def claims_of(self, life: Life) -> list[Claim]:
        """What lies in the life's own folder, also what was put there by hand; each readable task of it."""

    @abstractmethod
    def wait(self, life: Life, seconds: float) -> bool:
        """Block until something new may wait, or the time is over (False)."""

    @abstractmethod
    def complete(
        self,
        claim: Claim,
        life: Life,
        result: str,
        *,
        seconds: float = 0.0,
        keep: Path | None = None,
    ) -> Settled:
        """Commit the result; exactly once. `keep` is a folder of artefacts that moves to `done/<name>/`.

        A claim that is no longer the life's: ClaimLost for a verb; otherwise the result is kept as late, or
        `by_hand` says that the agent had settled the task itself.
        """

    @abstractmethod
    def fail(
        self,
        claim: Claim,
        life: Life,
        reason: str,
        *,
        counted: bool = True,
        dead: bool = False,
        delay_s: float | None = None,
        logs: str = "",
    ) -> Settled:
        """Back to the queue with the reason, or to the dead letters when `dead` or the attempts are used up."""

    @abstractmethod
    def release(self, claim: Claim, life: Life) -> Settled:
        """Back to the queue as it was; one rename, not counted."""

    @abstractmethod
    def split(self, claim: Claim, life: Life, parts: Sequence[Part]) -> tuple[str, ...]:
        """Replace the task by its parts in one commit; the parent waits for them. The names the parts got."""

    @abstractmethod
    def recover(self, end_life: EndLife, *, counted: bool = True) -> list[Recovered] | None:
        """Give back what dead lives held; None when another process is at it. Killing it at any point is safe."""

    @abstractmethod
    def retry(self, name: str) -> str:
        """A dead letter back to the queue, attempt 0; the name it got."""

    @abstractmethod
    def cancel(self, name: str, reason: str) -> str:
        """A waiting task to the dead letters; the name it got. NotFound when it does not wait."""

    @abstractmethod
    def allow(self, name: str) -> str:
        """A task that waits for a person may run."""

    @abstractmethod
    def entries(self, state: State) -> Iterator[Entry]: ...

    @abstractmethod
    def locate(self, name: str) -> tuple[Entry, ...]:
        """Every place that has the name, in the order queue, claims, hands, done, dead; hands are seen too."""

    @abstractmethod
    def read(self, entry: Entry) -> bytes: ...

    @abstractmethod
    def counts(self) -> Mapping[State, int]: ...

    @abstractmethod
    def lives(self) -> list[LifeRecord]: ...

    @abstractmethod
    def held(self) -> Mapping[str, str]:
        """Waiting tasks that nobody may claim yet, and what each waits for."""

    @abstractmethod
    def waste_dir(self, name: str, attempt: int) -> Path:
        """A new private folder for what this run leaves; the next free number when that one exists."""

    @property
    @abstractmethod
    def paused(self) -> bool: ...

    @abstractmethod
    def set_paused(self, paused: bool) -> None: ...

    @abstractmethod
    def close(self) -> None: ...
