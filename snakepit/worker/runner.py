"""Owns what runs a claimed task: its own code, an agent program, or our own agent; it settles nothing."""

from snakepit.config.model import CONVERSATION, TASK, WORKTREE
from snakepit.worker.run import Run, Scene


def run_claim(scene: Scene) -> Run:
    """By what the worker's backend says, in the task's own worktree where it wants one."""
    if (scene.claim.task.workspace or scene.agent.workspace) == WORKTREE:
        from snakepit.worker.housed import run_housed

        return run_housed(scene, _run)
    return _run(scene)


def _run(scene: Scene) -> Run:
    runner = scene.pit.config.runner_of(scene.agent)
    if runner == CONVERSATION:
        from snakepit.worker import conversed

        return conversed.run(scene)
    if runner == TASK:
        from snakepit.worker.tasked import run_task

        return run_task(scene)
    from snakepit.worker.scripted import run_script

    return run_script(scene)
