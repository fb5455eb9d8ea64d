"""Owns what a person feels, in a fresh clone: the first result, the commands' times, the idle pool."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import clock, pool
from bench.options import Options
from bench.stats import median

Row = dict[str, Any]
Take = Callable[[str, Callable[[], list[Row]]], None]
TOP = Path(__file__).resolve().parent.parent
FIRST = ("up", "--feed", "examples/first-meal.md", "--wait")
COMMAND_S = 600


class Clone:
    """A fresh clone of the commit in a folder of its own, with a HOME that has nothing."""

    def __init__(self, root: Path) -> None:
        self.folder = root / "clone"
        self.home = root / "home"
        (self.home / "tmp").mkdir(parents=True)
        subprocess.run(
            ["git", "clone", "--quiet", "--no-hardlinks", str(TOP), str(self.folder)], check=True
        )
        # The interpreter below any virtual environment: what a person has who typed nothing yet.
        self.python = str(Path(sys.base_prefix) / "bin" / "python3")
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("SNAKEPIT_", "TMUX"))}
        for name in ("VIRTUAL_ENV", "PYTHONPATH"):
            kept.pop(name, None)
        self.env = kept | {"HOME": str(self.home), "TMPDIR": str(self.home / "tmp")}

    @property
    def snakepit(self) -> str:
        return str(self.folder / ".venv" / "bin" / "snakepit")

    @property
    def venv_python(self) -> str:
        return str(self.folder / ".venv" / "bin" / "python")

    def run(
        self, argv: list[str], *, seconds: float = COMMAND_S
    ) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            argv, cwd=self.folder, env=self.env, capture_output=True, text=True,
            timeout=seconds, stdin=subprocess.DEVNULL,
        )  # fmt: skip

    def agents(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return self.run([self.python, "agents.py", *arguments])


def measure(root: Path, options: Options, take: Take) -> None:
    missing = [name for name in ("tmux", "git") if not shutil.which(name)]
    needed = ("agents.py", "agents.toml", "examples/first-meal.md")
    missing += [name for name in needed if not (TOP / name).exists()]
    if missing:
        why = f"missing: {', '.join(missing)}"
        take("product", lambda: [{"measure": "product", "absent": why}])
        return
    clone = Clone(root)
    try:
        take("first result", lambda: first_results(clone))
        take("commands", lambda: commands(clone, rounds=5 if options.quick else 25))
        clone.agents("down")
        take("idle pool", lambda: pool.measure(clone, options))
    finally:
        pool.end_all(clone)


def first_results(clone: Clone) -> list[Row]:
    rows = []
    for which in ("first", "second"):
        start = clock.now()
        said = clone.agents(*FIRST)
        took = clock.now() - start
        if said.returncode:
            raise RuntimeError(f"command 1 answered {said.returncode}: {said.stderr[-600:]}")
        rows.append({"measure": "first_result", "which": which, "secs": took})
    return rows


def commands(clone: Clone, *, rounds: int) -> list[Row]:
    """Times of whole processes, taking turns, with the pool up."""
    launcher = [clone.python, "agents.py"]
    hook = [str(clone.folder / "snakepit" / "hook.py"), str(clone.home / "hooked.jsonl")]
    table = {
        "python3 -S -c pass": [clone.venv_python, "-S", "-c", "pass"],
        "a program's hook": [clone.venv_python, "-I", "-S", *hook],
        "import click": [clone.venv_python, "-c", "import click"],
        "snakepit --help": [clone.snakepit, "--help"],
        "snakepit status --json": [clone.snakepit, "status", "--json"],
        "python3 agents.py --help": [*launcher, "--help"],
        "python3 agents.py status --json": [*launcher, "status", "--json"],
    }
    times: dict[str, list[float]] = {name: [] for name in table}
    for number in range(rounds + 1):
        for name, argv in table.items():
            start = clock.now()
            said = clone.run(argv)
            took = (clock.now() - start) * 1000
            if said.returncode:
                raise RuntimeError(f"{name} answered {said.returncode}: {said.stderr[-400:]}")
            if number:  # the first round warms the disk's cache
                times[name].append(took)
    return [
        {
            "measure": "command",
            "command": name,
            "median_ms": median(values),
            "least_ms": min(values),
            "most_ms": max(values),
            "rounds": len(values),
        }
        for name, values in times.items()
    ]
