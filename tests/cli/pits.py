"""Owns small real pits for tests of verbs: a folder with an agents.toml, and a way to run verbs in it."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from click.testing import CliRunner, Result

from snakepit.cli.main import app
from snakepit.config import load
from snakepit.pool.context import Pit, opened
from snakepit.store.base import Life

CONFIG = """
[pit]
path = "pit"
settle = "0s"

[[agent]]
name = "chef"
backend = "script"
species = "script"

[[pool]]
name = "snake"
count = 2
backend = "thinker"

[backend.thinker]
bin = "no-such-agent-cli"
"""
IDENTITY = ("SNAKEPIT_WORKER", "SNAKEPIT_GENERATION", "SNAKEPIT_TASK", "SNAKEPIT_PIT")


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One pit in its own folder. `identity` is what the environment of a snake would hold."""

    root: Path
    identity: Mapping[str, str] = field(default_factory=dict)

    @property
    def pit(self) -> Path:
        return self.root / "pit"

    def run(self, *arguments: str, stdin: str | bytes | None = None) -> Result:
        """One verb, as a person or, with an identity, as a snake would type it."""
        env: dict[str, str | None] = dict.fromkeys(IDENTITY)
        env |= {"SNAKEPIT_CONFIG": None, **self.identity}
        words = [*arguments, "--config", str(self.root / "agents.toml")]
        return CliRunner().invoke(app, words, input=stdin, env=env)

    @contextmanager
    def start(self, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
        """The verb as a process of its own, ended with the block."""
        own = {key: value for key, value in os.environ.items() if key not in IDENTITY}
        environ = {**own, "PYTHONPATH": str(Path(__file__).parents[2]), **self.identity}
        config = ("--config", str(self.root / "agents.toml"))
        running = subprocess.Popen(
            [sys.executable, "-m", "snakepit.cli.main", *arguments, *config],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        with running:
            try:
                yield running
            finally:
                running.kill()

    def ok(self, *arguments: str, stdin: str | bytes | None = None) -> str:
        result = self.run(*arguments, stdin=stdin)
        assert result.exit_code == 0, result.output
        return result.stdout

    def json(self, *arguments: str, stdin: str | bytes | None = None) -> dict[str, object]:
        found = json.loads(self.ok(*arguments, "--json", stdin=stdin))
        assert isinstance(found, dict)
        return found

    def fed(self, text: str, name: str, **keys: str) -> str:
        """Feed one task by the verb; the name it got."""
        options = [word for key, value in keys.items() for word in (f"--{key}", value)]
        self.ok("feed", "-m", text, "--name", name, *options)
        return f"{name}.md"

    def names(self, folder: str) -> list[str]:
        return sorted(path.name for path in (self.pit / folder).glob("*.md"))

    @contextmanager
    def opened(self) -> Iterator[Pit]:
        with opened(load(self.root / "agents.toml", environ=os.environ)) as pit:
            yield pit

    @contextmanager
    def living(self, worker: str = "snake-1") -> Iterator["tuple[Box, Life]"]:
        """A running life of that worker, and this box as its agent sees it."""
        with self.opened() as pit:
            life = pit.store.open_worker(worker)
            identity = {
                "SNAKEPIT_WORKER": worker,
                "SNAKEPIT_GENERATION": life.generation,
                "SNAKEPIT_PIT": str(self.pit),
                "SNAKEPIT_CONFIG": str(self.root / "agents.toml"),
            }
            try:
                yield Box(root=self.root, identity=identity), life
            finally:
                life.close()


def make_box(root: Path, config: str = CONFIG) -> Box:
    (root / "agents.toml").write_text(config)
    return Box(root=root)
