"""Owns turning a backend's table and an agent into the argv of an interactive CLI; starts nothing.

`arg`: bin and flags are words, the prompt is the last of them. `exec`: bin is one whole shell line and
says itself where the prompt goes. `{session} {kickoff} {model} {name}` are filled in either.
"""

import os
import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from snakepit.errors import ConfigError

SHELL = "/bin/sh"
CONTINUE = "Continue where you left off: look at what you have claimed first, then go on."
WORKER = "worker"

_PLACEHOLDER = re.compile(r"(?<!\$)\{(session|kickoff|model|name)\}")
_OPERATORS = re.compile(r"[;&|<>()$`*?~\n]")
_ASSIGNS = re.compile(r"\s*\w+=")


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
    argv: tuple[str, ...]
    resumes: bool = False


def find_program(backend: Backend, path: str | None = None) -> str | None:
    """The program a session of this backend needs; None when it is not on the search path."""
    if backend.driver == WORKER or backend.prompt_delivery == "exec":
        return which("sh", path)
    if _OPERATORS.search(_unquoted(backend.bin)):
        return which("sh", path)
    words = [word for word in _words(backend) if not _ASSIGNS.match(word)]
    return which(words[0], path) if words else None


def which(program: str, path: str | None = None) -> str | None:
    """As shutil.which, without what that imports."""
    if os.sep in program:
        candidates = [os.path.expanduser(program)]
    else:
        folders = (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep)
        candidates = [os.path.join(folder or ".", program) for folder in folders]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def plan(
    backend: Backend, agent: Agent, *, session: str, kickoff: str, resume_id: str = ""
) -> LaunchPlan:
    """Fresh unless an id is known and both backend and agent want to resume."""
    resumes = bool(resume_id and backend.supports_resume and agent.resume)
    values = {
        "session": session,
        "kickoff": CONTINUE if resumes else kickoff,
        "model": agent.model,
        "name": agent.name,
    }
    if backend.prompt_delivery == "exec":
        return LaunchPlan(argv=(SHELL, "-c", fill_shell(backend.bin, values)))
    arguments = _arguments(backend, values, session, resume_id if resumes else "")
    if _ASSIGNS.match(backend.bin) or _OPERATORS.search(_unquoted(backend.bin)):
        line = f'{fill_shell(backend.bin, values)} "$@"'
        return LaunchPlan(argv=(SHELL, "-c", line, backend.name, *arguments), resumes=resumes)
    words = tuple(fill(word, values) for word in _words(backend))
    return LaunchPlan(argv=(*words, *arguments), resumes=resumes)


def _arguments(
    backend: Backend, values: Mapping[str, str], session: str, resume_id: str
) -> tuple[str, ...]:
    arguments = [fill(word, values) for word in shlex.split(backend.flags)]
    template = f"{backend.bin} {backend.flags}"
    if values["model"] and "{model}" not in template:
        arguments += ["--model", values["model"]]
    if resume_id:
        arguments += ["--resume", resume_id]
    if backend.remote_control:
        arguments += ["--remote-control", session]
    if values["kickoff"] and "{kickoff}" not in template:
        arguments.append(values["kickoff"])
    return tuple(arguments)


def _words(backend: Backend) -> list[str]:
    try:
        return shlex.split(backend.bin)
    except ValueError as error:
        msg = f"[backend.{backend.name}] bin = {backend.bin!r}: {error}"
        raise ConfigError(msg, fix="close the quotes") from error


def _unquoted(line: str) -> str:
    """The line without what stands in quotes or behind a backslash."""
    bare = re.sub(r"\\.|'[^']*'|\"(?:\\.|[^\"\\$`])*\"", "", line, flags=re.DOTALL)
    return _PLACEHOLDER.sub("", bare)


def fill(word: str, values: Mapping[str, str]) -> str:
    """Placeholders in one argument that no shell will see."""
    return _PLACEHOLDER.sub(lambda found: values[found[1]], word)


def fill_shell(line: str, values: Mapping[str, str]) -> str:
    """Placeholders in a shell line, escaped for the quotes they stand in: each stays one word or part.

    `${name}` is the shell's own and is left alone.
    """
    done: list[str] = []
    quotes = [""]  # innermost last: "" bare, ' or "; a substitution in double quotes is bare again
    at = 0
    while at < len(line):
        found = _PLACEHOLDER.match(line, at)
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
