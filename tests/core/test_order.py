from typing import NamedTuple

import pytest

from snakepit.core.order import ClassKey, Diet, class_of, sort_key
from snakepit.core.task import Task


class Eats(NamedTuple):
    test_id: str
    diet: Diet
    task: Task
    eats: bool


ANY = Diet(species=frozenset({"worker", "script"}), worker="w-1")
GPU = Diet(species=frozenset({"worker"}), labels=frozenset({"gpu", "big"}), worker="w-2")

EATS = [
    Eats("its species", ANY, Task(name="x.md"), True),
    Eats("one of its species", ANY, Task(name="x.md", runs=True), True),
    Eats("another species", ANY, Task(name="x.md", species="planner"), False),
    Eats("no labels wanted, some there", ANY, Task(name="x.md", labels=("gpu",)), True),
    Eats("a label shared", GPU, Task(name="x.md", labels=("a", "gpu")), True),
    Eats("no label shared", GPU, Task(name="x.md", labels=("a",)), False),
    Eats("a label wanted, none there", GPU, Task(name="x.md"), False),
    Eats("for it alone", ANY, Task(name="x.md", to="w-1"), True),
    Eats("for another", ANY, Task(name="x.md", to="w-2"), False),
    Eats("for it, but not its species", ANY, Task(name="x.md", big=True, to="w-1"), False),
    Eats("for it, but not its labels", GPU, Task(name="x.md", to="w-2"), False),
    Eats("script food for a model", GPU, Task(name="x.md", runs=True, labels=("gpu",)), False),
]


@pytest.mark.parametrize("case", EATS, ids=lambda case: case.test_id)
def test_a_worker_takes_what_it_may(case: Eats) -> None:
    key = class_of(case.task)
    assert case.diet.takes(key) is case.eats
    assert case.diet.eats(key.kind, case.task.labels, case.task.to) is case.eats


def test_tasks_with_the_same_labels_in_any_order_are_one_class() -> None:
    one = class_of(Task(name="a.md", labels=("b", "a", "b")))
    assert (
        one
        == class_of(Task(name="z.md", labels=("a", "b")))
        == ClassKey("worker", ("a", "b"), None)
    )


def test_the_order_is_priority_then_first_come_then_name() -> None:
    tasks = [
        (Task(name="late.md"), 9),
        (Task(name="b.md"), 5),
        (Task(name="a.md"), 5),
        (Task(name="urgent.md", priority=0), 99),
        (Task(name="low.md", priority=8), 1),
    ]
    ordered = sorted(sort_key(task, ctime) for task, ctime in tasks)
    assert [key.name for key in ordered] == ["urgent.md", "a.md", "b.md", "late.md", "low.md"]
