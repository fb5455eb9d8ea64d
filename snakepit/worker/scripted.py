"""Owns one run of one script task: what it gets and what came of it; settles nothing."""

from snakepit.agents import script
from snakepit.core.header import split
from snakepit.errors import AgentError
from snakepit.worker.run import Run, Scene


def run_script(scene: Scene) -> Run:
    from snakepit.session.masking import MaskingStream

    task, folder, cwd = scene.claim.task, scene.place.folder, scene.place.cwd
    body = split(scene.claim.text)[1].decode("utf-8", "replace")
    try:
        blocks = script.blocks_of(body, is_script=task.species == "script")
    except AgentError as error:
        return Run(reason=f"{error.message}; {error.fix}", dead=True, folder=folder)
    if not cwd.is_dir():
        return Run(reason=f"dir: {cwd} is no folder", folder=folder)
    scene.kept.mkdir(mode=0o700)
    job = script.Job(
        blocks=blocks,
        env={**scene.place.env, **scene.identity},
        cwd=cwd,
        folder=folder,
        timeout_s=scene.timeout_s,
    )
    outcome = script.run(
        job,
        mask=MaskingStream(scene.secrets),
        screen=scene.screen,
        attention=scene.attention,
        end_rest=scene.end_rest,
    )
    scene.keep_artefacts()
    return Run(
        text=outcome.text,
        reason=outcome.reason,
        stopped=outcome.stopped,
        keep=scene.keep(),
        logs=str(folder / "output.log"),
        folder=folder,
    )
