"""Owns gathering what `status` shows, from folders, lives and one question to tmux; it starts nothing.

A pit that was never started has no folders: that is an answer too, and none are made.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snakepit.config.overrides import ALL
from snakepit.core.lifecycle import State
from snakepit.core.order import ClassKey, class_of
from snakepit.core.view import ServiceView, StatusView, WaitView, group_waits
from snakepit.errors import NotFound, SnakepitError
from snakepit.pool.attend import daemon_pid
from snakepit.pool.crew import Crew, Seen, attach_line, crew, look
from snakepit.pool.fleet import load_fleet
from snakepit.pool.gate import low_disk_path
from snakepit.pool.limits import records
from snakepit.pool.oddities import oddities
from snakepit.pool.resting import limit_views
from snakepit.pool.spending import spending_json, spending_line
from snakepit.store.layout import FOLDER

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config
    from snakepit.core.task import Task
    from snakepit.session.base import Pane
    from snakepit.store.base import Entry
    from snakepit.store.files import FilePit

EMPTY = "it is empty: no food yet"
READ_AT_MOST = 300  # waiting files, where no index says what they are

__all__ = ["attach_line", "current_agents", "view", "waiting_for_accounts", "why_nobody"]


def view(config: "Config") -> StatusView:
    """The whole picture as it is now."""
    if not os.path.isdir(config.pit_dir / ".pit"):
        seen = look(config, None)
        note = f"{config.pit_dir} is not there yet; `agents.py up` makes it"
        counts = dict.fromkeys(FOLDER.values(), 0)
        return _folded(config, seen, crew(config, seen), counts, (), (note,))
    from snakepit.store.files import open_pit

    store = open_pit(config.pit_dir, accept_all=config.script.accept == "all")
    try:
        counted = store.counts()
        seen = look(config, store)
        people = crew(config, seen)
        waits = _waits(store, people, counted[State.QUEUED])
        notes = tuple(f"{odd.what}; {odd.fix}" for odd in oddities(config, store))
    finally:
        store.close()
    counts = {folder: counted.get(state, 0) for state, folder in FOLDER.items()}
    return _folded(config, seen, people, counts, waits, notes)


def why_nobody(config: "Config", store: "FilePit", task: "Task") -> str:
    """Why no agent takes this task now; "" when one does."""
    return crew(config, look(config, store)).why_nobody(class_of(task))


def waiting_for_accounts(config: "Config", store: "FilePit") -> "Callable[[Entry], str]":
    """Why this one waits, where an account's rest is why; reads no file while nothing rests."""
    people = crew(config, look(config, store)) if records(config) else None

    def reason(entry: "Entry") -> str:
        if people is None or not people.rests:
            return ""
        from snakepit.store.reader import read_task

        try:
            task = read_task(entry.name, store.read(entry))
        except (SnakepitError, OSError):
            return ""
        return people.why_nobody(class_of(task))

    return reason


def current_agents(config: "Config") -> "tuple[Agent, ...]":
    """Every agent, pools at the size a person scaled them to."""
    from snakepit.config.overrides import load_overrides

    return config.fleet(load_overrides(config.state_dir / "overrides.toml").scale)


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits: classes that a snake may take, names held back and why, files that nobody read."""

    classes: Mapping[ClassKey, int]
    held: Mapping[str, str]
    unread: int = 0


def _waits(store: "FilePit", people: Crew, waiting: int) -> tuple[WaitView, ...]:
    backlog = _backlog(store, waiting)
    reasons: dict[str, int] = {}
    for key, number in backlog.classes.items():
        reason = people.why_nobody(key) if number else ""
        if reason:
            reasons[reason] = reasons.get(reason, 0) + number
    if backlog.unread:
        reasons["not read yet, since nobody keeps the index"] = backlog.unread
    found = [WaitView(reason=why, count=number, names=()) for why, number in reasons.items()]
    found += group_waits(backlog.held.items())
    return tuple(sorted(found, key=lambda wait: (-wait.count, wait.reason)))


def _backlog(store: "FilePit", waiting: int) -> Backlog:
    """From the index where it knows every file, else from the files themselves, up to a limit."""
    held = store.held()
    indexed = store.waiting_by_class()
    if sum(indexed.values()) + len(held) == waiting:
        return Backlog(classes=indexed, held=held)
    return _read_backlog(store)


def _read_backlog(store: "FilePit") -> Backlog:
    from snakepit.store.reader import read_task

    classes: dict[ClassKey, int] = {}
    held: dict[str, str] = {}
    unread = 0
    for number, entry in enumerate(store.entries(State.QUEUED)):
        if number >= READ_AT_MOST:
            unread += 1
            continue
        if entry.size == 0:
            held[entry.name] = EMPTY
            continue
        try:
            task = read_task(entry.name, store.read(entry))
        except NotFound:
            continue  # it has just moved
        except SnakepitError as exc:
            held[entry.name] = exc.message
            continue
        reason = store.why_held(task)
        if reason:
            held[entry.name] = reason
        else:
            key = class_of(task)
            classes[key] = classes.get(key, 0) + 1
    return Backlog(classes=classes, held=held, unread=unread)


def _folded(
    config: "Config",
    seen: Seen,
    people: Crew,
    counts: Mapping[str, int],
    waits: tuple[WaitView, ...],
    notes: tuple[str, ...],
) -> StatusView:
    pid = daemon_pid(config)
    attach = next((worker.attach for worker in people.views.values() if worker.attach), "")
    if pid is None and load_fleet(config).is_up:
        notes = (*notes, "the daemon is not running; any snake starts it, or `agents.py up`")
    if os.path.exists(low_disk_path(config)):
        notes = (*notes, "too little free space: nothing is claimed; `agents.py clean`")
    return StatusView(
        pit=str(config.pit_dir),
        config=str(config.path),
        daemon="not running" if pid is None else "running" if pid else "starting",
        daemon_pid=pid or None,
        counts=counts,
        paused=seen.overrides.is_paused(ALL),
        workers=tuple(people.views.values()),
        services=tuple(
            ServiceView(
                name=service.name,
                state=_service_state(seen.panes.get(config.session_name(service))),
                attach=attach_line(config, service.name),
            )
            for service in config.services
        ),
        waits=waits,
        limits=limit_views(config, people.rests, waits),
        scaled=seen.overrides.scale,
        paused_workers=tuple(sorted(seen.overrides.paused)),
        notes=(*seen.notes, *notes),
        attach=attach,
        usage=spending_json(config),
        used=spending_line(config),
    )


def _service_state(pane: "Pane | None") -> str:
    return "stopped" if pane is None else "dead" if pane.dead else "running"
