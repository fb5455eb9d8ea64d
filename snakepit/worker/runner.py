"""Owns what runs a claimed task: its own code, an agent program, or our own agent; it settles nothing."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from snakepit.config.model import CONVERSATION, TASK, WORKTREE
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
    """By what the worker's backend says, in the task's own worktree where it wants one."""
    agent = pit.config.member_of(claim.worker)
    runner = pit.config.runner_of(agent) if agent is not None else ""
    how = {
        "screen": screen,
        "attention": attention,
        "end_rest": end_rest,
        "secrets": secrets,
    }

    def run(place: "Place") -> "Run":
        if runner == CONVERSATION:
            from snakepit.worker import conversed

            return conversed.run(pit, life, claim, place, **how)  # type: ignore[arg-type]
        if runner == TASK:
            from snakepit.worker.tasked import run_task

            return run_task(pit, claim, place, **how)  # type: ignore[arg-type]
        from snakepit.worker.scripted import run_script

        return run_script(pit, claim, place, **how)  # type: ignore[arg-type]

    if agent is not None and (claim.task.workspace or agent.workspace) == WORKTREE:
        from snakepit.worker.housed import run_housed

        return run_housed(pit, claim, agent, place, screen, run)
    return run(place)
