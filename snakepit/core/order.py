"""Owns who may take which task and which comes first; it knows no queue and no folder."""

from dataclasses import dataclass
from typing import NamedTuple

from snakepit.core.task import Task


class ClassKey(NamedTuple):
    """All tasks of one class are takeable by exactly the same workers: one cursor each."""

    kind: str
    labels: tuple[str, ...]
    to: str | None


class SortKey(NamedTuple):
    priority: int
    ctime_ns: int
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Diet:
    """What one worker takes. No labels: any task; else the task must share one of them."""

    species: frozenset[str]
    labels: frozenset[str] = frozenset()
    worker: str = ""

    def eats(self, kind: str, labels: tuple[str, ...] = (), to: str | None = None) -> bool:
        if to is not None and to != self.worker:
            return False
        if kind not in self.species:
            return False
        return not self.labels or not self.labels.isdisjoint(labels)

    def takes(self, key: ClassKey) -> bool:
        return self.eats(key.kind, key.labels, key.to)


def class_of(task: Task) -> ClassKey:
    return ClassKey(task.kind, tuple(sorted(set(task.labels))), task.to)


def sort_key(task: Task, ctime_ns: int) -> SortKey:
    return SortKey(task.priority, ctime_ns, task.name)
