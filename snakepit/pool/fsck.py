"""Owns the proof that every task is in exactly one place; looks only, its one repair is recovery.

A listing is not atomic: a task that moves meanwhile may be seen twice or not at all. So places are
listed in the order a task passes them (food, claimed, hands, done, scraps), twice, and only what
both listings show is said.
"""

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from snakepit.core import names, needs
from snakepit.core.lifecycle import State
from snakepit.errors import TaskError
from snakepit.pool.observe import Told
from snakepit.pool.oddities import oddities
from snakepit.store import layout
from snakepit.store.admission import is_note
from snakepit.store.base import Verdict
from snakepit.store.life import read_record
from snakepit.store.reader import read_task
from snakepit.system.files import open_folder

if TYPE_CHECKING:
    from snakepit.pool.context import Pit
    from snakepit.store.base import LifeRecord

Severity = Literal["problem", "note"]
SCANS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Violation:
    """`note`: allowed, but somebody should know; only a problem fails the check."""

    severity: Severity
    rule: str
    name: str
    what: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        return {
            "severity": self.severity,
            "rule": self.rule,
            "name": self.name,
            "what": self.what,
            "fix": self.fix,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a name was seen. All files of one task in one hand are one place."""

    name: str
    state: State
    path: str
    inode: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    places: frozenset[Place]
    loose: frozenset[str]
    splits: frozenset[str]
    kept: frozenset[str]


def examine(pit: "Pit") -> list[Violation]:
    """What two scans agree on, worst first; an empty list is the proof."""
    root = str(pit.config.pit_dir)
    if not os.path.isdir(root):
        return []
    seen = _agreed([scan(root) for _ in range(SCANS)])
    runs = any(life.verdict == Verdict.ALIVE for life in pit.store.lives())
    found = [
        *_in_two_places(seen, runs=runs),
        *_in_no_place(seen),
        *_dead_lives(pit, seen),
        *_unmet_needs(pit, seen),
        *_events_against(pit, seen, runs=runs),
        *_oddities(pit),
    ]
    return sorted(found, key=lambda v: (v.severity != "problem", v.rule, v.name))


def scan(root: str) -> Scan:
    places: set[Place] = set()
    loose: set[str] = set()
    splits: set[str] = set()
    places.update(_tasks(f"{root}/{layout.FOLDER[State.QUEUED]}", State.QUEUED))
    for entry in _listing(f"{root}/{layout.FOLDER[State.CLAIMED]}"):
        if entry.is_dir(follow_symlinks=False):
            places.update(_tasks(entry.path, State.CLAIMED))
            _look_into_hand(f"{entry.path}/{layout.HAND}", places, splits)
        elif not names.is_ignored(entry.name):
            loose.add(entry.path)
    for entry in _listing(f"{root}/{layout.PRIVATE}/{layout.HANDS}"):
        if entry.is_dir(follow_symlinks=False):
            _look_into_hand(entry.path, places, splits)
            _look_into_hand(f"{entry.path}/{layout.HAND}", places, splits)
    done = f"{root}/{layout.FOLDER[State.DONE]}"
    kept = {e.name for e in _listing(done) if e.is_dir(follow_symlinks=False) and e.name[0] != "."}
    places.update(_tasks(done, State.DONE))
    places.update(_tasks(f"{root}/{layout.FOLDER[State.DEAD]}", State.DEAD))
    return Scan(
        places=frozenset(places),
        loose=frozenset(loose),
        splits=frozenset(splits),
        kept=frozenset(kept),
    )


def _agreed(scans: list[Scan]) -> Scan:
    return Scan(
        places=frozenset.intersection(*(s.places for s in scans)),
        loose=frozenset.intersection(*(s.loose for s in scans)),
        splits=frozenset.intersection(*(s.splits for s in scans)),
        kept=frozenset.intersection(*(s.kept for s in scans)),
    )


def _tasks(folder: str, state: State) -> Iterator[Place]:
    for entry in _listing(folder):
        name = entry.name
        if names.is_ignored(name) or not name.endswith(names.SUFFIX) or is_note(name):
            continue
        if entry.is_file(follow_symlinks=False):
            yield Place(name=name, state=state, path=entry.path, inode=entry.inode())


def _look_into_hand(folder: str, places: set[Place], splits: set[str]) -> None:
    """A task on its way: `x.md`, `.2.x.md` and `.out.done.x.md` of one hand are one place."""
    for entry in _listing(folder):
        if entry.is_dir(follow_symlinks=False):
            if entry.name == layout.SPLIT:
                splits.add(entry.path)
            continue
        out = layout.parse_out(entry.name)
        taken = None if out else layout.parse_taken(entry.name)
        name = out[1] if out else taken[1] if taken else ""
        if name.endswith(names.SUFFIX):
            places.add(Place(name=name, state=State.CLAIMED, path=folder, inode=0))


def _listing(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []


def _by_name(seen: Scan) -> dict[str, list[Place]]:
    by_name: dict[str, list[Place]] = {}
    for place in seen.places:
        by_name.setdefault(place.name, []).append(place)
    return by_name


def _in_two_places(seen: Scan, *, runs: bool) -> Iterator[Violation]:
    for name, places in _by_name(seen).items():
        if len(places) == 1:
            continue
        where = ", ".join(sorted(place.path for place in places))
        if not runs and any(place.state == State.QUEUED for place in places) and len(places) == 2:
            yield Violation(
                severity="note",
                rule="name used again",
                name=name,
                what=f"a new file bears a name that is taken: {where}",
                fix="none: it becomes ~2 when the pool reads it",
            )
            continue
        yield Violation(
            severity="problem",
            rule="one place",
            name=name,
            what=f"in {len(places)} places: {where}",
            fix="compare them and move one away; agents.py show tells what happened",
        )


def _oddities(pit: "Pit") -> Iterator[Violation]:
    for odd in oddities(pit.config, pit.store):
        yield Violation(severity="note", rule=odd.rule, name=odd.name, what=odd.what, fix=odd.fix)


def _in_no_place(seen: Scan) -> Iterator[Violation]:
    for path in seen.loose:
        yield Violation(
            severity="problem",
            rule="no file in claimed/ itself",
            name=os.path.basename(path),
            what=f"{path} belongs to no worker (a `mv` without the slash?)",
            fix="agents.py fsck --fix puts it back into food/",
        )
    finished = {place.name for place in seen.places if place.state == State.DONE}
    for folder in seen.kept:
        if folder + names.SUFFIX not in finished:
            yield Violation(
                severity="problem",
                rule="kept files have their task",
                name=folder,
                what=f"done/{folder}/ is there without done/{folder}.md",
                fix="agents.py fsck --fix, or move the folder to waste/",
            )


def _dead_lives(pit: "Pit", seen: Scan) -> Iterator[Violation]:
    """A dead life that holds something is a problem until recovery came; an empty one is not."""
    root = str(pit.config.pit_dir)
    for path, record in [
        *_records(f"{root}/{layout.FOLDER[State.CLAIMED]}"),
        *_records(_hands(root)),
    ]:
        if record.verdict is not Verdict.DEAD:
            continue
        inside = (path, f"{path}/{layout.HAND}")
        if any(f"{folder}/{layout.SPLIT}" in seen.splits for folder in inside):
            rule, what = "no half-done split", f"{path} holds a committed split"
        elif held := sorted({p.name for p in seen.places if _folder_of(p) in inside}):
            rule, what = "no orphan claim", f"{path} holds {', '.join(held)}"
        else:
            continue
        yield Violation(
            severity="problem",
            rule=rule,
            name=record.worker or record.generation,
            what=f"{what}, and its process {record.pid} is gone",
            fix="agents.py fsck --fix",
        )


def _folder_of(place: Place) -> str:
    return os.path.dirname(place.path) if place.path.endswith(names.SUFFIX) else place.path


def _hands(root: str) -> str:
    return f"{root}/{layout.PRIVATE}/{layout.HANDS}"


def _records(folder: str) -> "Iterator[tuple[str, LifeRecord]]":
    """The lives behind folders; one without a record is judged by nobody."""
    for entry in _listing(folder):
        try:
            fd = open_folder(entry.path)
        except OSError:
            continue
        try:
            record = read_record(fd)
        finally:
            os.close(fd)
        if record is not None:
            yield entry.path, record


def _unmet_needs(pit: "Pit", seen: Scan) -> Iterator[Violation]:
    """Notes: the order of drops is free, so a need that nobody knows may still come."""
    known = _by_name(seen)
    graph: dict[str, tuple[str, ...]] = {}
    for entry in pit.store.entries(State.QUEUED):
        try:
            task = read_task(entry.name, pit.store.read(entry))
        except (TaskError, OSError):
            continue  # admission says what is wrong with it
        if task.needs:
            graph[entry.name] = tuple(names.task_name(need) for need in task.needs)
    for name, wanted in graph.items():
        for need in wanted:
            what = _why_never(need, known)
            if what:
                yield Violation(severity="note", rule="needs can be met", name=name, what=what)
    cycle = needs.find_cycle(graph)
    if cycle:
        yield Violation(
            severity="note",
            rule="needs can be met",
            name=cycle[0],
            what=f"needs go round in a circle: {' -> '.join(cycle)}",
            fix="edit `needs` of one of them",
        )


def _why_never(need: str, known: Mapping[str, list[Place]]) -> str:
    states = {place.state for place in known.get(need, [])}
    if not states:
        return f"needs {need}, which is nowhere"
    if states == {State.DEAD}:
        return f"needs {need}, which is in scraps/; agents.py retry {names.stem(need)}"
    return ""


def _events_against(pit: "Pit", seen: Scan, *, runs: bool) -> Iterator[Violation]:
    waiting = pit.config.pit_dir / layout.FOLDER[State.QUEUED]
    told = Told(waits=lambda name: os.path.lexists(waiting / name))
    for event in pit.journal.read():
        told.fold(event)
    said = {name: place.state for name, place in told.places.items()}
    for name, places in _by_name(seen).items():
        if name not in said or len(places) != 1 or places[0].state == said[name]:
            continue
        yield Violation(
            severity="problem" if runs else "note",
            rule="events match folders",
            name=name,
            what=f"events say {said[name].value}, the file is {places[0].path}",
            fix="the running pool reports it as observed; agents.py up",
        )
