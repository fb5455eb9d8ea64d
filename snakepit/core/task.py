"""Owns what a task is and how its front matter becomes one; it reads no file and parses no YAML."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from snakepit.core.duration import parse_duration
from snakepit.core.fences import run_blocks
from snakepit.core.names import problem_with, stem, task_name, worker_problem
from snakepit.errors import TaskError

NORMAL = 5
PRIORITIES = {"high": 2, "normal": NORMAL, "low": 8}
MOST_ATTEMPTS = 1000
SCRIPT = "script"  # the species whose tasks run every block, marked or not
NOTHING: Mapping[str, object] = {}

_SPECIES = re.compile(r"[a-z0-9][a-z0-9_-]{0,39}")
_WHAT = {bool: "true or false", int: "a number", float: "a number", list: "a list", dict: "a table"}


class Task(NamedTuple):
    """`attempts` is its author's limit, `attempt` how many runs were counted; unix seconds."""

    name: str
    id: str | None = None
    title: str = ""
    priority: int = NORMAL
    species: str | None = None
    big: bool = False
    labels: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    not_before: float | None = None
    timeout_s: float | None = None
    attempts: int | None = None
    attempt: int = 0
    model: str | None = None
    dir: str | None = None
    workspace: str | None = None
    base: str | None = None
    artefacts: tuple[str, ...] = ()
    parent: str | None = None
    parts: tuple[str, ...] = ()
    join: bool = False
    reason: str | None = None
    by: str | None = None
    to: str | None = None
    allowed: bool = False
    runs: bool = False
    extra: Mapping[str, object] = NOTHING

    @property
    def kind(self) -> str:
        """The species that takes it: the one it names, else what its text asks for."""
        if self.species is not None:
            return self.species
        return SCRIPT if self.runs else "planner" if self.big else "worker"


def make_task(name: str, header: Mapping[str, object], body: str) -> Task:
    """Raises TaskError naming the key; unknown keys are kept in `extra`."""
    known: dict[str, object] = {}
    extra: dict[str, object] = {}
    for key, value in header.items():
        read = _READERS.get(key)
        if read is None:
            extra[key] = value
        elif value is not None or read is _absent:
            known[_FIELDS.get(key, key)] = read(key, value)
    if "title" not in known:
        known["title"] = _heading(body) or stem(name)
    runs = bool(run_blocks(body, all_blocks=known.get("species") == SCRIPT))
    return Task(name=name, runs=runs, extra=extra or NOTHING, **known)  # type: ignore[arg-type]


def _heading(body: str) -> str:
    start = body.lstrip()[:400]
    if not start.startswith("#"):
        return ""
    line = start.split("\n", 1)[0].strip("# \t\r")
    return line if line.isprintable() else "".join(filter(str.isprintable, line))


def _wrong(key: str, value: object, wanted: str, example: str) -> TaskError:
    shown = repr(value) if not isinstance(value, list | dict) else _WHAT[type(value)]
    message = f"`{key}` must be {wanted}, not {shown[:80]}"
    return TaskError(message, key=key, fix=f"write for example `{key}: {example}`")


def _text(key: str, value: object) -> str:
    if isinstance(value, str) and value.strip():
        return value
    quoted = f'"{value}"' if isinstance(value, int | float) else "some words"
    raise _wrong(key, value, "text", quoted)


def _line(key: str, value: object) -> str:
    text = _text(key, value)
    if not text.isprintable():
        raise _wrong(key, value, "one line of text without control characters", "some words")
    return text


def _word(key: str, value: object) -> str:
    """It becomes an argument of a program, and must not be an option there."""
    text = _line(key, value)
    if text.startswith("-"):
        raise _wrong(key, value, "a name that does not begin with a dash", "sonnet")
    return text


def _texts(key: str, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        value = [item.strip() for item in value.split(",")]
    if not isinstance(value, list):
        raise _wrong(key, value, "a list of words", "[one, two]")
    for item in value:
        if not isinstance(item, str) or not item.strip() or not item.isprintable():
            raise _wrong(key, item, "a list of words", "[one, two]")
    return tuple(value)


def _flag(key: str, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise _wrong(key, value, "true or false", "true")


def _priority(key: str, value: object) -> int:
    number = PRIORITIES.get(value.lower(), -1) if isinstance(value, str) else value
    if isinstance(number, int) and not isinstance(number, bool) and 0 <= number <= 9:
        return number
    raise _wrong(key, value, "0 (first) to 9 (last), high, normal or low", "high")


def _limit(key: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= MOST_ATTEMPTS:
        return value
    raise _wrong(key, value, f"a number of runs, 1 to {MOST_ATTEMPTS}", "3")


def _counter(key: str, value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10**9:
        return value
    raise _wrong(key, value, "a count (the pit writes it)", "0")


def _timeout(key: str, value: object) -> float:
    try:
        seconds = parse_duration(value)  # type: ignore[arg-type]
    except ValueError:
        seconds = 0.0
    if seconds <= 0:
        raise _wrong(key, value, "a duration like 90s, 30m or 2h", "30m")
    return seconds


def _moment(key: str, value: object) -> float:
    """Unix seconds; a time without zone is the machine's local time."""
    try:
        return datetime.fromisoformat(value.strip()).timestamp()  # type: ignore[attr-defined]
    except (AttributeError, ValueError, OverflowError, OSError):
        raise _wrong(key, value, "a time (RFC 3339)", "2026-11-21T09:00") from None


def _species(key: str, value: object) -> str:
    if isinstance(value, str) and _SPECIES.fullmatch(value):
        return value
    raise _wrong(key, value, "the name of a species (a-z, 0-9, - and _)", "worker")


def _workspace(key: str, value: object) -> str:
    if value in ("worktree", "shared"):
        return str(value)
    raise _wrong(key, value, "worktree or shared", "worktree")


def _worker(key: str, value: object) -> str:
    if isinstance(value, str) and worker_problem(value) is None:
        return value
    raise _wrong(key, value, "the name of one worker", "snake-1")


def _tasks(key: str, value: object) -> tuple[str, ...]:
    return tuple(_task(key, item) for item in _texts(key, value))


def _task(key: str, value: object) -> str:
    name = task_name(_line(key, value))
    problem = problem_with(name)
    if problem:
        raise _wrong(key, value, f"the name of a task ({problem})", "other-task.md")
    return name


def _absent(key: str, value: object) -> object:
    message = f"`{key}` is not understood by this version, and ignoring it would be wrong"
    raise TaskError(message, key=key, fix=f"remove `{key}:` and retry the task")


_FIELDS = {"timeout": "timeout_s"}
_READERS: Mapping[str, Callable[[str, object], object]] = {
    "id": _line,
    "title": _line,
    "priority": _priority,
    "species": _species,
    "big": _flag,
    "labels": _texts,
    "needs": _tasks,
    "not_before": _moment,
    "timeout": _timeout,
    "attempts": _limit,
    "attempt": _counter,
    "model": _word,
    "dir": _line,
    "workspace": _workspace,
    "base": _line,
    "artefacts": _texts,
    "parent": _task,
    "parts": _tasks,
    "join": _flag,
    "reason": _text,
    "by": _line,
    "to": _worker,
    "allowed": _flag,
    **dict.fromkeys(("check", "budget", "repo"), _absent),
}
KNOWN_KEYS = frozenset(_READERS)
