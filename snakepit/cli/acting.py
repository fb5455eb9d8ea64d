"""Owns for whom an agent's verb acts: the life that its environment names, adopted for one call."""

import functools
import os
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

import click

from snakepit.cli.options import Invocation, verb_options
from snakepit.core.names import task_name
from snakepit.errors import ClaimLost, NotFound, UsageProblem

if TYPE_CHECKING:
    from snakepit.core.order import Diet
    from snakepit.pool.context import Pit
    from snakepit.store.base import Claim, Life


class Acting(NamedTuple):
    """The life this verb acts for; `task` is "" where the environment names none."""

    call: Invocation
    pit: "Pit"
    life: "Life"
    task: str


def agent_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the identity options and pass an `Acting` first; the life is adopted for the call only."""

    @functools.wraps(function)
    def run(
        call: Invocation, /, *, worker: str, generation: str, task: str, **rest: object
    ) -> None:
        if not worker or not generation:
            msg = "no snake to act for: SNAKEPIT_WORKER and SNAKEPIT_GENERATION are not set"
            raise UsageProblem(msg, fix="run it inside a snake, or give --worker and --generation")
        pit = call.open(as_agent=True)
        life = pit.store.adopt(worker, generation)
        try:
            function(Acting(call, pit, life, task), **rest)
        finally:
            life.close()

    wrapped = verb_options(run)
    for name, variable, text in (
        ("--task", "SNAKEPIT_TASK", "The claimed task."),
        ("--generation", "SNAKEPIT_GENERATION", "The life that holds it."),
        ("--worker", "SNAKEPIT_WORKER", "The snake that holds it."),
    ):
        wrapped = click.option(
            name,
            default=functools.partial(os.environ.get, variable, ""),
            help=f"{text} [${variable}]",
        )(wrapped)
    return wrapped


def diet_of(acting: Acting) -> "Diet":
    agent = acting.pit.config.member_of(acting.life.worker)
    if agent is None:
        msg = f"no snake {acting.life.worker} in {acting.pit.config.path}"
        raise NotFound(msg, fix="--config names another pit's file?")
    return agent.diet


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
