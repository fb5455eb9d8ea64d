"""Owns the one picture of a pit that status and dashboards show; it asks nobody and prints nothing.

`to_json` is public: keys may be added, never renamed without a line in the changelog.
"""

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace

from snakepit.core.duration import format_duration
from snakepit.core.lifecycle import State

SHOWN = 3  # names behind one reason
EVERYBODY = "*"
NO_MODEL = "no model"


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerView:
    """`state` is one word for people: working, waiting, paused, starting, silent, degraded, stopped, no model."""

    name: str
    state: str
    backend: str = ""
    species: str = ""
    pool: str | None = None
    task: str | None = None
    attempt: int | None = None
    since_s: float | None = None
    restarts: int = 0
    attach: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceView:
    name: str
    state: str
    attach: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitView:
    """Tasks that wait for the same reason; `names` are the first few of `count`."""

    reason: str
    count: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitView:
    """An account that rests: `words` say it for people, `waiting` counts the tasks that wait for it alone.

    `until` and `since` are RFC 3339 in UTC; `over` is true while one snake tries whether it answers again.
    """

    account: str
    scope: str
    kind: str
    until: str
    since: str
    source: str
    detail: str
    refused: int
    over: bool
    words: str
    workers: tuple[str, ...] = ()
    waiting: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StatusView:
    pit: str
    config: str
    daemon: str
    counts: Mapping[str, int]
    daemon_pid: int | None = None
    paused: bool = False
    workers: tuple[WorkerView, ...] = ()
    services: tuple[ServiceView, ...] = ()
    waits: tuple[WaitView, ...] = ()
    limits: tuple[LimitView, ...] = ()
    scaled: Mapping[str, int] = field(default_factory=dict)
    paused_workers: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    attach: str = ""
    usage: Mapping[str, object] = field(default_factory=dict)
    used: str = ""

    def to_json(self) -> dict[str, object]:
        return asdict(self)


def count_states(counts: Mapping[State, int]) -> dict[str, int]:
    """Every state has its number, those that hold nothing too."""
    return {state.value: counts.get(state, 0) for state in State}


def group_waits(held: Iterable[tuple[str, str]]) -> tuple[WaitView, ...]:
    """(name, reason) pairs as one line a reason, the reason of most tasks first."""
    grouped: dict[str, list[str]] = {}
    for name, reason in held:
        grouped.setdefault(reason, []).append(name)
    waits = [
        WaitView(reason=reason, count=len(names), names=tuple(sorted(names)[:SHOWN]))
        for reason, names in grouped.items()
    ]
    return tuple(sorted(waits, key=lambda wait: (-wait.count, wait.reason)))


def plain_lines(view: StatusView) -> list[str]:
    """For a pipe: one fact a line, the same words on every machine."""
    return [*head_lines(view), *map(_worker_line, shown_workers(view)), *tail_lines(view)]


def shown_workers(view: StatusView) -> list[WorkerView]:
    """Why a program is missing is told once, not for each snake that has it."""
    shown: list[WorkerView] = []
    told: set[str] = set()
    for worker in view.workers:
        is_known = worker.state == NO_MODEL and worker.note in told
        told.add(worker.note)
        shown.append(replace(worker, note="") if is_known else worker)
    return shown


def head_lines(view: StatusView) -> list[str]:
    counts = "  ".join(f"{state} {count}" for state, count in view.counts.items())
    pid = f", pid {view.daemon_pid}" if view.daemon_pid else ""
    lines = [f"pit {view.pit}", f"tasks  {counts}", f"daemon {view.daemon}{pid}"]
    return [*lines, "paused: no new claims"] if view.paused else lines


def tail_lines(view: StatusView) -> list[str]:
    """All but the head and the workers."""
    lines = [f"service {service.name}  {service.state}" for service in view.services]
    lines += [limit_line(limit) for limit in view.limits]
    lines += [_wait_line(wait) for wait in view.waits]
    lines += [f"paused {name}" for name in view.paused_workers if name != EVERYBODY]
    lines += [f"scaled {pool}={count}" for pool, count in sorted(view.scaled.items())]
    lines += [f"used: {view.used}"] if view.used else []
    lines += [f"note: {note}" for note in view.notes]
    if view.attach:
        lines.append(f"attach: {view.attach}   (leave with Ctrl-b d)")
    return lines


def limit_line(limit: LimitView) -> str:
    workers, tasks = len(limit.workers), limit.waiting
    rest = f"{workers} {'snake rests' if workers == 1 else 'snakes rest'}" if workers else ""
    wait = f"{tasks} {'task waits' if tasks == 1 else 'tasks wait'}" if tasks else ""
    told = ", ".join(part for part in (rest, wait) if part)
    return f"{limit.words}; {told}" if told else limit.words


def worker_cells(worker: WorkerView) -> tuple[str, str, str, str]:
    """Name, state, what it eats, and the rest, for a table."""
    since = f"for {format_duration(worker.since_s)}" if worker.since_s is not None else ""
    restarts = f"{worker.restarts} restarts" if worker.restarts else ""
    rest = "  ".join(part for part in (since, restarts, worker.note) if part)
    return worker.name, worker.state, worker.task or "", rest


def _worker_line(worker: WorkerView) -> str:
    parts = [f"snake {worker.name}", worker.state]
    if worker.task:
        attempt = f" (attempt {worker.attempt})" if worker.attempt and worker.attempt > 1 else ""
        parts.append(worker.task + attempt)
    if worker.since_s is not None:
        parts.append(f"for {format_duration(worker.since_s)}")
    if worker.restarts:
        parts.append(f"{worker.restarts} restarts")
    return "  ".join(part for part in (*parts, worker.note) if part)


def _wait_line(wait: WaitView) -> str:
    """`2 wait for a snake that can think …` where the reason says for whom, else after a colon."""
    verb = "waits" if wait.count == 1 else "wait"
    colon = "" if wait.reason.startswith("for ") else ":"
    more = ", …" if wait.count > len(wait.names) else ""
    names = f" ({', '.join(wait.names)}{more})" if wait.names else ""
    return f"{wait.count} {verb}{colon} {wait.reason}{names}"
