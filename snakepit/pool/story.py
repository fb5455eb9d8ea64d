"""Owns what can be told about one task: where it is, how it was read, what happened, what came out."""

import os
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core import header, names, result
from snakepit.core.duration import format_duration
from snakepit.core.lifecycle import State
from snakepit.core.usage import Usage, said, total
from snakepit.errors import NotFound, TaskError
from snakepit.pool.decide import is_refusal
from snakepit.pool.follow import reason_of
from snakepit.store import layout
from snakepit.store.reader import read_task

if TYPE_CHECKING:
    from snakepit.core.events import Event
    from snakepit.core.task import Task
    from snakepit.pool.context import Pit
    from snakepit.store.base import Entry

LAST_EVENTS = 12
CANDIDATES = 5


def find(pit: "Pit", reference: str, *, states: Sequence[State] = tuple(State)) -> "Entry":
    """The task of that name, with or without .md, or the only one of all whose name begins so."""
    wanted = reference.removeprefix("./").rsplit("/", 1)[-1]
    for name in dict.fromkeys((names.task_name(wanted), wanted)):
        exact = pit.store.locate(name)
        for entry in exact:
            if entry.state in states:
                return entry
        if exact:
            raise _elsewhere(wanted, exact[0], states)
    near = [
        entry
        for state in State
        for entry in pit.store.entries(state)
        if entry.name.startswith(wanted) and not entry.in_hand
    ]
    if len({entry.name for entry in near}) > 1:
        raise _ambiguous(wanted, near)
    for entry in near:
        if entry.state in states:
            return entry
    if near:
        raise _elsewhere(wanted, near[0], states)
    raise _not_found(pit, wanted, states)


def _folders(states: Sequence[State]) -> str:
    return " or ".join(f"{layout.FOLDER[state]}/" for state in states)


def _elsewhere(wanted: str, entry: "Entry", states: Sequence[State]) -> NotFound:
    shown, name = names.printable(wanted), names.printable(entry.name)
    which = "" if names.task_name(wanted) == entry.name else f"{name} is "
    msg = f"{shown} is not in {_folders(states)} but {which}in {layout.FOLDER[entry.state]}/"
    return NotFound(msg, fix=f"agents.py show {names.stem(name)}")


def _ambiguous(wanted: str, near: "list[Entry]") -> NotFound:
    newest = sorted(near, key=lambda entry: -entry.ctime_ns)[:CANDIDATES]
    some = ", ".join(
        f"{names.printable(names.stem(entry.name))} ({layout.FOLDER[entry.state]}/)"
        for entry in newest
    )
    count = len({entry.name for entry in near})
    msg = f"{names.printable(wanted)} begins the names of {count} tasks"
    return NotFound(msg, fix=f"say which, newest first: {some}")


