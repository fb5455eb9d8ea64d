"""Owns who rests with which account, for whoever looks at the pool or claims by a verb; it changes nothing."""

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.view import LimitView, WaitView
from snakepit.pool.canary import remembered
from snakepit.pool.limits import Rest, longest, records
from snakepit.pool.told import rest_line, rest_line_now

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config


def resting_agents(config: "Config", agents: "Iterable[Agent]") -> Mapping[str, Rest]:
    """By name, the rest that keeps it from claiming now."""
    found = records(config)
    if not found:
        return {}
    now = clock.wall()
    rests = {
        agent.name: longest(
            found, remembered(config, agent), agent.model, lambda rest: not rest.is_over(now)
        )
        for agent in agents
    }
    return {name: rest for name, rest in rests.items() if rest is not None}


def why_rests(config: "Config", worker: str) -> str:
    """For a verb that claims in the name of an agent; "" where it may."""
    agent = config.member_of(worker)
    rest = resting_agents(config, [agent]).get(worker) if agent is not None else None
    return "" if rest is None else rest_line(rest, clock.wall())


def limit_views(
    config: "Config", rests: Mapping[str, Rest], waits: Iterable[WaitView] = ()
) -> tuple[LimitView, ...]:
    """What a person did not lift, also where its time has come and nobody was answered yet."""
    now = clock.wall()
    waiting = {wait.reason: wait.count for wait in waits}
    return tuple(
        LimitView(
            account=found.account,
            scope=found.scope,
            kind=found.kind,
            until=clock.stamp(found.until),
            since=clock.stamp(found.since),
            source=found.source,
            detail=found.detail,
            refused=found.refused,
            over=found.is_over(now),
            words=rest_line_now(found, now),
            workers=tuple(sorted(name for name, rest in rests.items() if rest == found)),
            waiting=waiting.get(rest_line(found, now), 0),
        )
        for found in records(config)
        if not found.lifted
    )
