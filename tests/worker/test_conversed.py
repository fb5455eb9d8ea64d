"""Proves our own agent as a worker process: a task from food to done, against the stand-in."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin.fixture import Vendor
from tests.standin.steps import tool
from tests.support.wait import wait_for
from tests.support.workers import Kitchen, kitchen

CONFIG = """\
[defaults]
session_prefix = "t-"
log_dir = "logs"
backend = "anthropic"
tmux_socket = "snakepit-test-{token}"

[pit]
path = "pit"
settle = "0s"
durable = "kill"

[[agent]]
name = "cook"
species = "worker"
eats = ["worker", "planner"]
model = "claude-standin"
env = { ANTHROPIC_API_KEY = "sk-ant-api03-test-key-1", ANTHROPIC_BASE_URL = "{server}" }
"""


@pytest.fixture
def box(tmp_path: Path, vendor: Vendor) -> Iterator[Kitchen]:
    with kitchen(tmp_path, CONFIG.replace("{server}", vendor.url)) as made:
        yield made


def test_a_task_goes_from_food_to_done_with_its_usage(box: Kitchen, vendor: Vendor) -> None:
    vendor.space.then(
        tool("bash", {"command": "pwd; echo key=$ANTHROPIC_API_KEY. > seen; echo 6*7 | bc"}),
        tool("write", {"path": "answer.txt", "content": "42\n"}, text="I write it down."),
        tool("done", {"result": "The answer is 42, in answer.txt."}),
    )
    box.feed("sum.md", "What is six times seven?", artefacts="['answer.txt']")
    box.start()
    text = box.done("sum.md")
    assert "The answer is 42, in answer.txt." in text
    assert (box.store / "done" / "sum" / "answer.txt").read_text() == "42\n"
    assert (box.folder / "seen").read_text() == "key=.\n"
    (stop,) = wait_for(lambda: box.events("agent_stop"))
    assert stop["outcome"] == "ok"
    usage = stop["usage"]
    assert isinstance(usage, dict)
    assert usage["cumulative_output_tokens"] == 3 * 42
    assert usage["cumulative_input_tokens"] == 3 * 1200
    assert [e["tool"] for e in box.events("tool_call")] == ["bash", "write", "done"]
    assert len(box.events("tool_result")) == 3
    assert len(box.events("agent_step")) == 3
    (prompt,) = box.events("user_prompt")
    assert "six times seven" in str(prompt["prompt"])
    pane = box.pane()
    assert "> bash" in pane
    assert "I write it down." in pane
    assert "sk-ant-api03" not in pane
