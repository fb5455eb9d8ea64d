"""Owns joining checked sections to one Config: inheritance, pools, and what keys mean together."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from snakepit.config.model import (
    AUTO,
    CONVERSATION,
    PROGRAM,
    SCRIPT,
    TASK,
    Agent,
    Backend,
    Config,
    Defaults,
    Eats,
    EventSettings,
    MessagesSettings,
    PitSettings,
    Pool,
    ScriptSettings,
    Service,
    Watchdog,
)
from snakepit.config.sections import Section, built_in_name

_SELF_NAMED = ("keeper", "planner", "cleanup")
_OWN_NAMES = ("snakepit", "agents.py")
_FOLLOW = ("log", "follow-all")

Values = Mapping[str, Any]


def build(path: Path, sections: list[Section], notes: list[str], chosen: str = "") -> Config:
    """The sections must have been filled; what they hold is taken as it is. `chosen`: what `auto` is."""
    single: Mapping[str, Values] = {s.table.name: s.values for s in sections}
    of = {name: [s for s in sections if s.table.name == name] for name in single}
    defaults = Defaults(
        **{**single["defaults"], "tmux_socket": single["defaults"]["tmux_socket"] or ""}
    )
    server = single["anthropic"]["base_url"]
    backends = {s.name: served(backend_of(s), server) for s in of.get("backend", ())}
    known = _Known(defaults, backends, chosen)
    pools = tuple(_pool(section.values, known) for section in of.get("pool", ()))
    agents = tuple(_agent(section.values, known) for section in of.get("agent", ()))
    services = tuple(
        _service(section.values, path.parent, notes) for section in of.get("service", ())
    )
    members = (pool.member(number) for pool in pools for number in range(1, pool.size + 1))
    pit = single["pit"]
    return Config(
        path=path,
        watchdog=Watchdog(**single["watchdog"]),
        defaults=defaults,
        pit=_pit(pit),
        script=ScriptSettings(**single["script"]),
        anthropic=MessagesSettings(**single["anthropic"]),
        events=EventSettings(**single["events"]),
        backends=backends,
        agents=(*agents, *members),
        pools=pools,
        services=services,
        notes=tuple(notes),
    )


def _pit(values: Values) -> PitSettings:
    seconds = {"settle": "settle_s", "timeout": "timeout_s"}
    return PitSettings(**{seconds.get(name, name): value for name, value in values.items()})


class _Known(NamedTuple):
    """What an agent's own table is joined with."""

    defaults: Defaults
    backends: Mapping[str, Backend]
    chosen: str


def backend_of(section: Section) -> Backend:
    values: Values = section.values
    program = section.name if values["bin"] is None else values["bin"]
    process = values["process_name"]
    if process is None:
        process = os.path.basename(program) if values["prompt_delivery"] == "arg" else ""
    rest = {
        "name": section.name,
        "driver": "pane" if values["runner"] == PROGRAM else "worker",
        "bin": program,
        "process_name": process,
        "like": built_in_name(section),
        "recovery_s": values["recovery"],
        "given": section.deep,
    }
    return Backend(**{name: v for name, v in {**values, **rest}.items() if name != "recovery"})


def served(backend: Backend, base_url: object) -> Backend:
    """With a server of one's own, our agent needs no key."""
    is_ours = bool(base_url) and backend.runner == CONVERSATION
    return backend._replace(needs_env=()) if is_ours else backend


def _agent(values: Values, known: _Known) -> Agent:
    defaults = known.defaults
    named = values["backend"] or defaults.backend
    name = known.chosen or AUTO if named == AUTO else named
    backend = known.backends.get(name)
    runner = backend.runner if backend else PROGRAM
    is_task = values["kind"] == TASK
    species = values["species"] or _species(values["name"] or "", runner)
    model = defaults.model if values["model"] is None else values["model"]
    trust = values["trust_workspace"]
    found = {
        "name": values["name"] or "",
        "backend": name,
        "model": model or (backend.model if backend else ""),
        "watch": values["watch"] or defaults.watch,
        "species": species,
        "eats": values["eats"] or Eats(species=(species,)),
        "feed": values["feed"] or (TASK if is_task or runner != PROGRAM else "self"),
        "workspace": values["workspace"] or ("worktree" if is_task else "shared"),
        "trust_workspace": defaults.trust_workspace if trust is None else trust,
        "is_auto": named == AUTO,
    }
    return Agent(**{**values, **found})


def _species(name: str, runner: str) -> str:
    if runner == SCRIPT:
        return SCRIPT
    return name if name in _SELF_NAMED else "worker"


def _pool(values: Values, known: _Known) -> Pool:
    own = {key: value for key, value in values.items() if key != "count"}
    template = _agent(own, known)
    return Pool(name=template.name, size=values["count"] or 0, template=template)


def _service(values: Values, root: Path, notes: list[str]) -> Service:
    service = Service(
        name=values["name"] or "",
        command=values["command"] or "",
        dir=values["dir"],
        own=own_arguments(values["command"] or "", values["dir"]),
    )
    if service.own == _FOLLOW and "agent-log.py" in service.command:
        notes.append(
            f"[[service]] {service.name}: agent-log.py not found: "
            "`agent-log.py follow-all` means our `log follow-all`"
        )
    return service


def own_arguments(command: str, folder: Path) -> tuple[str, ...]:
    """What follows our own name in `snakepit log follow-all`; also for the reference's
    `python3 …/agent-log.py follow-all` where that file is not there. Empty for any other command."""
    words = command.split()
    if not words or set(command) & set("|&;<>()$`\\\"'*?[]#~=%{}\n"):
        return ()
    if words[0] in _OWN_NAMES:
        return tuple(words[1:])
    names = [word for word in words[:2] if os.path.basename(word) == "agent-log.py"]
    is_python = len(words) == 2 or os.path.basename(words[0]).startswith("python")
    if names and is_python and words[-1] == "follow-all" and words[-2] == names[0]:
        return () if os.path.exists(folder / names[0]) else _FOLLOW
    return ()
