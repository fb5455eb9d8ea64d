"""Owns noticing a saved agents.toml: numbers count at once, commands wait for `reload`, a bad file for its author."""

import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.config.changes import compare
from snakepit.config.loader import try_load
from snakepit.pool.applied import applied_path, is_same_place
from snakepit.pool.environment import environ_path
from snakepit.pool.fleet import fleet_lock, load_fleet, save_fleet

if TYPE_CHECKING:
    from snakepit.config.model import Config
    from snakepit.pool.context import Pit


class Reload:
    """`launch_config`: the one whose commands count. A changed number asks the daemon to `renew` itself."""

    def __init__(
        self,
        pit: "Pit",
        launch_config: "Config",
        environ: Mapping[str, str],
        *,
        renew: Callable[[], None],
    ) -> None:
        self._pit = pit
        self._launch_config = launch_config
        self._environ = environ
        self._renew = renew
        self._seen = stamp(pit.config.path)
        self._kept = self._stamp_of_kept()
        self.forced = False
        self.problem = ""
        self.pending = self._waiting(pit.config)

    def step(self, now: float) -> None:
        if self._stamp_of_kept() != self._kept:
            self._renew()  # `up` or `reload` has changed what counts
            return
        fresh = stamp(self._pit.config.path)
        if fresh == self._seen and not self.forced:
            return
        self.forced = False
        self._seen = fresh
        loaded = try_load(self._pit.config.path, environ=self._environ)
        if loaded.config is None:
            problems = [str(problem) for problem in loaded.problems]
            self.problem = "; ".join(problems)
            self._pit.journal.append("config.refused", problems=problems)
            return
        self.problem = ""
        self._apply(loaded.config)

    def _apply(self, new: "Config") -> None:
        pending = self._waiting(new)
        if pending and pending != self.pending:
            self._pit.journal.append("config.pending", changed=list(pending))
        self.pending = pending
        if not is_same_place(self._pit.config, new):
            return
        changed = compare(self._pit.config, new).now
        if changed:
            self._pit.journal.append("config.reloaded", changed=list(changed))
            self._renew_workers(new)
            self._renew()

    def _stamp_of_kept(self) -> tuple[object, ...]:
        config = self._pit.config
        return stamp(applied_path(config)), stamp(environ_path(config))

    def _renew_workers(self, new: "Config") -> None:
        """A worker reads the numbers when it begins: idle ones do at once, busy ones after the meal."""
        with fleet_lock(new):
            fleet = load_fleet(new)
            agents = [self._launch_config.member_of(name) for name in fleet.members]
            driven = {
                agent.name
                for agent in agents
                if agent is not None and self._launch_config.is_driven(agent)
            }
            if fleet.is_up and driven:
                save_fleet(new, replace(fleet, stale=fleet.stale | driven))

    def _waiting(self, new: "Config") -> tuple[str, ...]:
        return compare(self._launch_config, new).waiting


def stamp(path: Path) -> tuple[int, int, int]:
    try:
        found = os.stat(path)
    except OSError:
        return (0, 0, 0)
    return found.st_ino, found.st_mtime_ns, found.st_size
