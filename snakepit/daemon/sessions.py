"""Owns keeping the fleet's sessions running: as many as the fleet record says, no sooner than the
restart budget allows; with tmux gone, the same fleet again. It judges no agent's screen.
"""

import math
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.retry import LONGEST_DELAY_S
from snakepit.daemon.restarts import Restarts
from snakepit.errors import SnakepitError
from snakepit.pool.demand import DEMAND, answered, is_wanted
from snakepit.pool.end import end_agent, end_all, held_by, living
from snakepit.pool.fleet import Fleet, load_fleet, save_fleet, try_fleet_lock
from snakepit.pool.launch import (
    Plan,
    agent_plan,
    missing_program,
    service_plan,
    start_session,
    view_plan,
)
from snakepit.session.base import Host, Pane

if TYPE_CHECKING:
    from snakepit.config.model import Config
    from snakepit.pool.context import Pit

LONGEST_PASS_S = 5.0  # between two looks: what the exit watch has not met yet is found here
LATE_PANE_S = 0.05  # tmux has not yet seen that its pane's process is gone
CHANGE_PASS_S = 1.0  # while somebody is to leave
WAY_GRACE_S = 2.0
SERVER_FORGIVEN_S = 120.0
SERVER_LONGEST_S = 60.0


class Sessions:
    """`launch_config` is the config whose commands count: the one of the last `up` or `reload`."""

    def __init__(
        self,
        pit: "Pit",
        host: Host,
        restarts: Restarts,
        environ: Mapping[str, str],
        *,
        watch_panes: Callable[[Iterable[int]], None] = lambda _: None,
    ) -> None:
        self._pit = pit
        self._host = host
        self._restarts = restarts
        self._watch_panes = watch_panes
        self.environ = environ
        self.launch_config: Config = pit.config
        self._server_seen = False
        self._has_started = False
        self._called: set[str] = set()  # who starts on demand, without ever having run
        self._new_exits: deque[int] = deque()
        self._gone: set[int] = set()
        self._watched: frozenset[int] | None = None
        self._server_restarts: tuple[float, ...] = ()
        self.next_at: float | None = None  # wall time of the earliest restart that waits
        self.standing: dict[str, str] = {}

    def note_exits(self, pids: Iterable[int]) -> None:
        """From the watch of exits, which hears of them before tmux does; any thread."""
        self._new_exits.extend(pids)

    def step(self, now: float) -> None:
        """One pass; none while a command changes the fleet."""
        with try_fleet_lock(self._pit.config) as is_mine:
            if is_mine:
                self._pass(load_fleet(self._pit.config), clock.wall())

    def _pass(self, fleet: Fleet, wall: float) -> None:
        self.next_at = None
        if not fleet.is_up:
            self._server_seen = False
            return
        while self._new_exits:
            self._gone.add(self._new_exits.popleft())
        panes = {pane.session: pane for pane in self._host.panes()}
        self._gone &= {pane.pid for pane in panes.values() if not pane.dead}
        plans = self._plans(fleet, panes)
        if not any(plan.session in panes for plan in plans) and not self._may_start_server(wall):
            return
        is_new_server = self._server_seen and not panes
        if is_new_server:
            self._pit.journal.append("session.ended", session="*", reason="the tmux server is gone")
        self._restarts.refresh()
        self.standing = {}
        self._has_started = False
        for plan in plans:
            try:
                self._keep(plan, panes.get(plan.session), wall, free=not panes)
            except (SnakepitError, OSError) as error:
                self._failed(plan, error)
        self._server_seen = True
        if self._has_started or self._watched is None:
            panes = {pane.session: pane for pane in self._host.panes()}
        self._watch_exits(panes.values())
        self._settle_changes(fleet, plans)

    def _look_again_at(self, wall: float) -> None:
        self.next_at = min(self.next_at or math.inf, wall)

    def _plans(self, fleet: Fleet, panes: Mapping[str, Pane]) -> list[Plan]:
        config = self.launch_config
        plans = [view_plan(config, self.environ)]
        plans += [service_plan(config, service, self.environ) for service in config.services]
        for name in fleet.members:
            agent = config.member_of(name)
            if agent is None or missing_program(config, agent, self.environ):
                continue
            pane = panes.get(config.session_name(agent))
            is_running = pane is not None and not pane.dead
            if is_running or is_wanted(self._pit.config, self._pit.store, agent):
                plans.append(agent_plan(config, agent, self.environ))
                self._called |= {name} if agent.start == DEMAND and pane is None else set()
        return plans

    def _keep(self, plan: Plan, pane: Pane | None, wall: float, *, free: bool) -> None:
        """`free`: the server died, which says nothing about this session."""
        if pane is not None and not pane.dead and pane.pid in self._gone:
            self._look_again_at(wall + LATE_PANE_S)
            return
        if pane is not None and not pane.dead:
            self._restarts.healthy(plan.name, wall)
            self.standing[plan.name] = "running"
            return
        standing = self._restarts.of(plan.name)
        if plan.name in self._called:
            self._start(plan, None, wall, "it has food, or somebody attaches")
            return
        if free:
            self._start(plan, None, wall, "the tmux server was gone")
            return
        if standing.restart_at is None and not standing.is_degraded:
            standing = self._exited(plan, pane, wall)
        if standing.is_degraded:
            self.standing[plan.name] = "degraded"
        elif standing.restart_at is not None and 0 < standing.restart_at - wall <= LONGEST_DELAY_S:
            self.standing[plan.name] = "restarting"
            self._look_again_at(standing.restart_at)
        else:
            self._start(plan, pane, wall, _how(pane))

    def _exited(self, plan: Plan, pane: Pane | None, wall: float):  # type: ignore[no-untyped-def]
        self._pit.journal.append(
            "session.ended",
            worker=plan.name,
            session=plan.session,
            status=pane.exit_status if pane else None,
            reason=_how(pane),
        )
        standing = self._restarts.exited(plan.name, wall)
        if standing.is_degraded:
            count = len(standing.history.restarts)
            reason = f"{_how(pane)}; agents.py restart {plan.name} tries again"
            self._pit.journal.append(
                "worker.degraded", worker=plan.name, restarts=count, reason=reason
            )
        return standing

    def _start(self, plan: Plan, pane: Pane | None, wall: float, reason: str) -> None:
        self._has_started = True
        self._called.discard(plan.name)
        answered(self._pit.config, plan.name)
        self._clear_way(plan)
        start_session(self._pit, self._host, plan, pane=pane)
        standing = self._restarts.started(plan.name, wall)
        self.standing[plan.name] = "running"
        if plan.worker:
            count = len(standing.history.restarts)
            self._pit.journal.append("worker.restarted", worker=plan.name, n=count, reason=reason)
        else:
            self._pit.journal.append("service.restarted", service=plan.name, reason=reason)

    def _clear_way(self, plan: Plan) -> None:
        """An old life without a pane would keep the name from the new one."""
        lives = [life for life in living(self._pit) if plan.worker and life.worker == plan.worker]
        if lives:
            end_all(self._pit.config, [], lives, grace_s=WAY_GRACE_S)

    def _failed(self, plan: Plan, error: Exception) -> None:
        self._pit.journal.append(
            "log.error", worker=plan.name, message=str(error), where="daemon.sessions"
        )
        self._restarts.exited(plan.name, clock.wall())
        self.standing[plan.name] = "failed"

    def _may_start_server(self, wall: float) -> bool:
        """The first time at once; a server that keeps dying is started less and less often."""
        recent = tuple(at for at in self._server_restarts if 0 <= wall - at < SERVER_FORGIVEN_S)
        wait_s = min(2.0 ** (len(recent) - 1), SERVER_LONGEST_S) if recent else 0.0
        if recent and wall - recent[-1] < wait_s:
            self._look_again_at(recent[-1] + wait_s)
            return False
        self._server_restarts = (*recent, wall)
        return True

    def _watch_exits(self, panes: Iterable[Pane]) -> None:
        """Of every process in a pane, and of the server when the panes have changed."""
        pids = frozenset(pane.pid for pane in panes if not pane.dead)
        if pids and pids != self._watched:
            self._watched = pids
            self._watch_panes([*pids, self._host.probe()])

    def _settle_changes(self, fleet: Fleet, plans: Iterable[Plan]) -> None:
        """End who leaves and start anew who is stale, as soon as they hold nothing."""
        if not fleet.leaving and not fleet.stale:
            return
        self._look_again_at(clock.wall() + CHANGE_PASS_S)
        busy = {life.worker for life in living(self._pit) if held_by(self._pit, [life])}
        by_name = {plan.name: plan for plan in plans}
        for name in sorted((fleet.leaving | fleet.stale) - busy):
            plan = by_name.get(name)
            if name in fleet.leaving:
                session = self._pit.config.session_name(name)
                end_agent(self._pit, self._host, worker=name, session=session, grace_s=WAY_GRACE_S)
                self._restarts.forget(name)
                fleet = fleet.without(name)
            else:
                self._renew(plan)
                fleet = fleet.renewed(name)
            save_fleet(self._pit.config, fleet)

    def _renew(self, plan: Plan | None) -> None:
        if plan is None:
            return
        end_agent(
            self._pit,
            self._host,
            worker=plan.worker,
            session=plan.session,
            grace_s=WAY_GRACE_S,
        )
        start_session(self._pit, self._host, plan, pane=None)
        self._restarts.started(plan.name, clock.wall())


def _how(pane: Pane | None) -> str:
    if pane is None:
        return "its session was gone"
    if pane.exit_status is None:
        return "its process ended"
    return f"its process ended with {pane.exit_status}"
