"""Owns fresh checkouts for the bootstrap tests: a copy, a HOME of its own, an empty environment."""

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
PYTHON = os.path.realpath(sys.executable)  # not .venv's: nothing is installed there
UV = Path(sys.executable).parent / "uv"
SYSTEM_PATH = "/usr/bin:/bin"

# How this machine reaches its package index; the tests must not lose it, nor know it.
ROAD_TO_INDEX = ("SSL_CERT", "REQUESTS_CA", "HTTP", "http", "NO_PROXY", "no_proxy", "ALL_PROXY")
PIP_TO_INDEX = ("PIP_INDEX", "PIP_EXTRA", "PIP_FIND", "PIP_CERT", "PIP_TRUSTED", "PIP_PROXY", "UV_")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    code: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Checkout:
    root: Path
    home: Path
    cache: Path
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def stamp(self) -> Path:
        return self.root / ".venv" / ".snakepit"

    def environ(self, path: str, env: Mapping[str, str]) -> dict[str, str]:
        road = {
            k: v for k, v in os.environ.items() if k.startswith((*ROAD_TO_INDEX, *PIP_TO_INDEX))
        }
        own = {"HOME": str(self.home), "PATH": path, "PIP_CACHE_DIR": str(self.cache)}
        return road | own | {"UV_CACHE_DIR": str(self.cache / "uv")} | dict(self.extra) | dict(env)

    def start(
        self,
        *args: str,
        path: str = SYSTEM_PATH,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        command: Sequence[str] | None = None,
    ) -> subprocess.Popen[str]:
        """A process group of its own, so that a test can end all of it."""
        return subprocess.Popen(
            [*(command or (PYTHON, str(self.root / "agents.py"))), *args],
            cwd=cwd or self.home,
            env=self.environ(path, env or {}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(
        self,
        *args: str,
        path: str = SYSTEM_PATH,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        command: Sequence[str] | None = None,
    ) -> Answer:
        process = self.start(*args, path=path, env=env, cwd=cwd, command=command)
        out, err = process.communicate(timeout=170)
        return Answer(code=process.returncode, out=out, err=err)


def make_checkout(place: Path, cache: Path) -> Checkout:
    root = place / "check out"  # a space in the path, as people have
    root.mkdir()
    for name in ("agents.py", "pyproject.toml", "LICENSE"):
        shutil.copy(REPOSITORY / name, root / name)
    shutil.copytree(REPOSITORY / "requirements", root / "requirements")
    shutil.copytree(
        REPOSITORY / "snakepit", root / "snakepit", ignore=shutil.ignore_patterns("__pycache__")
    )
    home = place / "home"
    home.mkdir()
    return Checkout(root=root, home=home, cache=cache)


def folder_of_programs(place: Path, **scripts: str) -> str:
    """A PATH with nothing but these shell scripts."""
    place.mkdir()
    for name, text in scripts.items():
        program = place / name
        program.write_text(f"#!/bin/sh\n{text}\n")
        program.chmod(0o755)
    return str(place)
