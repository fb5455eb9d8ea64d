"""Owns what follows a failure: of a run (again, later, never), of a session (when, or degraded)."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from snakepit.core.task import Task

LONGEST_DELAY_S = 300.0
LONGEST_WAIT_S = 86400.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """Back to the queue with this counter, not before this instant (None: at once)."""

    attempt: int
    not_before: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Dead:
    attempt: int


def next_step(task: Task, *, counted: bool, limit: int, now: float) -> Retry | Dead:
    """`limit` is how many runs are counted in all unless the task says so itself: 3 is three runs.

    A run that is not counted never kills a task, however often it happens.
    """
    if not counted:
        return Retry(attempt=task.attempt)
    attempt = task.attempt + 1
    if attempt >= (task.attempts or limit):
        return Dead(attempt=attempt)
    delay = retry_delay(attempt)
    return Retry(attempt=attempt, not_before=now + delay if delay else None)


def waits_until(task: Task, now: float) -> float | None:
    """The instant before which the task waits, None when it may run.

    A delay that the pit wrote itself and that lies more than a day ahead was written by a clock that
    jumped: it is over.
    """
    at = task.not_before
    if at is None or at <= now:
        return None
    is_retry = task.attempt > 0 and task.reason is not None
    return None if is_retry and at - now > LONGEST_WAIT_S else at


def retry_delay(attempt: int) -> float:
    """Seconds to wait after the attempt-th counted run: none after the first, then 2, 4 … 300."""
    return 0.0 if attempt <= 1 else min(2.0 ** min(attempt - 1, 10), LONGEST_DELAY_S)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restart:
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Degraded:
    """Restarting does not help: a person must look. `restarts` happened within the window."""

    restarts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartHistory:
    """When a session was restarted without having been healthy in between; unix seconds."""

    started_at: float | None = None
    restarts: tuple[float, ...] = ()

    def to_dict(self) -> dict[str, object]:
        return {"started_at": self.started_at, "restarts": list(self.restarts)}

    @classmethod
    def from_dict(cls, raw: Mapping[str, object]) -> "RestartHistory":
        """Whatever cannot be read is forgotten: a damaged counter must not stop a session."""
        started, restarts = raw.get("started_at"), raw.get("restarts")
        return cls(
            started_at=float(started) if isinstance(started, int | float) else None,
            restarts=tuple(float(at) for at in restarts if isinstance(at, int | float))
            if isinstance(restarts, list)
            else (),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RestartBudget:
    """Back off min(2**n, longest_s); forgiven after healthy_s; degraded: `most` in window_s."""

    most: int = 5
    window_s: float = 1800.0
    healthy_s: float = 300.0
    longest_s: float = LONGEST_DELAY_S
    fresh: RestartHistory = field(default=RestartHistory())

    def after_start(self, history: RestartHistory, now: float) -> RestartHistory:
        return RestartHistory(started_at=now, restarts=history.restarts)

    def after_exit(
        self, history: RestartHistory, now: float
    ) -> tuple[RestartHistory, Restart | Degraded]:
        """The history to keep and what to do; a clock that jumped back never lengthens a wait."""
        if self.is_forgiven(history, now):
            history = self.fresh
        recent = tuple(min(at, now) for at in history.restarts if now - at < self.window_s)
        if len(recent) >= self.most:
            kept = RestartHistory(started_at=None, restarts=recent)
            return kept, Degraded(restarts=len(recent))
        at = now + min(2.0 ** min(len(recent), 10), self.longest_s)
        return RestartHistory(started_at=None, restarts=(*recent, now)), Restart(at=at)

    def is_forgiven(self, history: RestartHistory, now: float) -> bool:
        return history.started_at is not None and now - history.started_at >= self.healthy_s
