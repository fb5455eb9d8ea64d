"""Owns turning a backend's table and an agent into the argv of an interactive CLI; starts nothing.

`arg`: bin and flags are words, the prompt is the last of them. `exec`: bin is one whole shell line and
says itself where the prompt goes. `{session} {session_id} {kickoff} {model} {name}` are filled in either.
"""

import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from snakepit.errors import ConfigError
from snakepit.system.search import ASSIGNS, OPERATORS, PLACEHOLDER, program_of, unquoted, which

SHELL = "/bin/sh"
CONTINUE = "Continue where you left off: look at what you have claimed first, then go on."
WORKER = "worker"


class Start(Protocol):
    """What is read of `[backend.NAME.start]`."""

    @property
    def argv(self) -> Sequence[str]: ...
    @property
    def model(self) -> Sequence[str]: ...
    @property
    def fresh(self) -> Sequence[str]: ...
    @property
    def resume(self) -> Sequence[str]: ...
    @property
    def prompt(self) -> Sequence[str]: ...
    @property
    def remote_control(self) -> Sequence[str]: ...


class Backend(Protocol):
    """What is read of a `[backend.NAME]` table."""

    @property
    def name(self) -> str: ...
    @property
    def driver(self) -> str: ...
    @property
    def bin(self) -> str: ...
    @property
    def flags(self) -> str: ...
    @property
    def remote_control(self) -> bool: ...
    @property
    def supports_resume(self) -> bool: ...
    @property
    def prompt_delivery(self) -> str: ...
    @property
    def start(self) -> Start: ...


class Agent(Protocol):
    """What is read of an `[[agent]]`."""

    @property
    def name(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def resume(self) -> bool: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LaunchPlan:
    """`session_id`: the conversation's, where it is known before the start."""

    argv: tuple[str, ...]
    resumes: bool = False
    session_id: str = ""


def find_program(backend: Backend, path: str | None = None) -> str | None:
    """The program a session of this backend needs; None when it is not on the search path."""
    if not backend.bin or backend.prompt_delivery == "exec":
        return which("sh", path) if backend.bin or backend.driver == WORKER else None
    try:
        program = program_of(backend.bin)
    except ValueError as error:
        raise _unreadable(backend, error) from error
    return which(program, path) if program else None


def plan(
    backend: Backend,
    agent: Agent,
    *,
    session: str,
    kickoff: str,
    resume_id: str = "",
    fresh_id: str = "",
    more: Sequence[str] = (),
) -> LaunchPlan:
    """Fresh unless an id is known and both backend and agent want to resume.

    `fresh_id` names a fresh conversation, where the program lets us; `more` goes before the model.
    """
    resumes = bool(resume_id and backend.supports_resume and agent.resume)
    if backend.prompt_delivery == "exec" or not backend.start.fresh:
        fresh_id = ""
    values = {
        "session": session,
        "session_id": resume_id if resumes else fresh_id,
        "kickoff": CONTINUE if resumes else kickoff,
        "model": agent.model,
        "name": agent.name,
    }
    if backend.prompt_delivery == "exec":
        return LaunchPlan(argv=(SHELL, "-c", fill_shell(backend.bin, values)))
    arguments = _arguments(backend, values, more, resumes=resumes)
    if ASSIGNS.match(backend.bin) or OPERATORS.search(unquoted(backend.bin)):
        line = f'{fill_shell(backend.bin, values)} "$@"'
        argv = (SHELL, "-c", line, backend.name, *arguments)
    else:
        argv = (*(fill(word, values) for word in _words(backend)), *arguments)
    return LaunchPlan(argv=argv, resumes=resumes, session_id=values["session_id"])


def _arguments(
    backend: Backend, values: Mapping[str, str], more: Sequence[str], *, resumes: bool
) -> tuple[str, ...]:
    start = backend.start
    words = [*shlex.split(backend.flags), *start.argv]
    template = f"{backend.bin} {backend.flags}"
    found = [fill(word, values) for word in words] + list(more)
    last: list[str] = []
    if values["model"] and "{model}" not in template:
        last += start.model
    if backend.remote_control:
        last += start.remote_control
    if values["session_id"]:
        last += start.resume if resumes else start.fresh
    if values["kickoff"] and "{kickoff}" not in template:
        last += start.prompt
    return (*found, *(fill(word, values) for word in last))


def _words(backend: Backend) -> list[str]:
    try:
        return shlex.split(backend.bin)
    except ValueError as error:
        raise _unreadable(backend, error) from error


def _unreadable(backend: Backend, error: ValueError) -> ConfigError:
    msg = f"[backend.{backend.name}] bin = {backend.bin!r}: {error}"
    return ConfigError(msg, fix="close the quotes")


def fill(word: str, values: Mapping[str, str]) -> str:
    """Placeholders in one argument that no shell will see."""
    return PLACEHOLDER.sub(lambda found: values[found[1]], word)


def fill_shell(line: str, values: Mapping[str, str]) -> str:
    """Placeholders in a shell line, escaped for the quotes they stand in: each stays one word or part.

    `${name}` is the shell's own and is left alone.
    """
    done: list[str] = []
    quotes = [""]  # innermost last: "" bare, ' or "; a substitution in double quotes is bare again
    at = 0
    while at < len(line):
        found = PLACEHOLDER.match(line, at)
        if found:
            done.append(_escaped(values[found[1]], quotes[-1]))
            at = found.end()
            continue
        size = 2 if line[at] == "\\" and quotes[-1] != "'" else 1
        piece = line[at : at + size]
        if size == 1 and line.startswith("$(", at) and quotes[-1] != "'":
            piece = "$("
        _follow(piece, quotes)
        done.append(piece)
        at += len(piece)
    return "".join(done)


def _follow(piece: str, quotes: list[str]) -> None:
    """Change the stack of open quotes by what was just read."""
    inner = quotes[-1]
    if piece == "$(":
        quotes.append("")
    elif inner == "'":
        if piece == "'":
            quotes.pop()
    elif piece == inner == '"':
        quotes.pop()
    elif piece == '"' or (piece == "'" and not inner):
        quotes.append(piece)
    elif piece == "(" and not inner:
        quotes.append("")
    elif piece == ")" and not inner and len(quotes) > 1:
        quotes.pop()


def _escaped(value: str, inner: str) -> str:
    if inner == "'":
        return value.replace("'", "'\\''")
    if inner == '"':
        return re.sub(r'([\\"$`])', r"\\\1", value)
    return shlex.quote(value)
