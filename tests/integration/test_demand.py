"""A snake that starts on demand: not by `up`, but for its food or for who attaches; and not again after its end."""

import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.system import process
from tests.support.fleets import Fleet, fleet
from tests.support.panes import FAKE
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(60)]
KEEPER = "snakepit-keeper"
CONFIG = """\
[defaults]
tmux_socket = "{socket}"

[backend.claude]
bin = "PROGRAM"

[[agent]]
name = "keeper"
backend = "claude"
feed = "push"
start = "demand"
hooks = false
mcp = false
env_pass = ["FAKE_TUI", "CLAUDE_CONFIG_DIR"]
"""


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Fleet]:
    program = tmp_path / "claude"
    program.write_text(f"#!{sys.executable}\n" + FAKE.read_text(encoding="utf-8").split("\n", 1)[1])
    program.chmod(0o755)
    environ = {"CLAUDE_CONFIG_DIR": str(tmp_path / "home"), "FAKE_TUI": ""}
    text = CONFIG.replace("PROGRAM", str(program))
    with fleet(tmp_path, text, environ=environ) as made:
        made.ok("up")
        yield made


def state(pool: Fleet) -> object:
    workers = pool.json("status")["workers"]
    assert isinstance(workers, list)
    return workers[0]["state"]


def test_food_starts_it(pool: Fleet) -> None:
    assert KEEPER not in pool.sessions()
    assert state(pool) == "asleep"
    assert "starts when it has food" in pool.ok("up")
    pool.drop("ask.md", "---\nspecies: keeper\n---\n# ask\n")
    wait_for(lambda: pool.events("prompt.delivered"), 40, "it to be brought its food")
    assert pool.holder("ask.md") == "keeper"


def test_who_attaches_starts_it_and_its_end_is_its_end(pool: Fleet) -> None:
    assert pool.json("attach", "keeper")["session"] == KEEPER
    wait_for(lambda: pool.events("session.ready"), 20, "it to be ready")
    process.send(pool.lives()["keeper"].pid, signal.SIGTERM)
    wait_for(lambda: KEEPER not in pool.sessions(), 20, "it to have ended")
    wait_for(lambda: state(pool) == "asleep", 20, "status to say so")
    started = len(pool.events("session.started"))
    pool.ok("up")
    assert KEEPER not in pool.sessions()
    assert len(pool.events("session.started")) == started
    assert pool.json("attach", "keeper")["session"] == KEEPER
