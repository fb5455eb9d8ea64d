"""Owns one run of an agent program on one task, without a person: what it is asked, what came of it.

It settles nothing. The program gets a copy of its task, never the path in claimed/; how it ended is read
from its structured output. A run that was cut off is taken up in the same conversation by the next one.
"""

import os
import uuid
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.agents.given import Given
from snakepit.agents.output import RESULT_LIMIT, Output
from snakepit.agents.running import Ending, Running
from snakepit.agents.streamed import Streamed
from snakepit.agents.taskplan import Asked, TaskPlan, plan
from snakepit.core import outcome
from snakepit.core.duration import format_duration
from snakepit.core.header import split
from snakepit.core.outcome import Outcome
from snakepit.core.redact import Redactor
from snakepit.core.stream import Reader, fold
from snakepit.pool.environment import passed
from snakepit.pool.equip import equip
from snakepit.pool.hooks import Hooks
from snakepit.pool.role import role_of
from snakepit.session.masking import MaskingStream
from snakepit.worker.earlier import Earlier, earlier_run, fingerprint, note_run
from snakepit.worker.run import Run, Scene

if TYPE_CHECKING:
    pass

CONFIG_REST = 300.0  # seconds before a program that cannot be run like this is tried again
QUICK = 20.0  # seconds; a conversation that cannot be taken up says so at once
PROMPT = """\
{role}

Your task is the text below (a copy: {copy}). You work alone in {cwd}: nobody watches and nobody answers, so decide, \
act, and check what you did. Your last message becomes the task's result: say what you did, in which files, how you \
checked it and what is left. Files that belong to the result but not into the folder go to $SNAKEPIT_ARTEFACTS. \
If the task is too big, hand in its parts with `snakepit split PART.md …`; if it cannot be done: \
`snakepit fail -m REASON`.

---

{body}
"""
AGAIN = """\
You were cut off while you worked on this task; this is attempt {attempt}. What was running then has an unknown \
outcome: look before you repeat it. Go on from there to the end. The task again is in {copy}; your last message \
becomes its result.
"""


def run_task(scene: Scene) -> Run:
    place, agent = scene.place, scene.agent
    if not place.cwd.is_dir():
        return Run(reason=f"dir: {place.cwd} is no folder", folder=place.folder)
    scene.kept.mkdir(mode=0o700)
    write_private(place.folder / "task.md", scene.claim.text)
    mark = fingerprint(scene.claim, place.cwd, agent.backend)
    before = earlier_run(place.folder, mark) if agent.resume else None
    began = clock.monotonic()
    ended, stopped = _once(scene, mark, before, part="")
    is_lost = before is not None and not (ended.is_ok or stopped or ended.is_accounts)
    if is_lost and clock.monotonic() - began < QUICK and not ended.usage.output:
        scene.screen.say("its conversation cannot be taken up; beginning a new one")
        ended, stopped = _once(scene, mark, None, part="-2")
    scene.keep_artefacts()
    return _run_of(scene, ended, stopped)


def _run_of(scene: Scene, ended: Outcome, stopped: str) -> Run:
    folder = scene.place.folder
    if not stopped and ended.kind == outcome.CONFIG:
        stopped = f"{scene.agent.backend} cannot be run like this: {ended.reason}"
    return Run(
        text=ended.text,
        reason="" if ended.is_ok or stopped else ended.reason or ended.kind,
        stopped=stopped,
        keep=scene.keep(),
        logs=str(folder / "output.log"),
        folder=folder,
        outcome=ended,
        rest_s=CONFIG_REST if ended.kind == outcome.CONFIG else 0.0,
    )


