"""Owns the counters of restarts on disk: when a session that ended starts again, and when no more."""

from dataclasses import dataclass, replace
from pathlib import Path

from snakepit.core.retry import Degraded, RestartBudget, RestartHistory
from snakepit.pool.statefile import read_state, write_state


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """`restart_at` is set while an exit waits for its restart; unix seconds."""

    history: RestartHistory
    restart_at: float | None = None
    is_degraded: bool = False


class Restarts:
    """One small file for each session; a daemon that starts anew goes on where the last one was."""

    def __init__(self, folder: Path, budget: RestartBudget) -> None:
        self._folder = folder
        self._budget = budget
        self._known: dict[str, Standing] = {}

    def of(self, name: str) -> Standing:
        if name not in self._known:
            found = read_state(self._path(name))
            restart_at = found.get("restart_at")
            self._known[name] = Standing(
                history=RestartHistory.from_dict(found),
                restart_at=float(restart_at) if isinstance(restart_at, int | float) else None,
                is_degraded=found.get("degraded") is True,
            )
        return self._known[name]

    def exited(self, name: str, now: float) -> Standing:
        """Note an exit once; how it goes on."""
        history, decision = self._budget.after_exit(self.of(name).history, now)
        if isinstance(decision, Degraded):
            standing = Standing(history=history, is_degraded=True)
        else:
            standing = Standing(history=history, restart_at=decision.at)
        return self._keep(name, standing)

    def started(self, name: str, now: float) -> Standing:
        standing = self.of(name)
        history = self._budget.after_start(standing.history, now)
        return self._keep(name, Standing(history=history))

    def healthy(self, name: str, now: float) -> Standing:
        """It runs; after long enough its past is forgiven."""
        standing = self.of(name)
        if standing.history.started_at is None:
            return self._keep(
                name, Standing(history=self._budget.after_start(standing.history, now))
            )
        if standing.history.restarts and self._budget.is_forgiven(standing.history, now):
            fresh = replace(standing.history, restarts=())
            return self._keep(name, Standing(history=fresh))
        return standing

    def forget(self, name: str) -> None:
        self._known.pop(name, None)
        self._path(name).unlink(missing_ok=True)

    def refresh(self) -> None:
        """A person's `restart` removes a file: look at the disk again."""
        for name in list(self._known):
            if not self._path(name).exists():
                del self._known[name]

    def _keep(self, name: str, standing: Standing) -> Standing:
        self._known[name] = standing
        record = standing.history.to_dict()
        record["restart_at"] = standing.restart_at
        record["degraded"] = standing.is_degraded
        write_state(self._path(name), record)
        return standing

    def _path(self, name: str) -> Path:
        return self._folder / f"{name}.json"
