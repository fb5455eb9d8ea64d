"""Owns reading the built-in backends, one TOML file each in agents/backends/; agents.toml overrides them.

The head of a file, before its first [table], has the keys of [backend.NAME] and is all that most verbs
read: the whole of a file costs several times as much.
"""

import os
import tomllib
from collections.abc import Mapping
from functools import cache

FOLDER = os.path.join(os.path.dirname(os.path.dirname(__file__)), "agents", "backends")
ORDER = "order.toml"
DEEP_NAMES = frozenset(
    (
        "start", "task", "stream", "trouble", "dialogs", "hooks", "mcp", "account", "screen",
        "typing",
    )
)  # fmt: skip

Raw = Mapping[str, object]


@cache
def names() -> tuple[str, ...]:
    """Every built-in backend, in the order of their names."""
    files = (name for name in os.listdir(FOLDER) if name.endswith(".toml") and name != ORDER)
    return tuple(sorted(name.removesuffix(".toml") for name in files))


@cache
def head(name: str) -> Raw:
    """The keys of [backend.NAME] as its file gives them; empty for a name that is not built in."""
    return tomllib.loads(f"\n{_text(name)}".split("\n[", 1)[0]) if name in names() else {}


@cache
def whole(name: str) -> Raw:
    return tomllib.loads(_text(name)) if name in names() else {}


@cache
def order() -> tuple[str, ...]:
    """What `backend = "auto"` looks for, the first first."""
    with open(os.path.join(FOLDER, ORDER), encoding="utf-8") as file:
        return tuple(tomllib.loads(file.read())["auto"])


def _text(name: str) -> str:
    with open(os.path.join(FOLDER, f"{name}.toml"), encoding="utf-8") as file:
        return file.read()