def _not_found(pit: "Pit", wanted: str, states: Sequence[State]) -> NotFound:
    folders = _folders(states)
    shown = names.printable(wanted)
    dropped = pit.config.pit_dir / layout.FOLDER[State.QUEUED] / wanted
    if os.path.lexists(dropped) and (dropped.is_symlink() or not dropped.is_file()):
        msg = f"{shown} is no regular file: the pit follows and opens nothing else"
        return NotFound(
            msg, fix="drop the text itself; what is there now is put aside, with a note"
        )
    return NotFound(f"no task {shown} in {folders}", fix="agents.py ls shows all there are")


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`problem`: what is wrong with the file; `task` is None then."""

    entry: "Entry"
    task: "Task | None"
    problem: str
    waits_for: str
    reason: str
    limit: int
    attempts: tuple[Mapping[str, str], ...]
    events: "tuple[Event, ...]"
    result: str
    waste: str
    usage: Usage
    now: float = field(default_factory=clock.wall)

    def to_json(self) -> dict[str, object]:
        task = self.task
        return {
            "name": self.entry.name,
            "state": layout.FOLDER[self.entry.state],
            "path": str(self.entry.path),
            "worker": self.entry.worker,
            "since": clock.stamp(self.entry.ctime_ns / 1e9),
            "title": task.title if task else None,
            "kind": task.kind if task else None,
            "header": _header(task) if task else None,
            "problem": self.problem or None,
            "waits_for": self.waits_for or None,
            "reason": self.reason or None,
            "attempt": task.attempt if task else None,
            "attempts": [dict(attempt) for attempt in self.attempts],
            "events": [event.to_json() for event in self.events],
            "result": self.result or None,
            "waste": self.waste or None,
            "usage": self.usage.to_json() if self.usage else None,
        }

    def lines(self) -> Iterator[str]:
        entry, task = self.entry, self.task
        by = f" by {entry.worker}" if entry.worker else ""
        ago = format_duration(max(0, round(self.now - entry.ctime_ns / 1e9)))
        yield f"{entry.name}: {layout.FOLDER[entry.state]}{by}, for {ago}"
        yield f"  file: {entry.path}"
        if task:
            yield f"  read as: {_how_read(task)}"
            yield f"  {self._counted(task)}"
        if self.problem:
            yield from _under("wrong", self.problem)
        if self.waits_for:
            yield f"  waits: {self.waits_for}"
        if self.reason and not self.problem:
            yield from _under("reason", self.reason)
        if self.waste:
            yield f"  left: {self.waste}"
        if self.usage:
            yield f"  used: {said(self.usage)}"
        for attempt in self.attempts:
            yield f"attempt {attempt['n']}: {_plainly(attempt['text'])}"
        for event in self.events:
            yield f"{event.ts}  {event.type}{_detail(event)}"
        if self.result:
            yield "result:"
            yield from (f"  {line}" for line in self.result.splitlines())

    def _counted(self, task: "Task") -> str:
        """The header counts runs that failed: one that runs or went well is the next."""
        if self.entry.state in (State.CLAIMED, State.DONE):
            return f"run {task.attempt + 1} of {self.limit}"
        return f"attempts: {task.attempt} of {self.limit}"


def tell(pit: "Pit", entry: "Entry") -> Story:
    data = b""
    task, problem = None, ""
    try:
        data = pit.store.read(entry)
        task = read_task(entry.name, data)
    except TaskError as exc:
        problem = str(exc)
    except OSError as exc:
        problem = f"cannot be read: {exc.strerror}"
    waste = pit.config.pit_dir / layout.WASTE / names.stem(entry.name)
    told = [event for event in pit.journal.read() if event.task == entry.name]
    return Story(
        entry=entry,
        task=task,
        problem=problem,
        waits_for=_waits_for(pit, entry, task) if entry.state is State.QUEUED else "",
        reason=_reason(entry, data),
        limit=(task.attempts if task else None) or pit.config.pit.attempts,
        attempts=tuple(_attempts(data)),
        events=tuple(told[-LAST_EVENTS:]),
        usage=total([Usage.from_json(event.data.get("usage")) for event in told]),
        result=result.result_of(data),
        waste=str(waste) if waste.is_dir() else "",
    )


def _waits_for(pit: "Pit", entry: "Entry", task: "Task | None") -> str:
    from snakepit.pool.status import EMPTY, why_nobody

    if entry.size == 0:
        return EMPTY
    if task is None:
        return pit.store.held().get(entry.name, "")
    held = pit.store.why_held(task)
    if held:
        return held
    return why_nobody(pit.config, pit.store, task)


def _reason(entry: "Entry", data: bytes) -> str:
    if entry.state is not State.DEAD:
        return ""
    if is_refusal(entry.name, data):
        return header.split(data)[1].decode("utf-8", "replace").strip()
    return reason_of(entry.name, data, entry.path)


_WHO = re.compile(r"\*([^*]+)\*(?:, logs: `([^`]+)`)? ?")
_ATTEMPT = re.compile(r"^## Attempt ([0-9]+) <!-- snakepit -->$", re.MULTILINE)


def _attempts(data: bytes) -> "Iterator[dict[str, str]]":
    """The runs that did not end well, as the pit wrote them into the file."""
    text = data.decode("utf-8", "replace")
    found = list(_ATTEMPT.finditer(text))
    for match in found:
        block = text[match.end() :].split("\n## ", 1)[0]
        told = " ".join(block.replace("\n> ", "\n").split())
        yield {"n": match[1], "text": told}


def _plainly(attempt: str) -> str:
    """An attempt's first line without its markdown."""
    who = _WHO.match(attempt)
    if who is None:
        return attempt
    logs = f", logs: {who[2]}" if who[2] else ""
    return f"{who[1]}{logs}: {attempt[who.end() :]}"


def _how_read(task: "Task") -> str:
    words = [f"for a {task.kind} snake", f"priority {task.priority}"]
    if task.to:
        words.append(f"only for {task.to}")
    if task.labels:
        words.append(f"labels {', '.join(task.labels)}")
    if task.needs:
        words.append(f"needs {', '.join(task.needs)}")
    if task.not_before is not None:
        words.append(f"not before {clock.stamp(task.not_before)}")
    if task.timeout_s is not None:
        words.append(f"timeout {format_duration(task.timeout_s)}")
    if task.by:
        words.append(f"fed by {task.by}")
    if task.extra:
        words.append(f"not understood and kept: {', '.join(sorted(task.extra))}")
    return ", ".join(words)


def _under(word: str, text: str) -> Iterator[str]:
    first, *more = text.splitlines()
    yield f"  {word}: {first}"
    yield from (f"    {line.strip()}" for line in more if line.strip())


HEADER = (
    "id", "priority", "species", "big", "labels", "needs", "not_before", "timeout_s", "attempts",
    "model", "dir", "artefacts", "parent", "parts", "join", "by", "to", "allowed",
)  # fmt: skip


def _header(task: "Task") -> dict[str, object]:
    shown = {key: getattr(task, key) for key in HEADER}
    kept = {key: list(v) if isinstance(v, tuple) else v for key, v in shown.items()}
    return {**kept, "extra": dict(task.extra)}


def _detail(event: "Event") -> str:
    about = [event.worker or ""]
    told = [key for key in ("reason", "message") if key in event.data]
    about += [f"{key}: {' '.join(str(event.data[key]).split())}" for key in told]
    words = "  ".join(word for word in about if word)
    return f"  {words}" if words else ""
