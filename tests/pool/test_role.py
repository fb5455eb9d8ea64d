"""Proves what an agent is told at its start, and what is said of one that feeds itself."""

from pathlib import Path

import pytest

from snakepit.errors import AgentError
from snakepit.pool.role import model_calls, role_of
from tests.support.pits import make_config

AGENTS = """\
[[agent]]
name = "loops"
backend = "claude"
prompt = "/loop 30m Follow prompts/snake.md."

[[agent]]
name = "paces"
backend = "claude"
prompt = "Read this.\\n/loop Follow prompts/snake.md."

[[agent]]
name = "asked"
backend = "claude"
kind = "task"

[[agent]]
name = "pushed"
backend = "claude"
feed = "push"

[[agent]]
name = "shown"
backend = "demo"

[[agent]]
name = "filed"
backend = "claude"
prompt_file = "role.md"
prompt = "You are {name}."
"""
OFTEN = "feeds itself: calls its model also while there is no food"


def test_who_calls_a_model_without_food(tmp_path: Path) -> None:
    config = make_config(tmp_path, AGENTS)
    told = {agent.name: model_calls(config, agent) for agent in config.agents}
    assert told == {
        "loops": f"{OFTEN}, every 30m",
        "paces": f"{OFTEN}, as often as it likes",
        "asked": "",
        "pushed": "",
        "shown": "",
        "filed": f"{OFTEN}, as often as it likes",
    }


def test_a_file_comes_before_the_prompt_and_is_read_each_time(tmp_path: Path) -> None:
    agent = make_config(tmp_path, AGENTS).agents[-1]
    file = tmp_path / "role.md"
    for text in ("Eat {this}.\n", "Eat that.\n"):
        file.write_text(text)
        assert role_of(agent) == f"{text.strip()}\n\nYou are filed."
    file.unlink()
    with pytest.raises(AgentError, match="prompt_file"):
        role_of(agent)
