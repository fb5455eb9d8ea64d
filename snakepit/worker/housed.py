"""Owns giving a run its task's worktree, and telling in its result what became of it."""

from collections.abc import Callable
from dataclasses import replace

from snakepit.errors import SnakepitError
from snakepit.pool import workspace
from snakepit.pool.workspace import Workspace
from snakepit.store.base import Claim
from snakepit.worker.run import Run, Scene

REST = 60.0  # seconds before a repository that refused is tried again


def run_housed(scene: Scene, run: Callable[[Scene], Run]) -> Run:
    """In the folder itself where that is in no repository."""
    claim, place = scene.claim, scene.place
    try:
        at = workspace.prepare(scene.pit.config, claim, scene.agent, place.cwd)
    except SnakepitError as error:
        if claim.task.base:
            return Run(reason=f"{error.message}; {error.fix}", dead=True, folder=place.folder)
        return Run(stopped=error.message, rest_s=REST, folder=place.folder)
    if at is None:
        return run(scene)
    scene.screen.say(f"works in {at.top}, branch {at.branch}")
    return _with_news(at, claim, run(replace(scene, place=replace(place, cwd=at.cwd))))


def _with_news(at: Workspace, claim: Claim, run: Run) -> Run:
    if run.stopped or (run.outcome is not None and run.outcome.is_accounts):
        return run
    if run.reason:
        where = workspace.unfinished(at)
        return replace(run, reason=f"{run.reason}; {where}") if where else run
    try:
        news = workspace.finish(at, workspace.message(claim))
    except SnakepitError as error:
        news = f"The work is not committed: {error.message}. It lies in {at.top}"

    def accepted() -> None:
        if run.accepted is not None:
            run.accepted()
        workspace.forget(at)

    text = f"{run.text.rstrip()}\n\n{news}" if run.text.strip() else news
    return replace(run, text=text, accepted=accepted)
