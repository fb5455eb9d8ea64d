"""Owns what runs a claimed task: its own code, or our own agent; it settles nothing."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from snakepit.config.model import CONVERSATION
from snakepit.store.base import Claim, Life

if TYPE_CHECKING:
    from snakepit.pool.context import Pit
    from snakepit.worker.attention import Attention
    from snakepit.worker.screen import Screen
    from snakepit.worker.scripted import Place, Run


def run_claim(
    pit: "Pit",
    life: Life,
    claim: Claim,
    place: "Place",
    *,
    screen: "Screen",
    attention: "Attention",
    end_rest: Callable[[], bool],
    secrets: Iterable[str] = (),
) -> "Run":
    """By what the worker's backend says."""
    agent = pit.config.member_of(claim.worker)
    if agent is not None and pit.config.runner_of(agent) == CONVERSATION:
        from snakepit.worker import conversed

        return conversed.run(
            pit,
            life,
            claim,
            place,
            screen=screen,
            attention=attention,
            end_rest=end_rest,
            secrets=secrets,
        )
    from snakepit.worker.scripted import run_script

    return run_script(
        pit,
        claim,
        place,
        screen=screen,
        attention=attention,
        end_rest=end_rest,
        secrets=secrets,
    )