def _once(scene: Scene, mark: str, before: Earlier | None, *, part: str) -> tuple[Outcome, str]:
    """One start of the program: how it ended, and the word that stopped it."""
    run = scene.backend.task
    if run is None:
        reason = f"[backend.{scene.backend.name}] has no [task]: it cannot be run once per task"
        return Outcome(kind=outcome.CONFIG, reason=reason), ""
    folder = scene.place.folder
    session_id = before.session_id if before else str(uuid.uuid4()) if run.is_fresh_id else ""
    prompt = _prompt(scene, before)
    file = folder / f"prompt{part}.md"
    write_private(file, prompt.encode("utf-8", "surrogateescape"))
    model = scene.claim.task.model or scene.agent.model
    asked = Asked(
        prompt=prompt,
        prompt_file=file,
        folder=folder,
        model=model,
        session_id=session_id,
        resumes=before is not None,
    )
    note_run(folder, mark, session_id)
    reader = fold(run.stream, form=run.format)
    given = _equipped(scene)
    command = plan(scene.backend.bin, run, asked, more=given.argv)
    command = replace(command, env={**given.env, **command.env})
    ending, errors = _follow(scene, command, reader, part)
    Hooks(scene.pit).collect(scene.agent.name)
    ended = _outcome(scene, ending, reader, errors)
    note_run(folder, mark, ended.session_id or session_id, kind=ended.kind)
    ended = _masked(ended, scene.secrets)
    ended = ended._replace(text=_bounded(ended.text, folder / f"stream{part}.jsonl"))
    return ended, ending.stopped if isinstance(ending, Ending) else ""


def _equipped(scene: Scene) -> Given:
    """Its hooks and our MCP server; it runs without them where they cannot be written."""
    try:
        return equip(scene.pit.config, scene.agent, scene.place.folder / "given", scene.identity)
    except OSError as error:
        scene.screen.say(f"no hooks and no MCP server: {error}")
        return Given()


def _follow(scene: Scene, command: TaskPlan, reader: Reader, part: str) -> tuple[Ending | str, str]:
    folder = scene.place.folder
    env = {
        **scene.place.env,
        **passed(os.environ, (*scene.backend.env_pass, *scene.agent.env_pass)),
        **command.env,
        **scene.agent.env,
        **scene.identity,
    }
    with (
        Output(folder / f"output{part}.log", MaskingStream(scene.secrets), scene.screen) as shown,
        Output(folder / f"errors{part}.log", MaskingStream(scene.secrets), scene.screen) as errors,
    ):
        stream = Streamed(
            folder / f"stream{part}.jsonl", reader, shown, MaskingStream(scene.secrets)
        )
        try:
            with Running(
                stream,
                errors,
                env=env,
                cwd=scene.place.cwd,
                timeout_s=scene.timeout_s,
                attention=scene.attention,
                end_rest=scene.end_rest,
            ) as running:
                ending = running.run(command.argv, stdin=command.stdin)
        finally:
            stream.close()
        return ending, errors.text()


def _outcome(scene: Scene, ending: Ending | str, reader: Reader, errors: str) -> Outcome:
    if isinstance(ending, str):
        return Outcome(kind=outcome.CONFIG, reason=ending)
    ended = reader.outcome(
        ending.code,
        errors,
        trouble=scene.backend.trouble,
        now=clock.wall(),
        zone_of=clock.zone,
    )
    if ending.stopped:
        return ended._replace(kind=outcome.INTERRUPTED)
    if ending.is_late:
        allowed = format_duration(scene.timeout_s)
        return ended._replace(kind=outcome.TIMEOUT, reason=f"timed out after {allowed}")
    return ended


def _prompt(scene: Scene, before: Earlier | None) -> str:
    copy = scene.place.folder / "task.md"
    if before is not None:
        return AGAIN.format(attempt=scene.claim.attempt, copy=copy)
    body = split(scene.claim.text)[1].decode("utf-8", "replace")
    title = scene.claim.task.title
    name = scene.agent.name
    values = {
        "role": role_of(scene.agent) or f"You are {name}, a coding agent.",
        "copy": copy,
        "cwd": scene.place.cwd,
        "body": f"# {title}\n\n{body}" if title else body,
    }
    return PROMPT.format(**values)


def _bounded(text: str, rest: Path) -> str:
    """An answer without an end is no result; its end is the most telling part."""
    if len(text) <= RESULT_LIMIT:
        return text
    left_out = len(text) - RESULT_LIMIT
    return f"(the first {left_out:,} characters are only in {rest})\n\n{text[-RESULT_LIMIT:]}"


def _masked(ended: Outcome, secrets: Iterable[str]) -> Outcome:
    clean = Redactor(secrets).clean
    return ended._replace(text=clean(ended.text), reason=clean(ended.reason))


def write_private(path: Path, data: bytes) -> None:
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(data)
