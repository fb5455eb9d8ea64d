"""Owns feeding an interactive program by hand: a claim for it, a prompt that points to it, and what is on record.

Three steps, each on disk before the next begins: the claim, its delivery, its settlement, which is the agent's.
`<log_dir>/state/push/NAME.json` says how far it came. Nothing here settles but release, and what did not end.
"""

from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from snakepit import clock
from snakepit.pool.claim import claim_next, is_join
from snakepit.pool.deliver import Delivery, deliver
from snakepit.pool.settle import fail, release
from snakepit.pool.statefile import read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Agent, Config
    from snakepit.pool.context import Pit
    from snakepit.session.base import Host
    from snakepit.store.base import Claim, Life

COPY = "task.md"
SETTLE = (
    'Settle it with `snakepit done -m "what is different now"` (or a file, or the text on stdin), '
    '`snakepit split PART.md …` if it is too big, or `snakepit fail -m "why"` if it cannot be done'
)


class Step(StrEnum):
    """CLAIMING before anything is taken: whatever is found taken then was taken for nobody."""

    NONE = ""
    CLAIMING = "claiming"
    CLAIMED = "claimed"
    DELIVERED = "delivered"
    REMINDED = "reminded"


class Record(NamedTuple):
    step: Step = Step.NONE
    generation: str = ""
    task: str = ""
    attempt: int = 0
    claimed_at: float = 0.0
    mark: str = ""

    @property
    def has_receipt(self) -> bool:
        return self.step in (Step.DELIVERED, Step.REMINDED)


def record_path(config: "Config", worker: str) -> "Path":
    return config.state_dir / "push" / f"{worker}.json"


def load(config: "Config", worker: str) -> Record:
    found = read_state(record_path(config, worker))
    step, attempt, at = found.get("step"), found.get("attempt"), found.get("claimed_at")
    return Record(
        step=Step(step) if isinstance(step, str) and step in set(Step) else Step.NONE,
        generation=str(found.get("generation", "")),
        task=str(found.get("task", "")),
        attempt=attempt if isinstance(attempt, int) else 0,
        claimed_at=float(at) if isinstance(at, int | float) else 0.0,
        mark=str(found.get("mark", "")),
    )


def save(config: "Config", worker: str, record: Record) -> None:
    write_state(record_path(config, worker), record._asdict())


def push(pit: "Pit", host: "Host", agent: "Agent", life: "Life") -> Delivery | None:
    """Claim the next task for an idle program and tell it; None when nothing waits for it.

    What was not typed goes back as it was: another snake may take it.
    """
    config, name = pit.config, agent.name
    save(config, name, Record(step=Step.CLAIMING, generation=life.generation))
    claim = claim_next(pit, life, agent.diet)
    if claim is None:
        save(config, name, Record())
        return None
    record = Record(Step.CLAIMED, life.generation, claim.name, claim.attempt, clock.wall())
    save(config, name, record)
    done = deliver(
        pit,
        host,
        agent,
        _order(pit, claim),
        why="push",
        only_idle=True,
        again=True,
        task=claim.name,
    )
    if done.is_over:
        save(config, name, record._replace(step=Step.DELIVERED, mark=done.mark))
    else:
        release(pit, life, claim, f"not given to {name}: {done.reason}")
        save(config, name, Record())
    return done


def take_back(pit: "Pit", agent: "Agent", life: "Life", record: Record) -> list[str]:
    """Release what was claimed for a program that was never told of it; not counted."""
    taken = [
        claim
        for claim in pit.store.claims_of(life)
        if record.step is Step.CLAIMING or claim.name == record.task
    ]
    for claim in taken:
        release(pit, life, claim, f"{agent.name} was not told of it")
    save(pit.config, agent.name, Record())
    return [claim.name for claim in taken]


def remind(pit: "Pit", host: "Host", agent: "Agent", claim: "Claim", record: Record) -> bool:
    """Say once that its task is still open; False when that could not be said now."""
    text = f"Your task {claim.name} is still open. Go on with it, or settle it. {SETTLE}."
    done = deliver(
        pit, host, agent, text, why="reminder", only_idle=True, again=True, task=claim.name
    )
    if not done.is_over:
        return False
    save(pit.config, agent.name, record._replace(step=Step.REMINDED, mark=done.mark))
    pit.journal.append(
        "push.reminded", task=claim.name, worker=agent.name, generation=record.generation
    )
    return True


def give_up(pit: "Pit", agent: "Agent", life: "Life", claim: "Claim", reason: str) -> None:
    """A run that did not end, counted."""
    seconds = max(0.0, clock.wall() - load(pit.config, agent.name).claimed_at)
    fail(pit, life, claim, reason, seconds=seconds)
    save(pit.config, agent.name, Record())


def _order(pit: "Pit", claim: "Claim") -> str:
    copy = pit.store.waste_dir(claim.name, claim.attempt) / COPY
    copy.write_bytes(claim.text)
    joins = (
        " Its parts are done: `snakepit show NAME` tells what came of each; put them together."
        if is_join(claim)
        else ""
    )
    return (
        f"Your task is {claim.name}, attempt {claim.attempt}, claimed for you already. Read {copy} and do what "
        f"it says.{joins} {SETTLE}. Then end your turn: the next one is brought to you."
    )
