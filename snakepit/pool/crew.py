"""Owns what every agent is doing now, and why food waits for one; it looks and changes nothing."""

import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.config.auto import installed
from snakepit.config.overrides import Overrides, load_overrides
from snakepit.config.problem import did_you_mean
from snakepit.core.lifecycle import State
from snakepit.core.view import WorkerView
from snakepit.errors import SnakepitError
from snakepit.pool.attend import daemon_pid
from snakepit.pool.consent import WAITS, missing
from snakepit.pool.demand import DEMAND, WHY
from snakepit.pool.fleet import load_fleet
from snakepit.pool.resting import resting_agents
from snakepit.pool.role import model_calls
from snakepit.pool.statefile import read_state, strings
from snakepit.pool.told import rest_line
from snakepit.store.base import Verdict

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config
    from snakepit.core.order import ClassKey
    from snakepit.pool.limits import Rest
    from snakepit.session.base import Pane
    from snakepit.store.base import Entry, LifeRecord
    from snakepit.store.files import FilePit

EATING = frozenset(("working", "waiting", "running", "starting", "silent", "asleep"))
STARVED = "for a snake that can think: no agent CLI on PATH, no API key; see `agents.py doctor`"
UNSTARTED = "the pool is not running; `agents.py up`"
SHOWN = 3
NO_MODEL = "no model"
RESTING = "resting"
ASKS = "asks"
ASLEEP = "asleep"
SCRIPT = "script"
THINKING = ("worker", "planner")


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """Every agent of the fleet and every stranger in claimed/, each with its view."""

    agents: "tuple[Agent, ...]"
    views: Mapping[str, WorkerView]
    is_paused: bool = False  # by `down`, until the next `up`; `pause` is an override
    rests: "Mapping[str, Rest]" = field(default_factory=dict)  # by agent

    def why_nobody(self, key: "ClassKey") -> str:
        """Why no agent takes tasks of this class now; "" when one does."""
        eaters = [self.views[agent.name] for agent in self.agents if agent.diet.takes(key)]
        if not eaters:
            return self._no_eater(key)
        states = {view.state for view in eaters}
        if states & EATING:
            return "the pool is ending; `agents.py up` afterwards" if self.is_paused else ""
        if RESTING in states:
            return next(view.note for view in eaters if view.state == RESTING)
        if states == {NO_MODEL}:
            return _starved({view.note for view in eaters})
        names = ", ".join(view.name for view in eaters[:SHOWN])
        if "paused" in states:
            return f"{names}: paused; `agents.py resume`"
        if ASKS in states:
            return f"{names}: waits for a person; `agents.py attach {eaters[0].name}`"
        if "degraded" in states:
            return f"{names}: degraded, restarting did not help; `agents.py logs {eaters[0].name}`"
        return UNSTARTED

    def _no_eater(self, key: "ClassKey") -> str:
        reason = no_taste(self.agents, key)
        if reason:
            return reason
        if any(agent.species != SCRIPT for agent in self.agents):
            return f"for a {key.kind} snake: none in agents.toml"
        program = next(iter(installed(os.environ)), None)
        if program is None:
            return STARVED
        return (
            f"for a snake that can think: {program} is on PATH, agents.toml has no such snake yet"
        )


def _starved(notes: set[str]) -> str:
    """Why nobody who could think was started; each of `notes` is one snake's reason."""
    if WAITS in notes:
        return WAITS
    told = sorted(filter(None, notes))
    if not told:
        return STARVED
    fix = "" if "agents.py" in told[0] else "; see `agents.py doctor`"
    return f"for a snake that can think: {told[0]}{fix}"


def no_taste(agents: "Iterable[Agent]", key: "ClassKey") -> str:
    """Which word of a task's header no agent eats; "" where one does or a model is what is missing."""
    diets = [agent.diet for agent in agents]
    if key.to is not None:
        if any(diet.takes(key) for diet in diets):
            return ""
        return f"for {key.to}: no such snake in agents.toml, or it does not eat {key.kind} food"
    species = {name for diet in diets for name in diet.species}
    if key.kind not in species:
        if key.kind in THINKING:
            return ""
        return f"for a {key.kind} snake: none in agents.toml{did_you_mean(key.kind, species)}"
    if any(diet.takes(key) for diet in diets):
        return ""
    labels = {label for diet in diets if key.kind in diet.species for label in diet.labels}
    if not key.labels:
        some = ", ".join(sorted(labels))
        return f"for a {key.kind} snake that eats food without a label: all want one of {some}"
    likely = next(filter(None, (did_you_mean(label, labels) for label in key.labels)), "")
    wanted = f"one of the labels {', '.join(key.labels)}"
    return f"for a {key.kind} snake that eats {wanted}: none in agents.toml{likely}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What one look found; empty where there is no pit and no server."""

    lives: "Mapping[str, LifeRecord]"
    claims: "Mapping[str, list[Entry]]"
    panes: "Mapping[str, Pane]"
    overrides: Overrides
    degraded: frozenset[str] = frozenset()
    silent: frozenset[str] = frozenset()
    asking: Mapping[str, str] = field(default_factory=dict)  # what a person must answer, by agent
    restarts: Mapping[str, int]
    notes: tuple[str, ...] = ()
    is_paused: bool = False


