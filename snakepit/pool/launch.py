"""Owns starting sessions: what runs in each pane, with which environment; twice gives the same fleet."""

import threading
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.errors import SessionError
from snakepit.pool.applied import STATE
from snakepit.pool.consent import missing
from snakepit.pool.environment import WHERE_TMUX_IS, session_environment
from snakepit.pool.program import module_argv, with_own_command
from snakepit.pool.server import note_server
from snakepit.pool.statefile import read_state, write_state
from snakepit.session import launchfile
from snakepit.session.base import Host, Pane
from snakepit.store.base import Verdict

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config, Service
    from snakepit.pool.context import Pit

READY_WAIT_S = 20.0
READY_LOOK_S = 0.02
VIEW = "watchdog"


class Standing(StrEnum):
    """Where a session stands after `start_sessions`."""

    STARTED = "started"
    RUNNING = "running"
    NO_MODEL = "no model"
    ASLEEP = "asleep"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """One session. `definition`: what its program reads of agents.toml; services have no `worker`."""

    name: str
    session: str
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: Path
    secrets: tuple[str, ...] = ()
    definition: object = None
    worker: str = ""
    driven: bool = False

    def is_same_start(self, other: "Plan") -> bool:
        """Whether a session of the one is what the other would start."""
        return (self.argv, self.env, self.cwd, self.definition) == (
            other.argv,
            other.env,
            other.cwd,
            other.definition,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Started:
    name: str
    session: str
    standing: Standing
    reason: str = ""
    worker: str = ""


def agent_plan(config: "Config", agent: "Agent", environ: Mapping[str, str]) -> Plan:
    backend = config.backend_of(agent)
    names = (*backend.env_pass, *agent.env_pass)
    is_driven = config.is_driven(agent)
    module = "snakepit.worker" if is_driven else "snakepit.worker.launch"
    own = {
        **agent.env,
        "SNAKEPIT_PIT": str(config.pit_dir),
        "SNAKEPIT_WORKER": agent.name,
        "SNAKEPIT_CONFIG": str(config.path),
        STATE: str(config.state_dir),
        **{key: value for key, value in environ.items() if key.startswith("SNAKEPIT_SET_")},
    }
    env = session_environment(environ, own=own, names=names)
    return Plan(
        name=agent.name,
        session=config.session_name(agent),
        argv=tuple(module_argv(module, "--config", str(config.path), "--agent", agent.name)),
        env={**env, "PATH": with_own_command(env["PATH"])},
        cwd=agent.dir,
        secrets=tuple(environ[name] for name in names if environ.get(name)),
        definition=(agent._replace(wake=None), backend),
        worker=agent.name,
        driven=is_driven,
    )


def service_plan(config: "Config", service: "Service", environ: Mapping[str, str]) -> Plan:
    """A service is a person's shell line, or one of our own verbs."""
    argv: Sequence[str] = ("/bin/sh", "-c", service.command)
    if service.own:
        argv = module_argv("snakepit.cli.main", "--config", str(config.path), *service.own)
    own = {"SNAKEPIT_CONFIG": str(config.path)}
    return Plan(
        name=service.name,
        session=config.session_name(service),
        argv=tuple(argv),
        env=session_environment(environ, own=own, names=()),
        cwd=service.dir,
    )


def view_plan(config: "Config", environ: Mapping[str, str]) -> Plan:
    return Plan(
        name=VIEW,
        session=config.session_name(VIEW),
        argv=tuple(module_argv("snakepit.daemon.view", "--config", str(config.path))),
        env=session_environment(environ, own={}, names=(WHERE_TMUX_IS,)),
        cwd=config.root,
    )


def missing_program(config: "Config", agent: "Agent", environ: Mapping[str, str]) -> str:
    """Why no session can be started for it; empty when one can."""
    return missing(config, agent, environ)


def start_session(pit: "Pit", host: Host, plan: Plan, *, pane: Pane | None) -> None:
    """Start it, or start it again in its dead pane. Identity travels in a file, never in an argv."""
    config = pit.config
    plan.cwd.mkdir(parents=True, exist_ok=True)
    mark = token_hex(8)
    env = {**plan.env, "SNAKEPIT_SESSION": mark}
    path = launchfile.write(config.state_dir / "launch", plan.session, plan.argv, env, plan.cwd)
    write_state(session_record(config, plan.session), {"mark": mark, "name": plan.name})
    log = None if plan.driven else config.log_dir / "raw" / f"{plan.name}.log"
    argv = launchfile.pane_command(path)
    if pane is None:
        host.start(plan.session, argv, cwd=plan.cwd, log=log, mask=plan.secrets, driven=plan.driven)
    else:
        host.respawn(plan.session, argv, cwd=plan.cwd, log=log, mask=plan.secrets)
    note_server(config, host)
    pit.journal.append("session.started", worker=plan.name, session=plan.session)


def session_mark(config: "Config", session: str) -> str:
    """What every process of the session has in its environment as SNAKEPIT_SESSION."""
    mark = read_state(session_record(config, session)).get("mark")
    return mark if isinstance(mark, str) else ""


def start_sessions(pit: "Pit", host: Host, plans: Iterable[Plan]) -> list[Started]:
    """Start those of the plans that do not run. One that fails does not keep the others."""
    panes = {pane.session: pane for pane in host.panes()}
    return [_start_one(pit, host, plan, panes.get(plan.session)) for plan in plans]


def _start_one(pit: "Pit", host: Host, plan: Plan, pane: Pane | None) -> Started:
    standing, reason = Standing.STARTED, ""
    if pane is not None and not pane.dead:
        standing = Standing.RUNNING
    else:
        try:
            start_session(pit, host, plan, pane=pane)
        except (SessionError, OSError) as error:
            standing, reason = Standing.FAILED, str(error)
    return Started(
        name=plan.name,
        session=plan.session,
        standing=standing,
        reason=reason,
        worker=plan.worker,
    )


def wait_ready(
    pit: "Pit", host: Host, started: Sequence[Started], *, seconds: float = READY_WAIT_S
) -> dict[str, str]:
    """Wait until each started worker has its life; name -> what it showed, for those that have none."""
    waiting = {one.worker: one for one in started if one.worker and _comes(one)}
    pause = threading.Event()
    deadline = clock.monotonic() + seconds
    looked = clock.monotonic()
    failed: dict[str, str] = {}
    while waiting:
        for record in pit.store.lives():
            if record.verdict is Verdict.ALIVE:
                waiting.pop(record.worker, None)
        now = clock.monotonic()
        if waiting and (now - looked > READY_LOOK_S * 10 or now > deadline):
            looked = now
            for name in _ended(host, waiting.values(), everyone=now > deadline):
                failed[name] = host.capture(waiting.pop(name).session, 12).strip()
        if waiting:
            pause.wait(READY_LOOK_S)
    return failed


def _comes(one: Started) -> bool:
    return one.standing in (Standing.STARTED, Standing.RUNNING)


def _ended(host: Host, waiting: Iterable[Started], *, everyone: bool) -> list[str]:
    alive = {pane.session for pane in host.panes() if not pane.dead}
    return [one.worker for one in waiting if everyone or one.session not in alive]


def session_record(config: "Config", session: str) -> Path:
    return config.state_dir / "sessions" / f"{session}.json"
