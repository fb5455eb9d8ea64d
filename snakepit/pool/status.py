"""Owns gathering what `status` shows, from folders, lives and one question to tmux; it starts nothing.

A pit that was never started has no folders: that is an answer too, and none are made.
"""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.agents.launchplan import find_program
from snakepit.core.lifecycle import State
from snakepit.core.order import ClassKey, class_of
from snakepit.core.view import ServiceView, StatusView, WaitView, WorkerView, group_waits
from snakepit.errors import NotFound, SnakepitError
from snakepit.pool.attend import daemon_pid
from snakepit.pool.fleet import load_fleet
from snakepit.store.base import Verdict
from snakepit.store.layout import FOLDER

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config
    from snakepit.core.task import Task
    from snakepit.session.base import Pane
    from snakepit.store.base import Entry, LifeRecord
    from snakepit.store.files import FilePit

SCRIPT = "script"
READ_AT_MOST = 300  # waiting files, where no index says what they are
NEXT_METHODS = ("working", "waiting", "running", "starting", "silent")
STARVED = "for a snake that can think: no agent CLI on PATH, no API key; see `agents.py doctor`"
UNSTARTED = "the pool is not running; `agents.py up`"


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Every agent with what it does now, and why it may take nothing."""

    agents: "tuple[Agent, ...]"
    views: Mapping[str, WorkerView]
    is_paused: bool

    def why_nobody(self, key: ClassKey) -> str:
        """Why no agent takes tasks of this class now; "" when one does."""
        eaters = [self.views[agent.name] for agent in self.agents if agent.diet.takes(key)]
        if not eaters:
            return _no_eater(key)
        if self.is_paused:
            return "the pool is paused; `agents.py resume`"
        states = {view.state for view in eaters}
        if states & set(NEXT_METHODS):
            return ""
        if states == {"no model"}:
            return STARVED
        names = ", ".join(view.name for view in eaters[:3])
        if "paused" in states:
            return f"{names}: paused; `agents.py resume`"
        if "degraded" in states:
            return f"{names}: degraded, restarting did not help; `agents.py logs {eaters[0].name}`"
        return UNSTARTED


def _no_eater(key: ClassKey) -> str:
    labels = f" that eats one of the labels {', '.join(key.labels)}" if key.labels else ""
    if key.to is not None:
        return f"for {key.to}: no such snake in agents.toml, or it does not eat {key.kind} food"
    return f"for a {key.kind} snake{labels}: none in agents.toml"


def view(config: "Config") -> StatusView:
    """The whole picture as it is now."""
    folders = dict.fromkeys(FOLDER.values(), 0)
    pid = daemon_pid(config)
    scale, paused_names = overrides_of(config)
    if not os.path.isdir(config.pit_dir / ".pit"):
        crew = _crew(config, [], {}, {}, paused_names, is_paused=False)
        note = f"{config.pit_dir} is not there yet; `agents.py up` makes it"
        return _folded(config, folders, crew, (), pid, scale, paused_names, (note,))
    store = _open(config)
    try:
        counts = store.counts()
        folders = {FOLDER[state]: counts.get(state, 0) for state in FOLDER}
        claims = _claims(store.entries(State.CLAIMED))
        panes, notes = _panes(config)
        crew = _crew(config, store.lives(), claims, panes, paused_names, is_paused=store.paused)
        waits = _waits(store, crew, counts[State.QUEUED])
    finally:
        store.close()
    return _folded(config, folders, crew, waits, pid, scale, paused_names, notes, panes)


def why_nobody(config: "Config", store: "FilePit", task: "Task") -> str:
    """Why no agent takes this task now; "" when one does."""
    _, paused_names = overrides_of(config)
    panes, _ = _panes(config)
    claims = _claims(store.entries(State.CLAIMED))
    crew = _crew(config, store.lives(), claims, panes, paused_names, is_paused=store.paused)
    return crew.why_nobody(class_of(task))


def current_agents(config: "Config") -> "tuple[Agent, ...]":
    """Every agent, pools at the size a person scaled them to."""
    return config.fleet(overrides_of(config)[0])


def overrides_of(config: "Config") -> tuple[Mapping[str, int], tuple[str, ...]]:
    """Scaled pools, and the names that are paused (`*`: all)."""
    path = config.state_dir / "overrides.toml"
    if not path.is_file():
        return {}, ()
    from snakepit.config.overrides import load_overrides

    overrides = load_overrides(path)
    return overrides.scale, tuple(sorted(overrides.paused))


def _open(config: "Config") -> "FilePit":
    from snakepit.store.files import open_pit

    return open_pit(config.pit_dir, accept_all=config.script.accept == "all")


def _panes(config: "Config") -> "tuple[dict[str, Pane], tuple[str, ...]]":
    """One question to tmux, none where no socket can be there; a silent tmux is a note."""
    if not _has_socket(config.socket):
        return {}, ()
    from snakepit.session.tmux import TmuxHost

    try:
        return {pane.session: pane for pane in TmuxHost(config.socket).panes()}, ()
    except SnakepitError as exc:
        return {}, (f"tmux does not answer: {exc.message}",)


def _has_socket(socket: str) -> bool:
    """Private servers lie in /tmp/tmux-<uid>/ (session/command.py); the person's own anywhere."""
    return socket == "default" or os.path.exists(f"/tmp/tmux-{os.getuid()}/{socket}")


