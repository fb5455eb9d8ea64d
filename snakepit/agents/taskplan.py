"""Owns the command of one run per task: program, arguments, session id, where the prompt goes; starts nothing.

The words come from `[backend.NAME.task]`; a placeholder is filled in one argument and never again, so a
prompt may hold braces.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from snakepit.agents.launchplan import SHELL
from snakepit.system.search import ASSIGNS, OPERATORS, unquoted

STDIN = "stdin"
ARGUMENT_MOST = 100_000  # bytes; Linux refuses one argument above 128 KiB

_PLACE = re.compile(r"\{(\w+)\}")


class TaskRun(Protocol):
    """What is read of `[backend.NAME.task]`."""

    @property
    def argv(self) -> Sequence[str]: ...
    @property
    def prompt(self) -> str: ...
    @property
    def prompt_argv(self) -> Sequence[str]: ...
    @property
    def model(self) -> Sequence[str]: ...
    @property
    def fresh(self) -> Sequence[str]: ...
    @property
    def resume(self) -> Sequence[str]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def is_fresh_id(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskPlan:
    """`stdin`: the file that is the program's input, None for an empty one."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    stdin: Path | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One run. `session_id`: of the conversation that is resumed, or the one to give a fresh one, if any."""

    prompt: str
    prompt_file: Path
    folder: Path
    model: str = ""
    session_id: str = ""
    resumes: bool = False


def plan(program: str, run: TaskRun, asked: Asked, *, more: Sequence[str] = ()) -> TaskPlan:
    """`program` is the backend's `bin`, a word, words or a shell line; `more` goes before the model."""
    values = {
        "session_id": asked.session_id,
        "model": asked.model,
        "prompt": asked.prompt,
        "prompt_file": str(asked.prompt_file),
        "folder": str(asked.folder),
    }
    way = run.prompt
    if way == "arg" and len(asked.prompt.encode()) > ARGUMENT_MOST:
        values["prompt"] = (
            f"Read the file {asked.prompt_file}: it is your whole task. Carry it out."
        )
    words = [fill(word, values) for word in run.argv]
    words += more
    if asked.model:
        words += [fill(word, values) for word in run.model]
    session = run.resume if asked.resumes else run.fresh
    if asked.session_id or not any("{session_id}" in word for word in session):
        words += [fill(word, values) for word in session]
    if way != STDIN:
        words += [fill(word, values) for word in run.prompt_argv]
    return TaskPlan(
        argv=(*_program(program), *words),
        env={name: fill(value, values) for name, value in run.env.items()},
        stdin=asked.prompt_file if way == STDIN else None,
    )


def fill(word: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values.get(found[1], found[0]), word)


def _program(line: str) -> tuple[str, ...]:
    if ASSIGNS.match(line) or OPERATORS.search(unquoted(line)):
        return (SHELL, "-c", f'{line} "$@"', "snakepit")
    return tuple(shlex.split(line))
