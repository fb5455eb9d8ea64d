"""Owns how a mistake in agents.toml is told: table, key, line, what is wrong, the likely word."""

from collections.abc import Iterable
from typing import NamedTuple

from snakepit.errors import ConfigError

FROM_ENVIRONMENT = "SNAKEPIT_SET_"

Place = tuple[str | int, ...]


class Problem(NamedTuple):
    """`line` counts from 1, 0 where none can be named; `table` may be a variable's name."""

    table: str
    key: str
    message: str
    line: int = 0

    def __str__(self) -> str:
        head = f"line {self.line}: " if self.line else ""
        place = " ".join(part for part in (self.table, self.key) if part)
        return f"{head}{place}: {self.message}" if place else f"{head}{self.message}"


class Finding(NamedTuple):
    """A problem whose line is not looked up yet; an empty place has none."""

    place: Place
    problem: Problem


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """`; did you mean "x"?`, or nothing."""
    import difflib

    near = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return f'; did you mean "{near[0]}"?' if near else ""


def as_error(path: object, problems: tuple[Problem, ...]) -> ConfigError:
    count = f"{len(problems)} problem{'s' if len(problems) > 1 else ''}"
    lines = "\n".join(f"  {problem}" for problem in problems)
    variables = [p.table for p in problems if p.table.startswith(FROM_ENVIRONMENT)]
    names = ", ".join(dict.fromkeys(variables))
    outside = f"change or unset {names} in the environment"
    if len(variables) == len(problems):
        fix = f"{outside}; docs/configuration.md lists every key"
        return ConfigError(f"the environment beside {path} has {count}:\n{lines}", fix=fix)
    fix = "edit that file; docs/configuration.md lists every key, `agents.py check` tries again"
    return ConfigError(f"{path} has {count}:\n{lines}", fix=f"{outside}; {fix}" if names else fix)
