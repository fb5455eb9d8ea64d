"""Owns bringing the fleet up: the record first, then the daemon and all sessions at once, then the wait
until each worker lives. Twice is the same fleet, and two at once are one after the other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from snakepit.pool.applied import is_same_place, keep_applied, load_applied
from snakepit.pool.attend import await_daemon, daemon_pid, start_daemon
from snakepit.pool.demand import WHY, is_wanted
from snakepit.pool.end import own_panes
from snakepit.pool.environment import keep_environment
from snakepit.pool.fleet import Fleet, fleet_lock, load_fleet, save_fleet
from snakepit.pool.launch import (
    Plan,
    Standing,
    Started,
    agent_plan,
    missing_program,
    service_plan,
    start_sessions,
    view_plan,
    wait_ready,
)
from snakepit.session.base import Host

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config
    from snakepit.pool.context import Pit


@dataclass(frozen=True, slots=True, kw_only=True)
class Up:
    """`failed`: the workers that did not come to life, each with what its pane showed."""

    sessions: Sequence[Started] = ()
    failed: Mapping[str, str] = field(default_factory=dict)
    is_new_daemon: bool = False
    is_daemon_ready: bool = True
    has_pending_changes: bool = False

    @property
    def is_whole(self) -> bool:
        broken = any(one.standing is Standing.FAILED for one in self.sessions)
        return not (broken or self.failed) and self.is_daemon_ready

    def of(self, *standings: Standing) -> list[Started]:
        return [one for one in self.sessions if one.standing in standings]


def bring_up(pit: "Pit", host: Host, environ: Mapping[str, str], *, scale: Mapping[str, int]) -> Up:
    """`environ` is the person's own; what sessions may need of it is kept for restarts."""
    config = pit.config
    with fleet_lock(config):
        fleet = load_fleet(config)
        keep_environment(config, environ)
        if not (own_panes(config, host) or daemon_pid(config)):
            fleet = Fleet()  # a record from before a reboot
        launch_config = _launch_config(config, fleet, environ)
        members = fleet.members if fleet.is_up else _wanted(launch_config, scale)
        save_fleet(config, replace(fleet, is_up=True, members=members))
        pit.store.set_paused(False)
        is_new_daemon = start_daemon(config, environ)
        if not fleet.is_up:
            _forget_restarts(config)
        sessions = _start(pit, host, launch_config, members, environ)
    failed = wait_ready(pit, host, sessions)
    is_ready = await_daemon(config)
    names = [one.name for one in sessions if one.standing is Standing.STARTED]
    if names or is_new_daemon:
        pit.journal.append("pool.up", agents=names)
    return Up(
        sessions=sessions,
        failed=failed,
        is_new_daemon=is_new_daemon,
        is_daemon_ready=is_ready,
        has_pending_changes=launch_config is not config,
    )


def _launch_config(config: "Config", fleet: Fleet, environ: Mapping[str, str]) -> "Config":
    """On a running fleet the commands of the last `up` or `reload` count."""
    applied = load_applied(config.state_dir, config.path, environ) if fleet.is_up else None
    if applied is None or applied == config or not is_same_place(applied, config):
        keep_applied(config)
        return config
    return applied


def _wanted(config: "Config", scale: Mapping[str, int]) -> tuple[str, ...]:
    return tuple(agent.name for agent in config.fleet(scale))


def _start(
    pit: "Pit",
    host: Host,
    config: "Config",
    members: Sequence[str],
    environ: Mapping[str, str],
) -> list[Started]:
    agents = [agent for name in members if (agent := config.member_of(name)) is not None]
    missing = {agent.name: missing_program(config, agent, environ) for agent in agents}
    asleep = [one for one in agents if not (missing[one.name] or is_wanted(config, pit.store, one))]
    running = {pane.session for pane in host.panes() if not pane.dead}
    asleep = [one for one in asleep if config.session_name(one) not in running]
    plans: list[Plan] = [
        agent_plan(config, agent, environ)
        for agent in agents
        if not missing[agent.name] and agent not in asleep
    ]
    plans += [service_plan(config, service, environ) for service in config.services]
    plans.append(view_plan(config, environ))
    absent = [_absent(config, agent, missing[agent.name]) for agent in agents]
    resting = [_absent(config, one, WHY, Standing.ASLEEP) for one in asleep]
    return [*start_sessions(pit, host, plans), *(one for one in absent if one.reason), *resting]


def _absent(
    config: "Config", agent: "Agent", reason: str, standing: Standing = Standing.NO_MODEL
) -> Started:
    return Started(
        name=agent.name,
        session=config.session_name(agent),
        standing=standing,
        reason=reason,
        worker=agent.name,
    )


def _forget_restarts(config: "Config") -> None:
    """A person starts the fleet anew: what failed before is forgiven."""
    folder = config.state_dir / "restarts"
    if folder.is_dir():
        for path in folder.iterdir():
            path.unlink(missing_ok=True)
