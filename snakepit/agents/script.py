"""Owns running a task's own code: block after block, one tree, one output, one timeout; settles nothing.

A block is a file that its interpreter gets as its only argument. Output is masked before it reaches pane
or disk.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from snakepit.agents.output import Mask, Output, Screen
from snakepit.agents.running import Attention, Running, ended
from snakepit.core.duration import format_duration
from snakepit.core.fences import Block, run_blocks
from snakepit.errors import AgentError

BASH = (("bash",), ".sh")
SH = (("sh",), ".sh")
PYTHON = (("python3", "-u"), ".py")  # unbuffered: what was said before a timeout is kept
INTERPRETERS = {
    "bash": BASH,
    "sh": SH,
    "shell": SH,
    "python": PYTHON,
    "python3": PYTHON,
    "py": PYTHON,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Blocks are named by number and by line of the body: the pit edits the header above it."""

    blocks: tuple[Block, ...]
    env: Mapping[str, str]
    cwd: Path
    folder: Path
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`reason` is empty when all went well. `stopped` is the word that ended it, if one did."""

    text: str
    reason: str = ""
    stopped: str = ""


def blocks_of(body: str, *, is_script: bool) -> tuple[Block, ...]:
    """What of a task is code to run; AgentError when nothing is, or in a language unknown here."""
    marked = run_blocks(body)
    unknown = next((block for block in marked if block.language not in INTERPRETERS), None)
    if unknown is not None:
        known = ", ".join(sorted(INTERPRETERS))
        msg = f"line {unknown.line} of the text: no interpreter for `{unknown.language} run`"
        raise AgentError(msg, fix=f"use one of {known}")
    if marked or not is_script:
        found = marked
    else:
        every = run_blocks(body, all_blocks=True)
        found = tuple(block for block in every if block.language in INTERPRETERS)
    if not found:
        msg = "there is no code block to run"
        raise AgentError(msg, fix="mark one: ```bash run")
    return found


def run(
    job: Job,
    *,
    mask: Mask,
    screen: Screen,
    attention: Attention,
    end_rest: Callable[[], bool],
) -> Outcome:
    """`end_rest` ends all that runs below this process and says whether nothing is left."""
    with (
        Output(job.folder / "output.log", mask, screen) as output,
        Running(
            output,
            env=job.env,
            cwd=job.cwd,
            timeout_s=job.timeout_s,
            attention=attention,
            end_rest=end_rest,
        ) as running,
    ):
        reason, stopped = _blocks(job, output, running)
    return Outcome(text=output.text(), reason=reason, stopped=stopped)


def _blocks(job: Job, output: Output, running: Running) -> tuple[str, str]:
    """Why it failed, and the word that ended it; both empty when all went well."""
    for number, block in enumerate(job.blocks, 1):
        name = f"block {number} ({block.language}, line {block.line} of the text)"
        ending = running.run(_argv(job, block, number))
        if isinstance(ending, str):
            return f"{name}: {ending}", ""
        if ending.stopped:
            return "", ending.stopped
        if ending.is_late:
            return f"timed out after {format_duration(job.timeout_s)} in {name}", ""
        if ending.code:
            running.pump()
            words = output.last_line()
            return f"{name} {ended(ending.code)}{f': {words}' if words else ''}", ""
    return "", ""


def _argv(job: Job, block: Block, number: int) -> list[str]:
    program, suffix = INTERPRETERS[block.language]
    path = job.folder / f"block-{number}{suffix}"
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(block.code.encode("utf-8", "surrogateescape"))
    return [*program, str(path)]
