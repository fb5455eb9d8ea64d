"""Owns what must hold after a storm: each task settled once and whole, each run counted, nothing left anywhere."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.core.names import root_of
from snakepit.core.result import MARK
from snakepit.core.task import Task
from snakepit.errors import TaskError
from snakepit.pool import reap
from snakepit.pool.clean import clean
from snakepit.pool.context import Pit
from snakepit.pool.observe import Observer
from snakepit.store import layout
from snakepit.store.listing import in_hands
from snakepit.store.reader import read_task
from snakepit.store.recover import SWEEP_AFTER_S
from tests.storm.ground import (
    ATTEMPTS,
    WARNINGS,
    Runs,
    body_of,
    config_path,
    lines_of,
    number_of,
    open_ground,
    read_ledger,
    read_runs,
)
from tests.storm.papers import check_journal
from tests.storm.report import Report
from tests.storm.storm import Storm

GONE = " is gone)"  # how recovery ends the reason it writes for a run that was cut short
ROOT = Path(__file__).parents[2]
TEMPORARY = (layout.BEING_WRITTEN, layout.SPLIT_BEING_WRITTEN, layout.OUT_PREFIX)
OF_ATTEMPT = re.compile(rf"^## Attempt ([0-9]+) {MARK}", re.MULTILINE)
OF_RESULT = re.compile(rf"^## Result {MARK} (\S+) -->\n\n\*[^,]+, attempt ([0-9]+)", re.MULTILINE)


def judge(storm: Storm) -> Report:
    """Call it when every process has ended."""
    report = Report(kills=storm.kills, new=storm.new, problems=list(storm.faults))
    report.names_waited_for = storm.names_waited_for + len(lines_of(storm.root, WARNINGS))
    pit = open_ground(storm.root)
    try:
        for item in reap.reap(pit):
            report.problems.append(f"{item.name} was held by a dead life at the end")
        _nothing_elsewhere(pit, report)
        _tasks(pit, storm.root, report)
        _artefacts(pit, report)
        _say_what_was_unsaid(pit)
    finally:
        pit.close()
    _fsck(storm.root, report)
    _sweep(storm.root, report)
    check_journal(storm.root, report)
    return report


def _nothing_elsewhere(pit: Pit, report: Report) -> None:
    store = pit.store
    left = [entry for entry in store.entries(State.QUEUED) if entry.size]
    left += [*store.entries(State.CLAIMED), *in_hands(store.folders)]
    report.problems += [f"{entry.name} is left in {entry.path}" for entry in left]
    report.problems += [
        f"{name} is left in claimed/" for name in os.listdir(store.path / "claimed")
    ]


# --- tasks


def _tasks(pit: Pit, root: Path, report: Report) -> None:
    ledger, runs = read_ledger(root), read_runs(root)
    report.fed = len(ledger.fed)
    report.runs = runs.begun.total()
    entries = [*pit.store.entries(State.DONE), *pit.store.entries(State.DEAD)]
    texts = {
        entry: pit.store.read(entry).decode() for entry in entries if entry.path.suffix == ".md"
    }
    report.late = sum("~late" in name for name in os.listdir(pit.store.path / "scraps"))
    places = Counter(root_of(entry.name) for entry in texts)
    report.doubled += [f"{name}: {n} places" for name, n in places.items() if n > 1]
    names = {entry.name for entry in texts}
    for entry, text in texts.items():
        number = number_of(entry.name)
        if number is None:
            report.parts += 1
        elif number not in ledger.begun:
            report.problems.append(f"{entry.name} was never fed")
        elif number in ledger.fed and body_of(number) not in text:
            report.problems.append(f"{entry.name} lost its text: {text!r}")
        try:
            task = read_task(entry.name, text.encode())
        except TaskError:
            if number in ledger.fed:
                report.problems.append(f"{entry.name} cannot be read")
            continue  # half a drop, which its producer's death left
        report.lost += [f"{part} of {entry.name}" for part in task.parts if part not in names]
        report.cut_short += text.count(f"{GONE}\n")
        if entry.state is State.DONE:
            _done(entry.name, task, text, runs, report)
        else:
            _dead(entry.path, task, text, report)
        _attempts(entry.name, task, text, entry.state, runs, report)
    numbers = {number_of(name) for name in names}
    report.lost += [f"task {number}" for number in sorted(ledger.fed) if number not in numbers]
    for (name, attempt), n in runs.begun.items():
        if n > 1 and name not in runs.again:
            report.miscounted.append(f"{name}: {n} runs were told that they are number {attempt}")


def _done(name: str, task: Task, text: str, runs: Runs, report: Report) -> None:
    """One result, of a life that has run it under the number that the result bears; parts are joined without a run."""
    report.done += 1
    results = OF_RESULT.findall(text)
    if len(results) != 1 or text.count(f"## Result {MARK}") != 1:
        report.doubled.append(f"{name}: {text.count(f'## Result {MARK}')} results")
        return
    generation, attempt = results[0]
    if not task.parts and (name, int(attempt), generation) not in runs.lives:
        report.miscounted.append(f"{name}: its result is of {generation}, which never ran it so")


def _dead(path: Path, task: Task, text: str, report: Report) -> None:
    report.dead += 1
    if f"## Result {MARK}" in text:
        report.doubled.append(f"{path.name}: a dead letter with a result")
    if not path.with_suffix(".why.md").exists() and not task.reason:
        report.problems.append(f"{path.name} has no reason")


def _attempts(name: str, task: Task, text: str, state: State, runs: Runs, report: Report) -> None:
    """Its story has each run that did not end well, in order; a person's retry begins anew."""
    told = [int(number) for number in OF_ATTEMPT.findall(text)]
    expected = 0
    for number in told:
        if number == 1 and name in runs.again:
            expected = 0
        expected += 1
        if number != expected:
            report.miscounted.append(f"{name}: its story has the attempts {told}")
            return
    if name not in runs.again and task.attempt != expected:
        report.miscounted.append(f"{name}: attempt {task.attempt} after the runs {told}")
    if state is State.DEAD and expected != ATTEMPTS:
        report.miscounted.append(f"{name}: a dead letter after {expected} runs")
    results = OF_RESULT.findall(text)
    if results and int(results[0][1]) != task.attempt + 1:
        report.miscounted.append(f"{name}: run {results[0][1]} after {task.attempt} that failed")


