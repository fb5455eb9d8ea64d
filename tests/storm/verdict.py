"""Owns what must hold after a storm: each task settled once and whole, nothing elsewhere, events without a gap."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from snakepit.core.lifecycle import State
from snakepit.core.names import root_of
from snakepit.core.result import MARK
from snakepit.errors import TaskError
from snakepit.journal.sequence import segments
from snakepit.pool import fsck, reap
from snakepit.pool.context import Pit
from snakepit.pool.observe import Observer
from snakepit.store import layout
from snakepit.store.base import Entry
from snakepit.store.listing import in_hands
from snakepit.store.reader import read_task
from tests.storm.ground import WARNINGS, Ledger, body_of, number_of, open_ground, read_ledger
from tests.storm.storm import Storm, lines_of

GONE = " is gone)"  # how recovery ends the reason it writes for a run that was cut short


@dataclass
class Report:
    kills: Counter[str]
    fed: int = 0
    parts: int = 0
    done: int = 0
    dead: int = 0
    cut_short: int = 0
    late: int = 0
    lost: list[str] = field(default_factory=list)
    doubled: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    events: int = 0
    names_waited_for: int = 0

    @property
    def is_good(self) -> bool:
        return not (self.lost or self.doubled or self.problems or self.late)

    def lines(self) -> list[str]:
        kinds = ", ".join(f"{n} {role}" for role, n in sorted(self.kills.items()))
        return [
            f"tasks fed      {self.fed} (and {self.parts} parts of split ones)",
            f"kills          {self.kills.total()} ({kinds})",
            f"lost           {len(self.lost)}",
            f"doubled        {len(self.doubled)}",
            f"re-run         {self.cut_short} runs were cut short and counted",
            f"done           {self.done}",
            f"dead letters   {self.dead}, each with its reason",
            f"events         {self.events}, numbered without a gap",
            f"late results   {self.late}",
            f"names waited for by a new life  {self.names_waited_for}",
            *(f"PROBLEM        {problem}" for problem in self.problems),
            *(f"LOST           {name}" for name in self.lost),
            *(f"DOUBLED        {name}" for name in self.doubled),
        ]


def judge(storm: Storm) -> Report:
    """Call it when every process has ended."""
    report = Report(kills=storm.kills, problems=list(storm.faults))
    report.names_waited_for = len(lines_of(storm.root, WARNINGS))
    pit = open_ground(storm.root)
    try:
        for item in reap.reap(pit):
            report.problems.append(f"{item.name} was held by a dead life at the end")
        ledger = read_ledger(storm.root)
        report.fed = len(ledger.fed)
        _nothing_elsewhere(pit, report)
        _tasks(pit, ledger, report)
        _artefacts(pit, report)
        _say_what_was_unsaid(pit)
        report.problems += [
            f"fsck: {found.name}: {found.rule}: {found.what}"
            for found in fsck.examine(pit)
            if found.severity == "problem"
        ]
    finally:
        pit.close()
    _events(storm.root, report)
    return report


def _nothing_elsewhere(pit: Pit, report: Report) -> None:
    store = pit.store
    left = [entry for entry in store.entries(State.QUEUED) if entry.size]
    left += [*store.entries(State.CLAIMED), *in_hands(store.folders)]
    report.problems += [f"{entry.name} is left in {entry.path}" for entry in left]
    report.problems += [
        f"{name} is left in claimed/" for name in os.listdir(store.path / "claimed")
    ]
    hands = store.path / layout.PRIVATE / layout.HANDS
    report.problems += [
        f"the hand {hand.name} is left"
        for hand in hands.iterdir()
        if (hand / layout.RECORD).exists()
    ]


def _tasks(pit: Pit, ledger: Ledger, report: Report) -> None:
    entries = [*pit.store.entries(State.DONE), *pit.store.entries(State.DEAD)]
    entries = [entry for entry in entries if entry.path.suffix == ".md"]
    report.late = sum("~late" in name for name in os.listdir(pit.store.path / "scraps"))
    places = Counter(root_of(entry.name) for entry in entries)
    report.doubled += [f"{name}: {n} places" for name, n in places.items() if n > 1]
    for entry in entries:
        text = pit.store.read(entry).decode()
        number = number_of(entry.name)
        if number is None:
            report.parts += 1
        elif number not in ledger.begun:
            report.problems.append(f"{entry.name} was never fed")
        _text(pit, entry, text, body_of(number) if number in ledger.fed and number else "", report)
    numbers = {number_of(entry.name) for entry in entries}
    report.lost += [f"task {number}" for number in sorted(ledger.fed) if number not in numbers]
    names = {entry.name for entry in entries}
    for entry in entries:
        parts = _parts(entry, pit.store.read(entry))
        report.lost += [f"{part} of {entry.name}" for part in parts if part not in names]


def _parts(entry: Entry, text: bytes) -> tuple[str, ...]:
    try:
        return read_task(entry.name, text).parts
    except TaskError:
        return ()


def _text(pit: Pit, entry: Entry, text: str, body: str, report: Report) -> None:
    report.cut_short += text.count(f"{GONE}\n")
    results = text.count(f"## Result {MARK}")
    if body not in text:
        report.problems.append(f"{entry.name} lost its text: {text!r}")
    if entry.state is State.DONE:
        report.done += 1
        if results != 1:
            report.doubled.append(f"{entry.name}: {results} results")
        return
    report.dead += 1
    if results:
        report.doubled.append(f"{entry.name}: a dead letter with {results} results")
    beside = entry.path.with_suffix(".why.md")
    if not beside.exists() and not read_task(entry.name, text.encode()).reason:
        report.problems.append(f"{entry.name} has no reason")


def _artefacts(pit: Pit, report: Report) -> None:
    done = pit.store.path / "done"
    for folder in done.iterdir():
        if folder.is_dir() and (folder / "egg.txt").read_text() != f"{folder.name}.md":
            report.problems.append(f"done/{folder.name}/ has another task's artefacts")


def _say_what_was_unsaid(pit: Pit) -> None:
    """Two looks, as the daemon does after a crash."""
    observer = Observer(pit)
    last = 0
    for _ in range(2):
        for event in pit.journal.read(last):
            observer.fold(event)
            last = event.seq or last
        observer.compare()


def _events(root: Path, report: Report) -> None:
    numbers: list[int] = []
    completed: Counter[str] = Counter()
    for line in _event_lines(root / "log"):
        try:
            event = json.loads(line)
        except ValueError:
            report.problems.append(f"an event that cannot be read: {line!r}")
            continue
        numbers.append(event["seq"])
        if event["type"] == "task.completed":
            completed[event["task"]] += 1
    report.events = len(numbers)
    if numbers != list(range(1, len(numbers) + 1)):
        report.problems.append(f"the events' numbers have gaps or repeat: {_first_gap(numbers)}")
    report.doubled += [f"{name}: completed {n} times" for name, n in completed.items() if n > 1]


def _event_lines(log: Path) -> Iterator[bytes]:
    for path in (*segments(log), log / "events.jsonl"):
        yield from path.read_bytes().splitlines()


def _first_gap(numbers: list[int]) -> str:
    for index, number in enumerate(numbers, start=1):
        if number != index:
            return f"line {index} has {number}"
    return ""
