"""Owns reaping: what dead lives held goes back, by whoever notices first; told in the journal."""

from snakepit.core.lifecycle import State
from snakepit.pool.context import Pit
from snakepit.store.base import LifeRecord, Recovered

LAST_EVENTS = 2000  # among which a life that has just ended is looked for


def reap(pit: Pit, *, counted: bool = True) -> list[Recovered]:
    """Recover everything that is dead now; an empty list also when another process is at it."""
    from snakepit.pool.tree import end_life

    ended: dict[str, LifeRecord] = {}

    def end(record: LifeRecord) -> bool:
        gone = end_life(record)
        if gone:
            ended[record.generation] = record
        return gone

    recovered = pit.store.recover(end, counted=counted)
    orderly = _stopped(pit) if ended else frozenset()
    for record in ended.values():
        if record.generation in orderly:
            continue
        pit.journal.append(
            "worker.died",
            worker=record.worker,
            generation=record.generation,
            reason=f"process {record.pid} is gone",
        )
    for item in recovered or ():
        _tell(pit, item, counted=counted)
    return recovered or []


def _stopped(pit: Pit) -> frozenset[object]:
    """The lives that said themselves that they ended: their folders only wait to be removed."""
    return frozenset(
        event.data.get("generation")
        for event in pit.journal.tail(LAST_EVENTS)
        if event.type == "worker.stopped"
    )


def _tell(pit: Pit, item: Recovered, *, counted: bool) -> None:
    pit.journal.append(
        "task.recovered",
        task=item.name,
        worker=item.worker,
        attempt=item.attempt,
        generation=item.generation,
        state=item.state.value,
        counted=counted,
        reason=item.reason,
    )
    if item.state is State.DEAD:
        pit.journal.append(
            "task.dead", task=item.name, worker=item.worker, reason=item.reason, observed=True
        )
