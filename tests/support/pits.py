"""Owns small pits for tests: a config file in a temporary folder, opened, closed by whoever opened it."""

from collections.abc import Mapping
from pathlib import Path

from snakepit.config.loader import load
from snakepit.config.model import Config
from snakepit.store.base import Life

SCRIPT_POOL = """\
[defaults]
backend = "script"
tmux_socket = "{socket}"

[[pool]]
name = "snake"
count = {count}
species = "script"
"""


def write_config(
    folder: Path, text: str = "", *, socket: str = "snakepit-test-none", count: int = 2
) -> Path:
    path = folder / "agents.toml"
    path.write_text(text or SCRIPT_POOL.format(socket=socket, count=count), encoding="utf-8")
    return path


def make_config(
    folder: Path,
    text: str = "",
    *,
    socket: str = "snakepit-test-none",
    count: int = 2,
    environ: Mapping[str, str] | None = None,
) -> Config:
    path = write_config(folder, text, socket=socket, count=count)
    return load(path, environ=environ or {})


class Lives:
    """Keeps lives that a test opened, and closes them."""

    def __init__(self) -> None:
        self._open: list[Life] = []

    def keep(self, life: Life) -> Life:
        self._open.append(life)
        return life

    def close(self) -> None:
        for life in self._open:
            life.close()
