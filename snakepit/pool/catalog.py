"""Owns what is known here of every agent program: found or not, which version, how it is fed.

It starts programs only to ask their version, with nothing of the person's environment but the short list.
"""

import re
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, NamedTuple

from snakepit.config.auto import is_here, lacking
from snakepit.config.model import AUTO, PROGRAM
from snakepit.pool.environment import plain
from snakepit.pool.statefile import read_state
from snakepit.system.search import program_of, which

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Backend, Config

VERSION_S = 20.0  # seconds for a program to say its version; some start a whole runtime for that
FOLDER = "backends"
ANY_VERSION = r"(\d+\.\d+\.\d+)"
KNOWN, NEWER, OLDER, UNKNOWN = "known", "newer", "older", "unknown"


class Row(NamedTuple):
    """One program. `standing`: how its version lies to what was tried; `lacks`: why it cannot start."""

    name: str
    program: str
    lacks: str
    version: str
    standing: str
    seen: tuple[str, ...]
    feeds: tuple[str, ...]
    agents: tuple[str, ...]
    unverified: tuple[str, ...]
    card: Mapping[str, object]

    def to_json(self) -> dict[str, object]:
        return {**self._asdict(), "card": dict(self.card) or None}

    @property
    def said_version(self) -> str:
        if not self.version:
            return "version not told" if self.program else ""
        if self.standing == KNOWN or not self.seen:
            return self.version
        return (
            f"{self.version}, {self.standing} than tried ({' to '.join(dict.fromkeys(self.seen))})"
        )


def every_backend(config: "Config") -> "dict[str, Backend]":
    """Those of agents.toml, and the built-in ones as it leaves them."""
    from snakepit.config import tables
    from snakepit.config.loader import parse

    others = [name for name in tables.names() if name not in config.backends]
    text = "".join(f"[backend.{name}]\n" for name in others)
    added = parse(text, config.path, environ={}, flags={}).config
    found = {**config.backends, **(added.backends if added else {})}
    return {name: backend for name, backend in sorted(found.items()) if name != AUTO}


def catalog(config: "Config", environ: Mapping[str, str]) -> list[Row]:
    backends = every_backend(config)
    versions = ask_versions(backends.values(), environ)
    return [_row(config, one, environ, versions.get(one.name, "")) for one in backends.values()]


def _row(config: "Config", backend: "Backend", environ: Mapping[str, str], version: str) -> Row:
    program = ""
    if backend.runner == PROGRAM and is_here(backend, environ):
        program = which(program_of(backend.bin), environ.get("PATH")) or ""
    return Row(
        name=backend.name,
        program=program,
        lacks=lacking(backend, environ),
        version=version,
        standing=standing(version, backend.seen),
        seen=backend.seen,
        feeds=backend.feeds,
        agents=tuple(agent.name for agent in config.agents if agent.backend == backend.name),
        unverified=backend.unverified,
        card=read_state(card_path(config, backend.name)),
    )


def standing(version: str, seen: tuple[str, ...]) -> str:
    if not version or not seen:
        return UNKNOWN
    found = _numbers(version)
    if found < _numbers(seen[0]):
        return OLDER
    return NEWER if found > _numbers(seen[-1]) else KNOWN


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", version))


def card_path(config: "Config", name: str) -> "Path":
    return config.state_dir / FOLDER / f"{name}.json"


def ask_versions(
    backends: "Iterable[Backend]", environ: Mapping[str, str], *, seconds: float = VERSION_S
) -> dict[str, str]:
    """All at once; a program that says none, or not in time, has none."""
    asked = dict(_asked(backends, environ))
    found: dict[str, str] = {}
    for backend, process in asked.items():
        try:
            told = process.communicate(timeout=seconds)[0]
        except subprocess.TimeoutExpired:
            process.kill()
            told = process.communicate()[0]
        match = re.search(backend.version_re or ANY_VERSION, told.decode("utf-8", "replace"))
        if match:
            found[backend.name] = match[1] if match.re.groups else match[0]
    return found


def _asked(
    backends: "Iterable[Backend]", environ: Mapping[str, str]
) -> "Iterator[tuple[_Asked, subprocess.Popen[bytes]]]":
    for backend in backends:
        can = (
            backend.runner == PROGRAM and backend.prompt_delivery == "arg" and backend.version_argv
        )
        if not can or lacking(backend, environ):
            continue
        try:
            words = shlex.split(backend.bin)
            process = subprocess.Popen(
                [*words, *backend.version_argv],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                env={**plain(environ), **backend.start.env},
            )
        except (OSError, ValueError):
            continue
        yield _Asked(backend.name, backend.version_re), process


class _Asked(NamedTuple):
    name: str
    version_re: str
