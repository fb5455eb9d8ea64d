"""Owns real worker processes in tests: a config with one pit, workers started in it, all ended at the end."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from snakepit.config import Config, load
from snakepit.core.lifecycle import State
from snakepit.pool.context import Pit, open_context
from snakepit.store.base import LifeRecord, Verdict
from snakepit.system import process
from tests.support.processes import PLAIN_ENV, started
from tests.support.wait import wait_for

ROOT = Path(__file__).parents[2]
CONFIG = """\
[defaults]
session_prefix = "t-"
log_dir = "logs"
backend = "script"
tmux_socket = "snakepit-test-{token}"

[pit]
path = "pit"
settle = "0s"
durable = "kill"

[[agent]]
name = "cook"
species = "script"

[[agent]]
name = "second"
species = "script"
"""


class Kitchen:
    """One pit and the workers that a test starts in it."""

    def __init__(self, folder: Path, stack: ExitStack, text: str = CONFIG) -> None:
        self.folder = folder
        self._stack = stack
        path = folder / "agents.toml"
        path.write_text(text.replace("{token}", os.urandom(4).hex()), encoding="utf-8")
        self.config: Config = load(path, environ={}, flags=None)
        self.pit: Pit = open_context(self.config)
        stack.callback(self.pit.close)

    @property
    def store(self) -> Path:
        return self.config.pit_dir

    def start(
        self,
        agent: str = "cook",
        *,
        module: str = "snakepit.worker",
        env: Mapping[str, str] | None = None,
        ready: bool = True,
    ) -> "subprocess.Popen[bytes]":
        """The guard is the process returned; `ready` waits for its worker's life."""
        argv = [sys.executable, "-m", module, "--config", str(self.config.path), "--agent", agent]
        own = {**PLAIN_ENV, "PYTHONPATH": str(ROOT), **(env or {})}
        child = self._stack.enter_context(started(argv, env=own, cwd=self.folder))
        self._stack.callback(self._end_below, child.pid)
        if ready:
            wait_for(lambda: self.life(agent), what=f"{agent} to be ready")
        return child

    def life(self, agent: str = "cook") -> LifeRecord | None:
        lives = self.pit.store.lives()
        return next((r for r in lives if r.worker == agent and r.verdict is Verdict.ALIVE), None)

    def worker_pid(self, agent: str = "cook") -> int:
        life = wait_for(lambda: self.life(agent))
        assert life is not None
        return life.pid

    def feed(self, name: str, body: str, **header: str) -> str:
        head = "".join(f"{key}: {value}\n" for key, value in header.items())
        text = f"---\n{head}---\n{body}" if head else body
        return self.pit.store.publish(text.encode(), name)

    def done(self, name: str, seconds: float = 20.0) -> str:
        path = self.store / "done" / name
        wait_for(path.exists, seconds, f"{name} to be done")
        return path.read_text()

    def where(self, name: str) -> set[State]:
        return {entry.state for entry in self.pit.store.locate(name)}

    def events(self, kind: str) -> list[dict[str, object]]:
        import json

        path = self.config.log_dir / "events.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [event for line in lines if (event := json.loads(line))["type"] == kind]

    def pane(self, agent: str = "cook") -> str:
        path = self.config.log_dir / "raw" / f"{agent}.log"
        return path.read_text() if path.exists() else ""

    @staticmethod
    def _end_below(pid: int) -> None:
        for below in process.descendants(pid):
            process.send(below, 9)


@contextmanager
def kitchen(folder: Path, text: str = CONFIG) -> Iterator[Kitchen]:
    with ExitStack() as stack:
        yield Kitchen(folder, stack, text)


def run_block(code: str, language: str = "bash") -> str:
    return f"# a task\n\n```{language} run\n{code}\n```\n"
