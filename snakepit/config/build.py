"""Owns joining checked sections to one Config: inheritance, pools, and what keys mean together."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from snakepit.config.model import (
    SCRIPT,
    Agent,
    Backend,
    Config,
    Defaults,
    Eats,
    EventSettings,
    PitSettings,
    Pool,
    ScriptSettings,
    Service,
    Watchdog,
)
from snakepit.config.sections import Section

_SELF_NAMED = ("keeper", "planner", "cleanup")
_OWN_NAMES = ("snakepit", "agents.py")
_FOLLOW = ("log", "follow-all")

Values = Mapping[str, Any]


def build(path: Path, sections: list[Section], notes: list[str]) -> Config:
    """The sections must have been filled; what they hold is taken as it is."""
    single: Mapping[str, Values] = {s.table.name: s.values for s in sections}
    of = {name: [s for s in sections if s.table.name == name] for name in single}
    defaults = Defaults(
        **{**single["defaults"], "tmux_socket": single["defaults"]["tmux_socket"] or ""}
    )
    backends = {section.name: _backend(section) for section in of["backend"]}
    pools = tuple(_pool(section.values, defaults) for section in of.get("pool", ()))
    agents = tuple(_agent(section.values, defaults) for section in of.get("agent", ()))
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


def _backend(section: Section) -> Backend:
    values: Values = section.values
    program = section.name if values["bin"] is None else values["bin"]
    process = values["process_name"]
    if process is None:
        process = os.path.basename(program) if values["prompt_delivery"] == "arg" else ""
    driver = "worker" if section.name == SCRIPT else "pane"
    rest = {"name": section.name, "driver": driver, "bin": program, "process_name": process}
    return Backend(**{**values, **rest})


def _agent(values: Values, defaults: Defaults) -> Agent:
    backend = values["backend"] or defaults.backend
    species = values["species"] or _species(values["name"] or "", backend)
    found = {
        "name": values["name"] or "",
        "backend": backend,
        "model": defaults.model if values["model"] is None else values["model"],
        "watch": values["watch"] or defaults.watch,
        "species": species,
        "eats": values["eats"] or Eats(species=(species,)),
        "feed": values["feed"] or ("task" if backend == SCRIPT else "self"),
    }
    return Agent(**{**values, **found})


def _species(name: str, backend: str) -> str:
    if backend == SCRIPT:
        return SCRIPT
    return name if name in _SELF_NAMED else "worker"


def _pool(values: Values, defaults: Defaults) -> Pool:
    own = {key: value for key, value in values.items() if key != "count"}
    template = _agent(own, defaults)
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
