"""Owns what must hold of the journal after a storm: no number missing, no line lost or torn, nothing told twice."""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from snakepit.journal.sequence import segments
from tests.storm.ground import ACKS, lines_of
from tests.storm.report import Report


def check_journal(root: Path, report: Report) -> None:
    numbers: list[int] = []
    told: dict[int, tuple[str, str]] = {}
    completed: Counter[str] = Counter()
    for line in _lines(root / "log"):
        try:
            event = json.loads(line)
        except ValueError:
            report.problems.append(f"an event that cannot be read: {line!r}")
            continue
        numbers.append(event["seq"])
        told[event["seq"]] = (event["type"], event.get("task", "-"))
        if event["type"] == "task.completed":
            completed[event["task"]] += 1
    report.events = len(numbers)
    if numbers != list(range(1, len(numbers) + 1)):
        report.problems.append(f"the events' numbers have gaps or repeat: {_first_gap(numbers)}")
    report.doubled += [f"{name}: completed {n} times" for name, n in completed.items() if n > 1]
    _acknowledged(root, told, report)


def _acknowledged(root: Path, told: dict[int, tuple[str, str]], report: Report) -> None:
    """Each is there under its number; one that got its number later is there at all."""
    acks: Counter[tuple[str, str]] = Counter()
    for line in lines_of(root, ACKS):
        seq, type, task = line.split(" ", 2)
        acks[type, task] += 1
        if int(seq) and told.get(int(seq)) != (type, task):
            report.problems.append(f"event {seq} {type} {task} is {told.get(int(seq))}")
    report.acknowledged = acks.total()
    missing = acks - Counter(told.values())
    report.problems += [f"{n} {type} of {task} lost" for (type, task), n in missing.items()]


def _lines(log: Path) -> Iterator[bytes]:
    for path in (*segments(log), log / "events.jsonl"):
        data = path.read_bytes()
        yield from data.splitlines()
        if not data.endswith(b"\n"):
            yield b"(the last line of a file has no end)"


def _first_gap(numbers: list[int]) -> str:
    for index, number in enumerate(numbers, start=1):
        if number != index:
            return f"line {index} has {number}"
    return ""
