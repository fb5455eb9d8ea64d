"""Owns one agent whose program is fake_tui.py, in a real pane, started as `up` starts it, without a daemon."""

import contextlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from snakepit.config.model import Agent
from snakepit.pool.context import Pit, opened
from snakepit.pool.deliver import Delivery, deliver
from snakepit.pool.launch import agent_plan, start_session
from snakepit.session.tmux import TmuxHost
from tests.support.pits import make_config
from tests.support.tmux import private_host
from tests.support.wait import wait_for

FAKE = Path(__file__).with_name("fake_tui.py")
SESSION = "snakepit-snake-1"
CONFIG = """\
[backend.claude]
bin = "{program}"

[backend.claude.typing]
gap = 0.05

[[agent]]
name = "snake-1"
backend = "claude"
env_pass = ["FAKE_TUI", "CLAUDE_CONFIG_DIR"]
"""


class Scene:
    def __init__(self, pit: Pit, host: TmuxHost, home: Path) -> None:
        self.pit, self.host, self.home = pit, host, home

    @property
    def agent(self) -> Agent:
        agent = self.pit.config.agent("snake-1")
        assert agent is not None
        return agent

    def start(self, ways: str = "") -> "Scene":
        environ = {**os.environ, "FAKE_TUI": ways, "CLAUDE_CONFIG_DIR": str(self.home)}
        start_session(
            self.pit, self.host, agent_plan(self.pit.config, self.agent, environ), pane=None
        )
        wait_for(lambda: "❯" in self.screen(), what="its screen")
        return self

    def give(self, text: str) -> Delivery:
        return deliver(self.pit, self.host, self.agent, text, why="nudge")

    def prompts(self) -> list[str]:
        path = self.home / "projects" / "x" / "x.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [str(json.loads(line)["message"]) for line in lines]

    def keys(self) -> list[str]:
        """What was pressed on its menu."""
        path = self.home / "keys.txt"
        return path.read_text().splitlines() if path.exists() else []

    def screen(self) -> str:
        return "\n".join(self.host.look(SESSION).rows)

    def pid(self) -> int:
        (life,) = self.pit.store.lives()
        return life.pid

    def events(self, prefix: str) -> list[str]:
        return [event.type for event in self.pit.journal.read() if event.type.startswith(prefix)]


@contextlib.contextmanager
def scene(folder: Path, more: str = 'feed = "self"') -> Iterator[Scene]:
    """`more` is added to the agent's table."""
    home = folder / "home"
    home.mkdir()
    program = folder / "claude"
    program.write_text(f"#!{sys.executable}\n" + FAKE.read_text(encoding="utf-8").split("\n", 1)[1])
    program.chmod(0o755)
    text = CONFIG.format(program=program) + more + "\n"
    with private_host() as host, opened(make_config(folder, text, socket=host.socket)) as pit:
        yield Scene(pit, host, home)