def _artefacts(pit: Pit, report: Report) -> None:
    done = pit.store.path / "done"
    for folder in done.iterdir():
        if folder.is_dir() and (folder / "egg.txt").read_text() != f"{folder.name}.md":
            report.problems.append(f"done/{folder.name}/ has another task's artefacts")


# --- what is left


def _say_what_was_unsaid(pit: Pit) -> None:
    """Two looks, as the daemon does after a crash."""
    observer = Observer(pit)
    last = 0
    for _ in range(2):
        for event in pit.journal.read(last):
            observer.fold(event)
            last = event.seq or last
        observer.compare()


def _fsck(root: Path, report: Report) -> None:
    """The verb as a person types it."""
    argv = [sys.executable, "-m", "snakepit", "fsck", "--fix", "--json"]
    answer = subprocess.run(
        [*argv, "--config", str(config_path(root))],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        found = json.loads(answer.stdout)["violations"]
    except (ValueError, KeyError):
        report.problems.append(f"fsck said {answer.stdout!r} {answer.stderr!r}")
        return
    report.problems += [
        f"fsck: {one['name']}: {one['rule']}: {one['what']}"
        for one in found
        if one["severity"] == "problem"
    ]


def _sweep(root: Path, report: Report) -> None:
    """After `fsck --fix` no file of a life is left; folders that were never used and records that were
    never named go later, by recovery and by the daemon's cleaning."""
    hands = root / "pit" / layout.PRIVATE / layout.HANDS
    for folder in hands.iterdir():
        names = {path.name for path in folder.rglob("*")}
        if names - {layout.NEWBORN_RECORD, layout.HAND}:
            report.problems.append(f"the hand {folder.name} is left with {sorted(names)}")
        report.newborn += 1
        old = folder.stat().st_mtime - SWEEP_AFTER_S - 1
        os.utime(folder, (old, old))
    _fsck(root, report)
    report.problems += [f"the hand {folder.name} is left for ever" for folder in hands.iterdir()]
    unfinished = [path for path in (root / "log" / "state").glob(".*") if path.is_file()]
    report.unfinished = len(unfinished)
    for path in unfinished:
        os.utime(path, (0, 0))
    pit = open_ground(root)
    clean(pit, clock.wall())
    pit.close()
    for path in _temporaries(root):
        report.problems.append(f"{path.relative_to(root)} is left")


def _temporaries(root: Path) -> Iterator[Path]:
    """Names that only something being made has. A `.task` in food/ is the person's own."""
    pit = root / "pit"
    for folder in (pit / "done", pit / "scraps", pit / layout.PRIVATE):
        for path in folder.rglob("*"):
            if path.name.startswith(TEMPORARY):
                yield path
    yield from (path for path in (pit / "done").iterdir() if path.name.startswith("."))
    yield from (path for path in (pit / "scraps").iterdir() if path.name.startswith("."))
    yield from (path for path in (root / "log").rglob(".*") if path.is_file())
