"""Owns the set of adapters that a use case works with: one config, its store, its journal, its overrides."""

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snakepit.core.redact import Redactor
from snakepit.journal import Journal
from snakepit.store.files import FilePit, open_pit

if TYPE_CHECKING:
    from snakepit.config.model import Config

LOG_MODE = 0o700


@dataclass(frozen=True, slots=True, kw_only=True)
class Pit:
    config: "Config"
    store: FilePit
    journal: Journal
    redactor: Redactor

    def close(self) -> None:
        self.store.close()
        self.journal.close()


def open_context(config: "Config") -> Pit:
    """Make the folders where missing and open them; the caller closes."""
    config.log_dir.mkdir(mode=LOG_MODE, parents=True, exist_ok=True)
    (config.log_dir / "state").mkdir(mode=LOG_MODE, exist_ok=True)
    redactor = Redactor(secret_values(config, os.environ.items()))
    store = open_pit(
        config.pit_dir,
        durable=config.pit.durable,
        settle_s=config.pit.settle_s,
        attempts=config.pit.attempts,
        accept_all=config.script.accept == "all",
    )
    journal = Journal(config.log_dir / "events.jsonl", redactor, keep_days=config.events.keep_days)
    return Pit(config=config, store=store, journal=journal, redactor=redactor)


def secret_values(config: "Config", environ: Iterable[tuple[str, str]]) -> list[str]:
    """The value of every variable that any agent or backend is passed, and of each agent's own `env`."""
    passed = {name for backend in config.backends.values() for name in backend.env_pass}
    passed |= {name for agent in config.agents for name in agent.env_pass}
    values = [value for name, value in environ if name in passed]
    values += [value for agent in config.agents for value in agent.env.values()]
    return values


@contextmanager
def opened(config: "Config") -> Iterator[Pit]:
    pit = open_context(config)
    try:
        yield pit
    finally:
        pit.close()
