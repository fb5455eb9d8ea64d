"""Owns agents.toml: its keys, their meaning and their checks."""

from snakepit.config.loader import Loaded, load, try_load
from snakepit.config.model import (
    Agent,
    Backend,
    Config,
    Defaults,
    Eats,
    PitSettings,
    Pool,
    Service,
    Wake,
    Watchdog,
)
from snakepit.config.problem import Problem

__all__ = [
    "Agent",
    "Backend",
    "Config",
    "Defaults",
    "Eats",
    "Loaded",
    "PitSettings",
    "Pool",
    "Problem",
    "Service",
    "Wake",
    "Watchdog",
    "load",
    "try_load",
]
