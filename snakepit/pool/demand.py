"""Owns who starts only when needed: an agent with `start = "demand"`, once it has food or somebody calls it."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Agent, Config
    from snakepit.store.files import FilePit

DEMAND = "demand"
WHY = "starts when it has food, or with `agents.py attach`"


def path(config: "Config", name: str) -> "Path":
    """It exists from a person's call until the session has started."""
    return config.state_dir / "called" / name


def call(config: "Config", name: str) -> None:
    found = path(config, name)
    found.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    found.touch(mode=0o600)


def answered(config: "Config", name: str) -> None:
    path(config, name).unlink(missing_ok=True)


def is_wanted(config: "Config", store: "FilePit", agent: "Agent") -> bool:
    """Whether it shall run though nobody sees it running."""
    if agent.start != DEMAND or path(config, agent.name).exists():
        return True
    return any(count and agent.diet.takes(key) for key, count in store.waiting_by_class().items())
