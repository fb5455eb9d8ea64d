from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core.retry import (
    Dead,
    Degraded,
    Restart,
    RestartBudget,
    RestartHistory,
    Retry,
    next_step,
    retry_delay,
)
from snakepit.core.task import Task

NOW = 1000.0


class Step(NamedTuple):
    test_id: str
    task: Task
    counted: bool
    limit: int
    after: Retry | Dead


STEPS = [
    Step("first of three", Task(name="x.md"), True, 3, Retry(attempt=1)),
    Step("second of three", Task(name="x.md", attempt=1), True, 3, Retry(attempt=2, not_before=1002.0)),
    Step("third of three", Task(name="x.md", attempt=2), True, 3, Dead(attempt=3)),
    Step("beyond the limit", Task(name="x.md", attempt=9), True, 3, Dead(attempt=10)),
    Step("one is one run", Task(name="x.md"), True, 1, Dead(attempt=1)),
    Step("its own limit is less", Task(name="x.md", attempts=1), True, 3, Dead(attempt=1)),
    Step("more by itself", Task(name="x.md", attempts=9, attempt=2), True, 3, Retry(attempt=3, not_before=1004.0)),
    Step("not counted", Task(name="x.md", attempt=2), False, 3, Retry(attempt=2)),
    Step("not counted, at the limit", Task(name="x.md", attempt=3), False, 3, Retry(attempt=3)),
]  # fmt: skip


@pytest.mark.parametrize("case", STEPS, ids=lambda case: case.test_id)
def test_what_follows_a_run_that_did_not_end_well(case: Step) -> None:
    assert next_step(case.task, counted=case.counted, limit=case.limit, now=NOW) == case.after


def test_the_delay_grows_and_ends_at_five_minutes() -> None:
    delays = [retry_delay(attempt) for attempt in range(12)]
    assert delays == [0, 0, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300]
    assert retry_delay(10**9) == 300


@given(st.integers(1, 50))
def test_a_task_runs_exactly_as_often_as_its_limit_says(limit: int) -> None:
    task, runs = Task(name="x.md"), 0
    while True:
        runs += 1
        step = next_step(task, counted=True, limit=limit, now=NOW)
        if isinstance(step, Dead):
            break
        task = Task(name="x.md", attempt=step.attempt)
    assert runs == limit == step.attempt


BUDGET = RestartBudget()


def crash(history: RestartHistory, at: float) -> tuple[RestartHistory, Restart | Degraded]:
    return BUDGET.after_exit(history, at)


def test_restarts_back_off_and_end_as_degraded_after_five() -> None:
    history, now, waits = RestartHistory(), NOW, []
    while True:
        history = BUDGET.after_start(history, now)
        history, step = crash(history, now)
        if isinstance(step, Degraded):
            break
        waits.append(step.at - now)
        now = step.at
    assert waits == [1, 2, 4, 8, 16]
    assert step == Degraded(restarts=5)


def test_health_of_five_minutes_is_forgiveness() -> None:
    history = RestartHistory(restarts=(NOW, NOW + 1, NOW + 2, NOW + 3, NOW + 4))
    healthy = BUDGET.after_start(history, NOW + 10)
    assert not BUDGET.is_forgiven(healthy, NOW + 309)
    assert crash(healthy, NOW + 309)[1] == Degraded(restarts=5)
    assert BUDGET.is_forgiven(healthy, NOW + 310)
    assert crash(healthy, NOW + 310) == (
        RestartHistory(restarts=(NOW + 310,)),
        Restart(at=NOW + 311),
    )


def test_restarts_older_than_half_an_hour_do_not_count() -> None:
    history = RestartHistory(restarts=(NOW, NOW + 1, NOW + 2, NOW + 3, NOW + 4))
    assert crash(history, NOW + 1799.5)[1] == Degraded(restarts=5)
    kept, step = crash(history, NOW + 1800)
    assert step == Restart(at=NOW + 1800 + 16)
    assert len(kept.restarts) == 5


def test_a_session_that_never_started_is_not_forgiven_by_time() -> None:
    assert not BUDGET.is_forgiven(RestartHistory(restarts=(NOW,)), NOW + 10**6)


def test_a_clock_that_jumped_back_never_lengthens_a_wait() -> None:
    history = RestartHistory(started_at=10**9, restarts=(10.0**9,))
    kept, step = crash(history, NOW)
    assert step == Restart(at=NOW + 2)
    assert max(kept.restarts) == NOW


def test_the_wait_never_exceeds_its_longest() -> None:
    budget = RestartBudget(most=100, window_s=10**9)
    history = RestartHistory(restarts=tuple(NOW + n for n in range(50)))
    assert budget.after_exit(history, NOW + 60)[1] == Restart(at=NOW + 360)


@given(
    st.builds(
        RestartHistory,
        started_at=st.none() | st.floats(0, 2e9),
        restarts=st.lists(st.floats(0, 2e9), max_size=6).map(tuple),
    )
)
def test_a_history_survives_the_disk(history: RestartHistory) -> None:
    assert RestartHistory.from_dict(history.to_dict()) == history


@pytest.mark.parametrize("raw", [{}, {"restarts": 5}, {"started_at": "x", "restarts": ["y", None]}])
def test_a_damaged_history_is_forgotten(raw: dict[str, object]) -> None:
    assert RestartHistory.from_dict(raw) == RestartHistory()
