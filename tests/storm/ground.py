"""Owns what all processes of a storm share: the pit, the journal, the tasks and the producer's ledger."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING, cast

from snakepit.core.redact import Redactor
from snakepit.journal import Journal
from snakepit.pool.context import Pit
from snakepit.store.files import open_pit

if TYPE_CHECKING:
    from snakepit.config.model import Config

ATTEMPTS = 4
ENOUGH = "enough"  # the producer stops at the next task when this file is there
LEDGER = "ledger"
WARNINGS = "warnings"
_NAME = re.compile(r"task-(\d{6})\.md")


def open_ground(root: Path) -> Pit:
    """Opened without the reading of a config, which costs a third of a start."""
    log = root / "log"
    (log / "state").mkdir(parents=True, exist_ok=True)
    redactor = Redactor(())
    return Pit(
        config=cast("Config", SimpleNamespace(pit_dir=root / "pit", log_dir=log)),
        store=open_pit(root / "pit", durable="kill", settle_s=0.0, attempts=ATTEMPTS),
        journal=Journal(log / "events.jsonl", redactor),
        redactor=redactor,
    )


def task_name(number: int) -> str:
    return f"task-{number:06}.md"


def number_of(name: str) -> int | None:
    found = _NAME.fullmatch(name)
    return int(found[1]) if found else None


def body_of(number: int) -> str:
    return f"# Task {number}\n\nCount the eggs in nest {number}, and count them well.\n"


def text_of(number: int) -> str:
    return f"---\npriority: {number % 10}\n---\n{body_of(number)}"


def append_line(root: Path, file: str, line: str) -> None:
    fd = os.open(root / file, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
    try:
        os.write(fd, f"{line}\n".encode())
    finally:
        os.close(fd)


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
    path = root / LEDGER
    for line in path.read_text().splitlines() if path.exists() else ():
        word, _, number = line.partition(" ")
        yield word, int(number)
