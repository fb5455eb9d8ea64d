"""Owns the states of a task and which event leads from one to the next: the only place that says so.

A transition is one rename in the store; the event is the report of it. Events that move nothing (a beat, a
hold, an allowance) are not in the table. An event found by a scan obeys the same table.
"""

from collections.abc import Mapping
from enum import StrEnum

from snakepit.errors import InvalidTransition


class State(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    DEAD = "dead"


# `task.failed`, `task.released`, `task.recovered` and `task.split` put a task back; where its attempts are used up
# the store commits it to DEAD in the same step and the report is `task.dead`.
TRANSITIONS: Mapping[tuple[State, str], State] = {
    (State.QUEUED, "task.claimed"): State.CLAIMED,
    (State.QUEUED, "task.refused"): State.DEAD,
    (State.QUEUED, "task.cancelled"): State.DEAD,
    (State.QUEUED, "task.dead"): State.DEAD,
    (State.CLAIMED, "task.completed"): State.DONE,
    (State.CLAIMED, "task.failed"): State.QUEUED,
    (State.CLAIMED, "task.released"): State.QUEUED,
    (State.CLAIMED, "task.recovered"): State.QUEUED,
    (State.CLAIMED, "task.split"): State.QUEUED,
    (State.CLAIMED, "task.cancelled"): State.DEAD,
    (State.CLAIMED, "task.dead"): State.DEAD,
    (State.DEAD, "task.retried"): State.QUEUED,
}


def advance(state: State, event: str) -> State:
    """The state after the event; InvalidTransition, our own mistake, where the table has none."""
    try:
        return TRANSITIONS[state, event]
    except KeyError:
        message = f"a task that is {state} cannot see {event}"
        raise InvalidTransition(message) from None


def diagram() -> str:
    """The table as a mermaid state diagram, for the README."""
    edges: dict[tuple[State, State], list[str]] = {}
    for (state, event), after in TRANSITIONS.items():
        edges.setdefault((state, after), []).append(event.removeprefix("task."))
    lines = [f"    {a} --> {b}: {', '.join(events)}" for (a, b), events in edges.items()]
    return "\n".join(["stateDiagram-v2", "    [*] --> queued", *lines, "    done --> [*]"])
