"""Owns feeding: a text becomes a waiting task, told in the journal as it was read."""

import base64
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from snakepit.core.header import edit
from snakepit.core.names import stem, task_name
from snakepit.core.task import Task
from snakepit.errors import TaskError
from snakepit.pool.context import Pit
from snakepit.store.reader import read_task

FORBIDDEN_TO_AGENTS = ("allowed", "attempt", "reason", "parent", "parts")
SUFFIX_BYTES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Fed:
    name: str
    path: Path
    task: Task


def fresh_name(name: str) -> str:
    """`<stem>-<4 base32>.md`: a name that will not be in use."""
    token = base64.b32encode(secrets.token_bytes(SUFFIX_BYTES)).decode().lower()[:4]
    return f"{stem(task_name(name))}-{token}.md"


def prepare(
    name: str, text: bytes, changes: Mapping[str, object | None], *, by: str | None = None
) -> tuple[bytes, Task]:
    """The text with its header keys set, and how it reads; TaskError when it does not.

    `by` is the worker that feeds: it may not allow its own code, nor set what the pit counts.
    """
    keys = dict(changes)
    if by is not None:
        keys.update(dict.fromkeys(FORBIDDEN_TO_AGENTS))
        keys["by"] = by
    if keys:
        text = edit(text, keys)
    if not text.strip():
        message = "the task is empty"
        raise TaskError(message, fix="give it some text")
    return text, read_task(name, text)


def feed(pit: Pit, tasks: Sequence[tuple[str, bytes, Task]]) -> list[Fed]:
    """Publish prepared tasks, durably; every one is told once all are out."""
    names = pit.store.publish_many([(name, text) for name, text, _ in tasks])
    fed = []
    for name, (_, _, task) in zip(names, tasks, strict=True):
        pit.journal.append(
            "task.queued", task=name, worker=None, attempt=None, **how_it_reads(task)
        )
        fed.append(Fed(name=name, path=pit.config.pit_dir / "food" / name, task=task))
    return fed


def feed_one(pit: Pit, name: str, text: bytes, *, by: str | None = None, **keys: object) -> Fed:
    prepared, task = prepare(name, text, keys, by=by)
    return feed(pit, [(name, prepared, task)])[0]


def how_it_reads(task: Task) -> dict[str, object]:
    """The fields of `task.queued`."""
    fields: dict[str, object] = {"kind": task.kind, "priority": task.priority, "title": task.title}
    if task.labels:
        fields["labels"] = list(task.labels)
    if task.needs:
        fields["waits_for"] = list(task.needs)
    if task.not_before is not None:
        fields["not_before"] = task.not_before
    if task.by:
        fields["by"] = task.by
    if task.parent:
        fields["parent"] = task.parent
    return fields
