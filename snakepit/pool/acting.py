"""Owns for whom an agent's verb acts: one life that runs in another process, adopted for one call."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NamedTuple

from snakepit.core.names import task_name
from snakepit.errors import ClaimLost, NotFound, UsageProblem

if TYPE_CHECKING:
    from snakepit.core.order import Diet
    from snakepit.pool.context import Pit
    from snakepit.store.base import Claim, Life


class Acting(NamedTuple):
    """`task`: the one that is meant, "" where the only one held is."""

    pit: "Pit"
    life: "Life"
    task: str = ""

    @property
    def diet(self) -> "Diet":
        agent = self.pit.config.member_of(self.life.worker)
        if agent is None:
            msg = f"no snake {self.life.worker} in {self.pit.config.path}"
            raise NotFound(msg, fix="--config names another pit's file?")
        return agent.diet


def check_identity(worker: str, generation: str) -> None:
    if not worker or not generation:
        msg = "no snake to act for: SNAKEPIT_WORKER and SNAKEPIT_GENERATION are not set"
        raise UsageProblem(msg, fix="run it inside a snake, or give --worker and --generation")


@contextmanager
def acting_for(pit: "Pit", worker: str, generation: str, task: str = "") -> Iterator[Acting]:
    """ClaimLost where that life is over."""
    check_identity(worker, generation)
    life = pit.store.adopt(worker, generation)
    try:
        yield Acting(pit, life, task)
    finally:
        life.close()


def held_claim(acting: Acting) -> "Claim":
    """The claim to settle; ClaimLost when this life does not hold it."""
    life = acting.life
    held = acting.pit.store.claims_of(life)
    if acting.task:
        wanted = task_name(acting.task)
        mine = [c for c in held if c.name == wanted]
        if mine:
            return mine[0]
        places = [str(entry.path) for entry in acting.pit.store.locate(wanted)]
        where = f"it is {places[0]}" if places else "it is nowhere"
        msg = f"{life.worker} does not hold {wanted}; {where}"
        raise ClaimLost(msg, fix="stop working on it; agents.py claim")
    if len(held) == 1:
        return held[0]
    if not held:
        msg = f"{life.worker} holds nothing: it was settled already, or never claimed"
        raise ClaimLost(msg, fix="agents.py claim")
    names = ", ".join(c.name for c in held)
    msg = f"{life.worker} holds {len(held)} tasks: {names}"
    raise UsageProblem(msg, fix="say which with --task NAME")
