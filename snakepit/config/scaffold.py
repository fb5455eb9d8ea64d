"""Owns a new folder's files: agents.toml, prompts, the pit's README; it overwrites nothing."""

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from snakepit.config.shipped import shipped_files
from snakepit.config.template import page

CONFIG = "agents.toml"
README = "pit/README.md"
GIT_S = 10.0  # seconds; git answers these questions in milliseconds


class Scaffold(NamedTuple):
    """Names relative to the folder; what stood there already was left as it was."""

    created: tuple[str, ...]
    kept: tuple[str, ...]


def write_scaffold(folder: Path, pit: Path) -> Scaffold:
    """Idempotent. The pit must exist; its README goes there, wherever it lies."""
    found: dict[bool, list[str]] = {True: [], False: []}
    for name, data in ((CONFIG, page().encode()), *shipped_files()):
        path = pit / "README.md" if name == README else folder / name
        found[_write_new(path, data)].append(os.path.relpath(path, folder))
    return Scaffold(tuple(found[True]), tuple(found[False]))


def _write_new(path: Path, data: bytes) -> bool:
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with open(path, "xb") as file:
            file.write(data)
    except FileExistsError:
        return False
    return True


def exclude_from_git(folder: Path, names: Iterable[str]) -> tuple[str, ...]:
    """Add the names, relative to `folder`, to the repository's own info/exclude; the lines added.

    Nothing in a folder that is in no work tree, or where git is missing.
    """
    found = _git(folder, "--is-inside-work-tree", "--show-prefix", "--git-path", "info/exclude")
    if found is None or found[0] != "true":
        return ()
    prefix, path = found[1], folder / found[2]
    path.parent.mkdir(parents=True, exist_ok=True)
    old = path.read_text(errors="surrogateescape") if path.exists() else ""
    lines = [f"/{_literal(prefix + name)}" for name in names]
    new = tuple(line for line in dict.fromkeys(lines) if line not in old.splitlines())
    if new:
        with open(path, "a", errors="surrogateescape") as file:
            file.write("" if not old or old.endswith("\n") else "\n")
            file.write("".join(f"{line}\n" for line in ("# snakepit", *new)))
    return new


def _git(folder: Path, *questions: str) -> list[str] | None:
    command = ["git", "-c", "core.fsmonitor=false", "rev-parse", *questions]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=GIT_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return None
    answers = done.stdout.decode(errors="surrogateescape").split("\n")
    return answers if done.returncode == 0 and len(answers) > len(questions) - 1 else None


def _literal(path: str) -> str:
    """As a pattern of gitignore that matches this path alone."""
    return re.sub(r"([\\*?\[\]#! ])", r"\\\1", path)