def _claims(entries: "Iterable[Entry]") -> "dict[str, list[Entry]]":
    claims: dict[str, list[Entry]] = {}
    for entry in entries:
        if entry.worker is not None and not entry.in_hand:
            claims.setdefault(entry.worker, []).append(entry)
    return claims


def _crew(
    config: "Config",
    lives: "list[LifeRecord]",
    claims: "Mapping[str, list[Entry]]",
    panes: "Mapping[str, Pane]",
    paused: tuple[str, ...],
    *,
    is_paused: bool,
) -> Crew:
    agents = current_agents(config)
    records = {life.worker: life for life in lives}
    degraded = _degraded(config)
    views = {}
    for agent in agents:
        name = agent.name
        pane = panes.get(config.session_name(name))
        state = _state(config, agent, records.get(name), pane, claims.get(name, []))
        if name in degraded and state in ("stopped", "dead"):
            state = "degraded"
        if state not in ("stopped", "no model", "working") and (name in paused or "*" in paused):
            state = "paused"
        views[name] = _worker_view(config, agent, state, claims.get(name, []), pane)
    known = set(views)
    for life in lives:
        if life.worker not in known:
            views[life.worker] = _stranger(life, claims.get(life.worker, []))
    return Crew(agents=agents, views=views, is_paused=is_paused)


def _state(
    config: "Config",
    agent: "Agent",
    life: "LifeRecord | None",
    pane: "Pane | None",
    claims: "list[Entry]",
) -> str:
    backend = config.backend_of(agent)
    is_alive = life is not None and life.verdict is Verdict.ALIVE
    if pane is None and not is_alive:
        return "stopped" if find_program(backend) else "no model"
    if pane is not None and pane.dead:
        return "dead"
    if claims:
        return "working"
    if backend.driver == "pane":
        return "running"
    return "waiting" if is_alive else "starting"


def _worker_view(
    config: "Config", agent: "Agent", state: str, claims: "list[Entry]", pane: "Pane | None"
) -> WorkerView:
    first = claims[0] if claims else None
    note = f"and {len(claims) - 1} more" if len(claims) > 1 else ""
    if state == "no model":
        words = config.backend_of(agent).bin.split()
        note = f"{words[0] if words else agent.backend} is not on PATH"
    elif agent.feed == "self" and state == "running":
        note = "feeds itself: its CLI may call its model while there is no food"
    return WorkerView(
        name=agent.name,
        state=state,
        backend=agent.backend,
        species=agent.species,
        pool=agent.pool,
        task=first.name if first else None,
        since_s=max(0.0, clock.wall() - first.ctime_ns / 1e9) if first else None,
        attach=attach_line(config, agent.name) if pane is not None else "",
        note=note,
    )


def _stranger(life: "LifeRecord", claims: "list[Entry]") -> WorkerView:
    by_hand = life.verdict is Verdict.BY_HAND
    note = "held by a person: nothing takes it back" if by_hand else "not in agents.toml"
    first = claims[0] if claims else None
    return WorkerView(
        name=life.worker,
        state="by hand" if by_hand else life.verdict.value,
        task=first.name if first else None,
        since_s=max(0.0, clock.wall() - first.ctime_ns / 1e9) if first else None,
        note=note,
    )


def _degraded(config: "Config") -> frozenset[str]:
    """Agents that the daemon does not restart any more."""
    return frozenset()


def attach_line(config: "Config", name: str) -> str:
    return f"tmux -L {config.socket} attach -t ={config.session_name(name)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Backlog:
    """What waits: classes that a snake may take, names held back and why, files that nobody read."""

    classes: Mapping[ClassKey, int]
    held: Mapping[str, str]
    unread: int = 0


def _waits(store: "FilePit", crew: Crew, waiting: int) -> tuple[WaitView, ...]:
    backlog = _backlog(store, waiting)
    reasons: dict[str, int] = {}
    for key, number in backlog.classes.items():
        reason = crew.why_nobody(key) if number else ""
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
    counts: Mapping[str, int],
    crew: Crew,
    waits: tuple[WaitView, ...],
    pid: int | None,
    scale: Mapping[str, int],
    paused: tuple[str, ...],
    notes: tuple[str, ...],
    panes: "Mapping[str, Pane] | None" = None,
) -> StatusView:
    has_session = any(view.attach for view in crew.views.values())
    if load_fleet(config).is_up and pid is None:
        notes = (*notes, "the daemon is not running; any snake starts it, or `agents.py up`")
    attach = next((view.attach for view in crew.views.values() if view.attach), "")
    if has_session:
        notes = (*notes, f"attach: {attach}   (leave with Ctrl-b d)")
    return StatusView(
        pit=str(config.pit_dir),
        config=str(config.path),
        daemon="not running" if pid is None else "running" if pid else "starting",
        daemon_pid=pid or None,
        counts=counts,
        paused=crew.is_paused,
        workers=tuple(crew.views.values()),
        services=tuple(
            ServiceView(
                name=service.name,
                state=_service_state((panes or {}).get(config.session_name(service))),
                attach=attach_line(config, service.name),
            )
            for service in config.services
        ),
        waits=waits,
        scaled=scale,
        paused_workers=paused,
        notes=notes,
    )


def _service_state(pane: "Pane | None") -> str:
    return "stopped" if pane is None else "dead" if pane.dead else "running"