def look(config: "Config", store: "FilePit | None") -> Seen:
    """Asks tmux at most once; a tmux that does not answer is a note."""
    panes, notes = _panes(config)
    overrides = load_overrides(config.state_dir / "overrides.toml")
    if overrides.problem:
        notes = (*notes, overrides.problem)
    restarts, degraded = _restarts(config)
    told = read_state(config.state_dir / "daemon.json") if daemon_pid(config) else {}
    return Seen(
        lives={life.worker: life for life in store.lives()} if store else {},
        claims=_claims(store.entries(State.CLAIMED)) if store else {},
        panes=panes,
        overrides=overrides,
        degraded=degraded,
        silent=frozenset(strings(told.get("silent"))),
        asking=_asking(told.get("asking")),
        restarts=restarts,
        notes=(*notes, *_told(told)),
        is_paused=store.paused if store else False,
    )


def crew(config: "Config", seen: Seen) -> Crew:
    agents = config.fleet(seen.overrides.scale)
    rests = resting_agents(config, agents)
    views = {agent.name: _agent_view(config, agent, seen, rests) for agent in agents}
    for name, life in seen.lives.items():
        if name not in views:
            views[name] = _stranger(life, seen.claims.get(name, []))
    return Crew(agents=agents, views=views, is_paused=seen.is_paused, rests=rests)


def attach_line(config: "Config", name: str) -> str:
    return f"tmux -L {config.socket} attach -t ={config.session_name(name)}"


def _panes(config: "Config") -> "tuple[dict[str, Pane], tuple[str, ...]]":
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


def _restarts(config: "Config") -> tuple[dict[str, int], frozenset[str]]:
    """Restarts not yet forgiven, and who is not restarted any more."""
    counts: dict[str, int] = {}
    degraded: set[str] = set()
    try:
        files = os.listdir(config.state_dir / "restarts")
    except OSError:
        return counts, frozenset()
    for file in files:
        name, suffix = os.path.splitext(file)
        if suffix != ".json" or name.startswith("."):
            continue
        record = read_state(config.state_dir / "restarts" / file)
        found = record.get("restarts")
        counts[name] = len(found) if isinstance(found, list) else 0
        if record.get("degraded") is True:
            degraded.add(name)
    return counts, frozenset(degraded)


def _asking(found: object) -> dict[str, str]:
    return {str(name): str(says) for name, says in found.items()} if isinstance(found, dict) else {}


def _told(state: Mapping[str, object]) -> tuple[str, ...]:
    """What only the daemon knows of agents.toml."""
    notes = []
    if state.get("config_problem"):
        notes.append(f"agents.toml is wrong, the old one counts: {state['config_problem']}")
    pending = strings(state.get("config_pending"))
    if pending:
        notes.append(f"waits for `agents.py reload`: {', '.join(pending)}")
    return tuple(notes)


def _agent_view(
    config: "Config", agent: "Agent", seen: Seen, rests: "Mapping[str, Rest]"
) -> WorkerView:
    name = agent.name
    claims = seen.claims.get(name, [])
    pane = seen.panes.get(config.session_name(name))
    state = _state(config, agent, seen)
    if state in ("waiting", "running") and name in rests:
        state = RESTING
    note = f"and {len(claims) - 1} more" if len(claims) > 1 else ""
    if state == NO_MODEL:
        note = missing(config, agent, os.environ)
    elif state == ASLEEP:
        note = WHY
    elif state == ASKS:
        note = f"waits for a person: {seen.asking[name]}; agents.py attach {name}"
    elif state == RESTING:
        note = rest_line(rests[name], clock.wall())
    elif pane is not None and model_calls(config, agent):
        note = model_calls(config, agent)
    return WorkerView(
        name=name,
        state=state,
        backend=agent.backend,
        species=agent.species,
        pool=agent.pool,
        task=claims[0].name if claims else None,
        since_s=_since(claims),
        restarts=seen.restarts.get(name, 0),
        attach=attach_line(config, name) if pane is not None else "",
        note=note,
    )


def _state(config: "Config", agent: "Agent", seen: Seen) -> str:
    name = agent.name
    pane = seen.panes.get(config.session_name(name))
    life = seen.lives.get(name)
    is_alive = life is not None and life.verdict is Verdict.ALIVE
    if name in seen.silent:
        return "silent"
    if name in seen.degraded:
        return "degraded"
    if (pane is None or pane.dead) and not is_alive and _is_asleep(config, agent):
        return ASLEEP
    if pane is None and not is_alive:
        return NO_MODEL if missing(config, agent, os.environ) else "stopped"
    if pane is not None and pane.dead:
        return "dead"
    if name in seen.asking:
        return ASKS
    if seen.claims.get(name):
        return "working"
    if seen.overrides.is_paused(name):
        return "paused"
    if not config.is_driven(agent):
        return "running"
    return "waiting" if is_alive else "starting"


def _is_asleep(config: "Config", agent: "Agent") -> bool:
    is_up = load_fleet(config).is_up
    return is_up and agent.start == DEMAND and not missing(config, agent, os.environ)


def _stranger(life: "LifeRecord", claims: "list[Entry]") -> WorkerView:
    """In claimed/ and not in agents.toml: a person, or a snake that was scaled away."""
    by_hand = life.verdict is Verdict.BY_HAND
    return WorkerView(
        name=life.worker,
        state="by hand" if by_hand else life.verdict.value,
        task=claims[0].name if claims else None,
        since_s=_since(claims),
        note="held by a person: nothing takes it back" if by_hand else "not in agents.toml",
    )


def _since(claims: "list[Entry]") -> float | None:
    return max(0.0, clock.wall() - claims[0].ctime_ns / 1e9) if claims else None
