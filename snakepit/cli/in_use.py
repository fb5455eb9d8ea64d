"""Owns what a verb goes on with when agents.toml does not read: the config of the pool that runs."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.errors import ConfigError

if TYPE_CHECKING:
    from snakepit.config import Config


def config_of_running_pool(path: Path) -> "Config | None":
    """What the running pool uses; None where none runs."""
    from snakepit.pool.applied import load_kept
    from snakepit.pool.fleet import load_fleet

    config = load_kept(path, os.environ)
    return config if config is not None and load_fleet(config).is_up else None


def first_problem(error: ConfigError) -> str:
    """One line of an error that lists all problems under a headline."""
    head, _, problems = error.message.partition(":\n")
    return f"{head}: {problems.splitlines()[0].strip()}" if problems else head
