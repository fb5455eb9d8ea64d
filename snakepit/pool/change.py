"""Owns what a person changes about a running fleet: restart, scale, pause and reload, each with its event."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from snakepit.config import overrides
from snakepit.config.changes import compare
from snakepit.errors import NotFound, SnakepitError
from snakepit.pool.applied import is_same_place, keep_applied, load_applied
from snakepit.pool.attend import hang_up_daemon
from snakepit.pool.end import Ended, end_agent, held_by, living
from snakepit.pool.environment import keep_environment, kept_environment
from snakepit.pool.fleet import Fleet, fleet_lock, load_fleet, pool_of, resize, save_fleet
from snakepit.pool.launch import (
    VIEW,
    Plan,
    agent_plan,
    missing_program,
    service_plan,
    start_session,
    view_plan,
)
from snakepit.session.base import Host

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Config
    from snakepit.pool.context import Pit

GRACE_S = 10.0


def overrides_path(config: "Config") -> "Path":
    return config.state_dir / overrides.FILE


def restart_one(pit: "Pit", host: Host, name: str, *, grace_s: float) -> Ended:
    """What it held goes back uncounted; its restart counter begins anew."""
    with fleet_lock(pit.config):
        config, environ = _in_use(pit.config)
        fleet = load_fleet(config)
        if not fleet.is_up:
            msg = "the pool is down"
            raise SnakepitError(msg, fix="agents.py up")
        plan = _plan_of(config, fleet, name, environ)
        ended = end_agent(pit, host, worker=plan.worker, session=plan.session, grace_s=grace_s)
        (config.state_dir / "restarts" / f"{name}.json").unlink(missing_ok=True)
        start_session(pit, host, plan, pane=None)
        save_fleet(config, fleet.renewed(name))
    if plan.worker:
        pit.journal.append("worker.restarted", worker=name, n=0, reason="by a person")
    else:
        pit.journal.append("service.restarted", service=name, reason="by a person")
    return ended


def _plan_of(config: "Config", fleet: Fleet, name: str, environ: Mapping[str, str]) -> Plan:
    for service in config.services:
        if service.name == name:
            return service_plan(config, service, environ)
    if name == VIEW:
        return view_plan(config, environ)
    agent = config.member_of(name) if name in fleet.members else None
    if agent is None:
        known = ", ".join([*fleet.members, *(service.name for service in config.services)])
        msg = f"no snake or service {name!r} runs here"
        raise NotFound(msg, fix=f"one of {known}")
    missing = missing_program(config, agent, environ)
    if missing:
        msg = f"{name} cannot be started: {missing}"
        raise SnakepitError(msg, fix="agents.py doctor")
    return agent_plan(config, agent, environ)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescaled:
    pool: str
    was: int
    count: int
    started: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    is_up: bool = True
    waits_for_reload: bool = False

    def to_json(self) -> dict[str, object]:
        return {
            "pool": self.pool,
            "was": self.was,
            "count": self.count,
            "started": list(self.started),
            "ended": list(self.ended),
            "leaving": list(self.leaving),
            "waits_for_reload": self.waits_for_reload,
        }

    def lines(self) -> Iterator[str]:
        if self.waits_for_reload:
            yield f"{self.pool}: {self.count}, which waits for `agents.py reload`: the pool is new"
            return
        yield f"{self.pool}: {self.was} -> {self.count}"
        if not self.is_up:
            yield "the pool is down; the new size counts at the next up"
        if self.started:
            yield f"started: {', '.join(self.started)}"
        if self.ended:
            yield f"ended: {', '.join(self.ended)}"
        if self.leaving:
            yield f"end after their meal: {', '.join(self.leaving)}"


def rescale(pit: "Pit", host: Host, pool: str, count: int) -> Rescaled:
    """Idle ones go first; a busy one claims nothing new and is ended by the daemon when it holds nothing."""
    with fleet_lock(pit.config):
        config, environ = _in_use(pit.config)
        scale = overrides.load_overrides(overrides_path(config)).scale
        fleet = load_fleet(config)
        is_new = fleet.is_up and config.pool(pool) is None
        found = config.pool(pool) or pit.config.pool(pool)
        size = found.size if found else 0
        was = scale.get(pool, size)
        overrides.set_scale(overrides_path(config), pool, None if count == size else count)
        change = Rescaled(
            pool=pool, was=was, count=count, is_up=fleet.is_up, waits_for_reload=is_new
        )
        if fleet.is_up and not is_new:
            change = _resize_fleet(pit, host, config, fleet, change, environ)
    if change.leaving:
        hang_up_daemon(pit.config)
    if was != count or change.started or change.ended:
        pit.journal.append("pool.scaled", name=pool, was=was, count=count)
    return change


def _resize_fleet(
    pit: "Pit",
    host: Host,
    config: "Config",
    fleet: Fleet,
    change: Rescaled,
    environ: Mapping[str, str],
) -> Rescaled:
    busy = {life.worker for life in living(pit) if held_by(pit, [life])}
    plan = resize(change.pool, fleet.members, change.count, busy)
    others = frozenset(name for name in fleet.leaving if pool_of(name) != change.pool)
    fleet = replace(
        fleet,
        members=tuple(name for name in fleet.members if name not in plan.end) + plan.start,
        leaving=others | set(plan.leave),
        stale=fleet.stale - set(plan.end),
    )
    save_fleet(config, fleet)
    for name in plan.end:
        session = config.session_name(name)
        end_agent(pit, host, worker=name, session=session, grace_s=GRACE_S)
        (config.state_dir / "restarts" / f"{name}.json").unlink(missing_ok=True)
    started = tuple(name for name in plan.start if _start(pit, host, config, name, environ))
    return replace(change, started=started, ended=plan.end, leaving=plan.leave)


def _start(pit: "Pit", host: Host, config: "Config", name: str, environ: Mapping[str, str]) -> bool:
    agent = config.member_of(name)
    if agent is None or missing_program(config, agent, environ):
        return False
    plan = agent_plan(config, agent, environ)
    pane = next((pane for pane in host.panes() if pane.session == plan.session), None)
    if pane is None or pane.dead:
        start_session(pit, host, plan, pane=pane)
    return True


def set_paused(pit: "Pit", name: str | None, *, paused: bool) -> tuple[bool, tuple[str, ...]]:
    """Whether that changed anything, and who is paused now (`*`: all)."""
    config = pit.config
    path = overrides_path(config)
    fleet = load_fleet(config)
    if name is not None and name not in fleet.members and config.member_of(name) is None:
        known = ", ".join(fleet.members or [agent.name for agent in config.agents])
        msg = f"no snake {name!r} in {config.path}"
        raise NotFound(msg, fix=f"one of {known}")
    before = overrides.load_overrides(path).paused
    after = overrides.set_paused(path, name or overrides.ALL, paused=paused).paused
    if before != after:
        kind = "pool.paused" if paused else "pool.resumed"
        pit.journal.append(kind, name=name or overrides.ALL)
    return before != after, tuple(sorted(after))


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    changed: tuple[str, ...] = ()
    restarted: tuple[str, ...] = ()
    started: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()
    leaving: tuple[str, ...] = ()
    is_up: bool = True

    def to_json(self) -> dict[str, object]:
        return {
            "changed": list(self.changed),
            "restarted": list(self.restarted),
            "started": list(self.started),
            "ended": list(self.ended),
            "leaving": list(self.leaving),
        }

    def lines(self) -> Iterator[str]:
        if not self.is_up:
            yield "the pool is down; agents.py up uses the file as it is"
        elif not self.changed:
            yield "nothing waits: the pool runs as agents.toml says"
        for text in self.changed:
            yield f"changed: {text}"
        for word, names in (
            ("restarted", self.restarted),
            ("started", self.started),
            ("ended", self.ended),
            ("change after their meal", self.leaving),
        ):
            if names:
                yield f"{word}: {', '.join(names)}"


def apply_config(pit: "Pit", host: Host, environ: Mapping[str, str]) -> Applied:
    """Make the fleet what agents.toml says now: idle sessions at once, busy ones after their meal."""
    new = pit.config
    with fleet_lock(new):
        fleet = load_fleet(new)
        if not fleet.is_up:
            return Applied(is_up=False)
        old = load_applied(new.state_dir, new.path, kept_environment(new.state_dir)) or new
        if not is_same_place(old, new):
            msg = "pit.path, log_dir, tmux_socket or session_prefix has changed"
            raise SnakepitError(msg, fix="agents.py down, with the old file; then agents.py up")
        changes = compare(old, new)
        before = _plans(old, fleet.members, kept_environment(new.state_dir))
        keep_environment(new, environ)
        keep_applied(new)
        scale = overrides.load_overrides(overrides_path(new)).scale
        wanted = [agent.name for agent in new.fleet(scale)]
        after = _plans(new, wanted, environ)
        applied = _converge(pit, host, fleet, before, after, wanted)
        applied = replace(applied, changed=(*changes.now, *changes.waiting))
    hang_up_daemon(new)
    if applied.changed:
        pit.journal.append("config.reloaded", changed=list(applied.changed))
    return applied


def _plans(
    config: "Config", members: "tuple[str, ...] | list[str]", environ: Mapping[str, str]
) -> dict[str, Plan]:
    plans = {service.name: service_plan(config, service, environ) for service in config.services}
    for name in members:
        agent = config.member_of(name)
        if agent is not None and not missing_program(config, agent, environ):
            plans[name] = agent_plan(config, agent, environ)
    return plans


def _converge(
    pit: "Pit",
    host: Host,
    fleet: Fleet,
    before: Mapping[str, Plan],
    after: Mapping[str, Plan],
    wanted: list[str],
) -> Applied:
    config = pit.config
    busy = {life.worker for life in living(pit) if held_by(pit, [life])}
    gone = [name for name in before if name not in after]
    changed = [
        name
        for name, plan in after.items()
        if name in before and not plan.is_same_start(before[name])
    ]
    later_gone = [name for name in gone if name in busy]
    later_changed = [name for name in changed if name in busy]
    members = tuple(dict.fromkeys([*wanted, *later_gone]))
    save_fleet(
        config,
        Fleet(
            is_up=True,
            members=members,
            leaving=frozenset(later_gone),
            stale=frozenset(later_changed),
        ),
    )
    ended = [name for name in gone if name not in busy]
    restarted = [name for name in changed if name not in busy]
    for name in [*ended, *restarted]:
        plan = before[name]
        end_agent(pit, host, worker=plan.worker, session=plan.session, grace_s=GRACE_S)
    started = [name for name in after if name not in before]
    for name in [*restarted, *started]:
        start_session(pit, host, after[name], pane=None)
    return Applied(
        restarted=tuple(restarted),
        started=tuple(started),
        ended=tuple(ended),
        leaving=(*later_gone, *later_changed),
    )


def _in_use(config: "Config") -> "tuple[Config, Mapping[str, str]]":
    """The config whose commands count on a running fleet, and the environment that `up` kept."""
    environ = kept_environment(config.state_dir)
    applied = load_applied(config.state_dir, config.path, environ)
    return (applied if applied and is_same_place(applied, config) else config), environ
