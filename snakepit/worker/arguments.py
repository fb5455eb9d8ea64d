"""Owns the command line of the programs in a pane; argparse would cost each of them a megabyte."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from snakepit.errors import UsageProblem


@dataclass(frozen=True, slots=True, kw_only=True)
class Arguments:
    config: Path
    agent: str


def read_arguments(words: Sequence[str]) -> Arguments:
    found: dict[str, str] = {}
    rest = list(words)
    while rest:
        name, has_value, value = rest.pop(0).partition("=")
        if name not in ("--config", "--agent") or not (has_value or rest):
            msg = f"unknown or incomplete argument {name!r}"
            raise UsageProblem(msg, fix="--config FILE --agent NAME")
        found[name] = value if has_value else rest.pop(0)
    if len(found) < 2:
        msg = "both --config FILE and --agent NAME are needed"
        raise UsageProblem(msg, fix="agents.py up starts workers as they should be")
    return Arguments(config=Path(found["--config"]), agent=found["--agent"])
