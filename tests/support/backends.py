"""Owns a built-in backend for tests, as a config without any change would have it."""

from pathlib import Path

from snakepit.config.loader import parse
from snakepit.config.model import Backend


def built_in(name: str, changes: str = "") -> Backend:
    """`changes`: more of agents.toml."""
    text = f"[backend.{name}]\n{changes}"
    found = parse(text, Path("/somewhere/agents.toml"), environ={}, flags={})
    assert found.config is not None, found.problems
    return found.config.backends[name]
