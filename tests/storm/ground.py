"""Owns what all processes of a storm share: the pit and its config, the tasks, and what is noted of them."""

import os
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from snakepit.pool.applied import load_in_use
from snakepit.pool.context import Pit, open_context

ATTEMPTS = 4
SCRIPTED = ("w1", "w2", "w3", "w4", "w5")  # workers as `python -m snakepit.worker` makes them
PLAIN = ("w6", "w7", "w8")  # workers that claim, split, release and settle through the library
WORKERS = (*SCRIPTED, *PLAIN)

ENOUGH = "enough"  # the producer stops at the next task when this file is there
LEDGER = "ledger"  # of the producer
RUNS = "runs"  # one line for each run that began, one for each that may begin again uncounted
ACKS = "acks"  # one line for each event whose writer was told that it is written
WARNINGS = "warnings"
ESCAPED = "escaped"  # where a process that leaves its session and environment writes
CONFIG = """\
[defaults]
log_dir = "log"
backend = "script"
tmux_socket = "snakepit-test-{token}"

[pit]
path = "pit"
durable = "kill"
settle = 0
attempts = {attempts}
timeout = "60s"
"""
_NAME = re.compile(r"task-(\d{6})\.md")
_ESCAPER = f"setsid env -i PATH=\"$PATH\" sh -c 'while :; do date >> {ESCAPED}; sleep .1; done' &\n"
_EXTRAS = {
    2: "setsid sleep 300 &\n",
    4: '[ "$SNAKEPIT_ATTEMPT" -gt 1 ] || exit 3\n',
    6: 'printf "$SNAKEPIT_TASK" > "$SNAKEPIT_ARTEFACTS/egg.txt"\n',
    8: _ESCAPER,
}


def config_path(root: Path) -> Path:
    return root / "agents.toml"


def make_ground(root: Path) -> None:
    text = CONFIG.format(token=os.urandom(4).hex(), attempts=ATTEMPTS)
    agents = "".join(f'\n[[agent]]\nname = "{name}"\n' for name in SCRIPTED)
    config_path(root).write_text(text + agents)


def open_ground(root: Path) -> Pit:
    return open_context(load_in_use(config_path(root), os.environ))


# --- tasks


def task_name(number: int) -> str:
    return f"task-{number:06}.md"


def number_of(name: str) -> int | None:
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def body_of(number: int) -> str:
    text = f"# Task {number}\n\nCount the eggs in nest {number}, and count them well.\n"
    return text if number % 2 else f"{text}\n```bash run\n{_script_of(number)}```\n"


def _script_of(number: int) -> str:
    """Notes that it runs, takes some 50 ms, and some of them do what tasks do in the wild."""
    noted = f'echo "run $SNAKEPIT_TASK $SNAKEPIT_ATTEMPT $SNAKEPIT_GENERATION" >> {RUNS}\n'
    return f"{noted}{_EXTRAS.get(number % 10, '')}sleep 0.{number * 7 % 11:02}\n"


def text_of(number: int) -> str:
    """Even ones are scripts."""
    species = "" if number % 2 else "species: script\n"
    return f"---\npriority: {number % 10}\n{species}---\n{body_of(number)}"


# --- what is noted


def append_line(root: Path, file: str, line: str) -> None:
    fd = os.open(root / file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, f"{line}\n".encode())
    finally:
        os.close(fd)


def lines_of(root: Path, file: str) -> list[str]:
    path = root / file
    return path.read_text().splitlines() if path.exists() else []


@dataclass
class Ledger:
    """What the producer was about to feed, and what it was told is fed; a kill leaves one between the two."""

    begun: set[int] = field(default_factory=set)
    fed: set[int] = field(default_factory=set)


def read_ledger(root: Path) -> Ledger:
    ledger = Ledger()
    for word, number in _ledger_lines(root):
        (ledger.fed if word == "fed" else ledger.begun).add(number)
    return ledger


def _ledger_lines(root: Path) -> Iterator[tuple[str, int]]:
    for line in lines_of(root, LEDGER):
        word, _, number = line.partition(" ")
        yield word, int(number)


@dataclass
class Runs:
    """Which run began in which life, and which tasks may see a number of an attempt again."""

    begun: Counter[tuple[str, int]] = field(default_factory=Counter)
    lives: set[tuple[str, int, str]] = field(default_factory=set)
    again: set[str] = field(default_factory=set)


def read_runs(root: Path) -> Runs:
    runs = Runs()
    for line in lines_of(root, RUNS):
        word, name, *rest = line.split(" ")
        if word == "again":
            runs.again.add(name)
            continue
        attempt, generation = rest
        runs.begun[name, int(attempt)] += 1
        runs.lives.add((name, int(attempt), generation))
    return runs
