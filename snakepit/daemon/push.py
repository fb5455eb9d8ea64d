"""Owns push feeding: who is idle gets the next task, and whose turn ended without settling is asked, once.

It looks and decides; each step is pool.push's. An agent's own claims are its own affair.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.composer import State
from snakepit.errors import ClaimLost, SessionError, StoreError
from snakepit.pool import push
from snakepit.pool.answering import Sight, see
from snakepit.pool.canary import remembered
from snakepit.pool.deliver import pane_lock
from snakepit.pool.fleet import load_fleet
from snakepit.pool.gate import Gate
from snakepit.pool.limits import resting
from snakepit.pool.occupant import Occupant, occupant
from snakepit.pool.push import Record, Step
from snakepit.store.base import Verdict

if TYPE_CHECKING:
    from snakepit.config.model import Agent
    from snakepit.pool.context import Pit
    from snakepit.session.base import Host
    from snakepit.store.base import Claim, Life

PUSH = "push"
QUIET_S = 6.0  # ready for so long without a change: the turn is over
FOOTER = 6  # rows at the bottom that may change while nothing goes on: a clock, a hint
BACK_OFF_S = 10.0  # after a text that could not be given


@dataclass(slots=True, kw_only=True)
class Quiet:
    """Since when a program has been ready, and the screen it has shown since then."""

    since: float
    rows: tuple[str, ...]


class PushFeeder:
    """`is_ready`: a life of that worker and generation takes texts."""

    def __init__(
        self,
        pit: "Pit",
        host: "Host",
        is_ready: Callable[[str, str], bool],
        *,
        quiet_s: float = QUIET_S,
        back_off_s: float = BACK_OFF_S,
    ) -> None:
        self._pit = pit
        self._host = host
        self._is_ready = is_ready
        self._quiet_s = quiet_s
        self._back_off_s = back_off_s
        self._gates: dict[str, Gate] = {}
        self._quiet: dict[str, Quiet] = {}
        self._not_before: dict[str, float] = {}
        self._asked: set[str] = set()  # lives whose records an earlier daemon may have left

    def step(self, now: float) -> None:
        config = self._pit.config
        fleet = load_fleet(config)
        members = (config.member_of(name) for name in fleet.members) if fleet.is_up else ()
        agents = [one for one in members if one and one.feed == PUSH and not config.is_driven(one)]
        lives = {life.worker: life for life in self._pit.store.lives()} if agents else {}
        for agent in agents:
            record = lives.get(agent.name)
            if record is not None and record.verdict is Verdict.ALIVE:
                self._feed(agent, record.generation, now)

    def _feed(self, agent: "Agent", generation: str, now: float) -> None:
        try:
            life = self._pit.store.adopt(agent.name, generation)
        except StoreError:
            return  # it ended just now
        try:
            self._look(agent, life, now)
        except (ClaimLost, SessionError):
            return  # the agent settled it meanwhile, or its pane went away: the next look tells
        finally:
            life.close()

    def _look(self, agent: "Agent", life: "Life", now: float) -> None:
        record = self._record(agent, life)
        claims = self._pit.store.claims_of(life)
        claim = next((one for one in claims if one.name == record.task), None)
        if claim is not None:
            self._tend(agent, life, claim, record, now)
        elif not claims and now >= self._not_before.get(agent.name, 0.0):
            if record.step is not Step.NONE:
                push.save(self._pit.config, agent.name, Record())
            if self._may_push(agent, life, now):
                done = push.push(self._pit, self._host, agent, life)
                self._quiet.pop(agent.name, None)
                if done is not None and not done.is_over:
                    self._not_before[agent.name] = now + self._back_off_s

    def _record(self, agent: "Agent", life: "Life") -> Record:
        """What is on record of this life; what an earlier daemon left is taken back, or asked about once more."""
        record = push.load(self._pit.config, agent.name)
        if record.generation != life.generation:
            return Record()
        if life.generation in self._asked:
            return record
        self._asked.add(life.generation)
        if record.step in (Step.CLAIMING, Step.CLAIMED):
            push.take_back(self._pit, agent, life, record)
            return Record()
        if record.step is Step.REMINDED:
            record = record._replace(step=Step.DELIVERED)
            push.save(self._pit.config, agent.name, record)
        return record

    def _may_push(self, agent: "Agent", life: "Life", now: float) -> bool:
        waiting = self._pit.store.waiting_by_class()
        if not any(count and agent.diet.takes(key) for key, count in waiting.items()):
            return False
        gate = self._gates.setdefault(agent.name, Gate(self._pit.config, agent.name))
        if (
            gate.closed()
            or self._pit.store.paused
            or not self._is_ready(agent.name, life.generation)
        ):
            return False
        account = remembered(self._pit.config, agent)
        if account and resting(self._pit.config, account, agent.model):
            return False
        return see(self._pit, self._host, agent).reading.is_free

    def _tend(
        self, agent: "Agent", life: "Life", claim: "Claim", record: Record, now: float
    ) -> None:
        """A task was given: is its turn over, or its time?"""
        limit = claim.task.timeout_s or self._pit.config.pit.timeout_s
        if limit and clock.wall() - record.claimed_at > limit:
            self._interrupt(agent)
            push.give_up(self._pit, agent, life, claim, f"its time of {limit:g} s was over")
            return
        sight = see(self._pit, self._host, agent)
        if not self._is_quiet(agent, sight, now) or now < self._not_before.get(agent.name, 0.0):
            return
        self._quiet.pop(agent.name, None)
        if record.step is not Step.REMINDED:
            if not push.remind(self._pit, self._host, agent, claim, record):
                self._not_before[agent.name] = now + self._back_off_s
            return
        reason = f"{agent.name} ended its turn twice without settling it"
        push.give_up(self._pit, agent, life, claim, reason)

    def _is_quiet(self, agent: "Agent", sight: Sight, now: float) -> bool:
        if sight.reading.state is not State.READY or not sight.reading.is_free:
            self._quiet.pop(agent.name, None)
            return False
        quiet = self._quiet.get(agent.name)
        rows = sight.look.rows[:-FOOTER]
        if quiet is None or quiet.rows != rows:
            self._quiet[agent.name] = Quiet(since=now, rows=rows)
            return False
        return now - quiet.since >= self._quiet_s

    def _interrupt(self, agent: "Agent") -> None:
        """End the turn that runs, if its own program reads the keys."""
        with pane_lock(self._pit.config, agent.name) as is_mine:
            sight = see(self._pit, self._host, agent)
            who = occupant(self._pit, agent, sight.look.pane)
            if (
                not is_mine
                or sight.reading.state is not State.WORKING
                or not isinstance(who, Occupant)
            ):
                return
            session = self._pit.config.session_name(agent)
            for key in self._pit.config.backend_of(agent).typing.interrupt:
                self._host.send_key(session, key)
