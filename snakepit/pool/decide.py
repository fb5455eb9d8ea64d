"""Owns what a person decides about a task: retry, cancel, allow; each with its event."""

from typing import TYPE_CHECKING

from snakepit.core import names
from snakepit.core.lifecycle import State
from snakepit.errors import NotFound, StoreError, TaskError
from snakepit.pool.tree import MARK, end_tree
from snakepit.store.base import Verdict
from snakepit.store.reader import read_task
from snakepit.system import process

if TYPE_CHECKING:
    from snakepit.pool.context import Pit
    from snakepit.store.base import Entry, LifeRecord

MARK_TASK = "SNAKEPIT_TASK"
PERSON = "person"


def retry(pit: "Pit", entry: "Entry") -> str:
    """The name it got back in food/; a note in place of what was no file is no task."""
    if is_refusal(entry.name, pit.store.read(entry)):
        msg = f"{entry.name} is a note about something that was no task"
        raise StoreError(msg, fix=f"agents.py show {names.stem(entry.name)} tells where it lies")
    name = pit.store.retry(entry.name)
    pit.journal.append("task.retried", task=name)
    return name


def is_refusal(name: str, data: bytes) -> bool:
    try:
        return read_task(name, data).extra.get("refused") is True
    except TaskError:
        return False


def allow(pit: "Pit", entry: "Entry", *, by: str = PERSON) -> str:
    name = pit.store.allow(entry.name)
    pit.journal.append("task.allowed", task=name, by=by)
    return name


def cancel(pit: "Pit", entry: "Entry", reason: str, *, by: str = PERSON) -> str:
    """The name it got in scraps/; a claimed task's run is ended after the claim is taken from it."""
    if by != PERSON:
        reason = f"{reason} (by {by})"
    if entry.state == State.CLAIMED:
        return _cancel_claimed(pit, entry, reason, by)
    name = pit.store.cancel(entry.name, reason)
    pit.journal.append("task.cancelled", task=name, reason=reason, by=by)
    return name


def _cancel_claimed(pit: "Pit", entry: "Entry", reason: str, by: str) -> str:
    """First the claim, then the kill: the worker that sees its run end must find nothing to fail.

    Nobody else starts the task meanwhile, since it goes to the dead letters and not to the queue.
    """
    record = _holder(pit, entry)
    life = pit.store.adopt(record.worker, record.generation)
    try:
        claim = next((c for c in pit.store.claims_of(life) if c.name == entry.name), None)
        if claim is None:
            msg = f"{entry.name} has just moved on"
            raise NotFound(msg, fix=f"agents.py show {names.stem(entry.name)}")
        settled = pit.store.fail(claim, life, reason, counted=False, dead=True)
    finally:
        life.close()
    pit.journal.append(
        "task.cancelled",
        task=settled.name,
        worker=record.worker,
        attempt=claim.attempt,
        reason=reason,
        by=by,
    )
    end_run(record.generation, entry.name)
    return settled.name


def _holder(pit: "Pit", entry: "Entry") -> "LifeRecord":
    for record in pit.store.lives():
        if record.worker == entry.worker and record.verdict == Verdict.ALIVE:
            return record
    if entry.worker and not entry.in_hand:
        where = f"claimed/{entry.worker}/"
        msg = f"{entry.name} lies in {where}, and no running snake holds it"
        fix = f"agents.py fsck --fix gives back what is dead; else mv -n {entry.path} to food/"
        raise StoreError(msg, fix=fix)
    msg = f"{entry.name} is being settled at this moment"
    raise StoreError(msg, fix=f"agents.py show {names.stem(entry.name)}")


def end_run(generation: str, task: str) -> bool:
    """End what runs for this task of this life; the worker stays. True when nothing is left."""
    marked = process.pids_with_mark(MARK_TASK, task)
    return end_tree(marked & process.pids_with_mark(MARK, generation))
