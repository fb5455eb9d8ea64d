"""Proves our own agent as a worker process: a task from food to done, against the stand-in."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.core.lifecycle import State
from snakepit.pool import limits
from snakepit.pool.decide import cancel
from snakepit.pool.reap import reap
from snakepit.system import process
from tests.standin.fixture import Vendor
from tests.standin.space import Asked
from tests.standin.steps import Step, say, tool
from tests.support.wait import wait_for
from tests.support.workers import Kitchen, kitchen
from tests.worker.test_pane import in_a_pane

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


def test_a_killed_worker_goes_on_where_it_was(box: Kitchen, vendor: Vendor) -> None:
    vendor.space.then(
        tool("bash", {"command": "echo once >> once"}),
        tool("bash", {"command": "echo begun >> begun; sleep 600"}),
        tool("done", {"result": "Looked, and finished."}),
    )
    box.feed("long.md", "Do it in two steps.")
    box.start()
    wait_for((box.folder / "begun").exists, 30)
    os.kill(box.worker_pid(), signal.SIGKILL)
    wait_for(lambda: reap(box.pit), what="the food to come back")
    box.start()
    assert "Looked, and finished." in box.done("long.md")
    assert (box.folder / "once").read_text() == "once\n"
    assert (box.folder / "begun").read_text() == "begun\n"
    told = [event for event in box.events("tool_result") if event.get("interrupted")]
    assert len(told) == 1
    assert "outcome unknown" in str(told[0]["result"])
    asked = vendor.space.main[-1]
    assert asked.talk.results[-1].startswith("interrupted, outcome unknown")
    starts = box.events("agent_start")
    assert [start.get("resumed") for start in starts] == [None, True]
    (completed,) = wait_for(lambda: box.events("task.completed"))
    assert completed["attempt"] == 2


def test_a_limit_gives_the_food_back_uncounted_and_the_account_rests(
    box: Kitchen, vendor: Vendor
) -> None:
    vendor.space.then(tool("bash", {"command": "echo once >> once"}), "429_5h")
    box.feed("task.md", "Do it.")
    box.start()
    wait_for(lambda: box.events("task.released"), 30)
    wait_for(lambda: "resting" in box.pane())
    (entry,) = box.pit.store.locate("task.md")
    assert entry.state is State.QUEUED
    assert b"attempt" not in box.pit.store.read(entry)
    (rest,) = limits.records(box.config)
    assert rest.source == limits.STRUCTURED
    vendor.space.clear().then(say("Done at last."))
    limits.lift(box.pit, rest.account)
    assert "Done at last." in box.done("task.md", 40)
    assert (box.folder / "once").read_text() == "once\n"


def test_a_task_is_split_and_its_parts_are_eaten(box: Kitchen, vendor: Vendor) -> None:
    def model(asked: Asked) -> Step:
        if "Task big.md" in asked.user:
            parts = [{"name": f"part-{n}.md", "text": f"Part {n} of it."} for n in (1, 2)]
            bad = [{"name": "big.md", "text": "myself"}]
            return tool("split", {"parts": parts if asked.talk.results else bad})
        return say(f"Did {asked.user.splitlines()[0]}.")

    vendor.space.always(model)
    box.feed("big.md", "Too much for one.", big="true")
    box.start()
    text = box.done("big.md", 40)
    assert "All 2 parts are done" in text
    assert "Did # Task part-1.md" in box.done("part-1.md")
    assert len(box.events("task.split")) == 1
    assert [e["is_error"] for e in box.events("tool_result") if "is_error" in e] == [True]


def test_the_verbs_of_the_pit_are_tools(box: Kitchen, vendor: Vendor) -> None:
    vendor.space.then(
        tool("feed", {"text": "Look later.", "name": "later", "needs": ["nobody"], "priority": 8}),
        tool("list", {"state": "food"}),
        tool("show", {"task": "later"}),
        tool("show", {"task": "no-such"}),
        tool("fail", {"reason": "not for machines", "dead": True}),
    )
    box.feed("first.md", "Plan.")
    box.start()
    wait_for(lambda: box.where("first.md") == {State.DEAD}, 30)
    results = [str(event["result"]) for event in box.events("tool_result")]
    assert "waits, priority 8" in results[0]
    assert "food/later-" in results[1]
    assert "cook" in results[2]
    assert "no task no-such" in results[3]
    (dead,) = wait_for(lambda: box.events("task.dead"))
    assert dead["reason"] == "not for machines"
    (queued,) = [e for e in box.events("task.queued") if str(e["task"]).startswith("later")]
    assert queued["by"] == "cook"


def test_without_a_key_nothing_is_claimed_twice(tmp_path: Path) -> None:
    text = CONFIG.replace('ANTHROPIC_API_KEY = "sk-ant-api03-test-key-1", ', "").replace(
        'ANTHROPIC_BASE_URL = "{server}"', ""
    )
    with kitchen(tmp_path, text) as box:
        box.feed("task.md", "Do it.")
        box.start()
        wait_for(lambda: "ANTHROPIC_API_KEY" in box.pane())
        wait_for(lambda: "resting after giving a task back" in box.pane())
        assert box.where("task.md") == {State.QUEUED}
        assert len(box.events("task.claimed")) == 1


def test_a_cancelled_task_is_not_worked_on(box: Kitchen, vendor: Vendor) -> None:
    vendor.space.always(tool("bash", {"command": "echo x >> steps; sleep 0.2"}))
    box.feed("task.md", "For ever.")
    box.start()
    wait_for((box.folder / "steps").exists, 30)
    (entry,) = box.pit.store.locate("task.md")
    cancel(box.pit, entry, "enough")
    wait_for(lambda: "was taken away" in box.pane())
    assert box.where("task.md") == {State.DEAD}


def test_the_same_task_once_more_is_a_new_conversation(box: Kitchen, vendor: Vendor) -> None:
    box.start()
    for number in (1, 2):
        vendor.space.then(say(f"Answer {number}."))
        box.feed("daily.md", "What is new?")
        assert f"Answer {number}." in box.done("daily.md")
        (box.store / "done" / "daily.md").unlink()
    assert len(vendor.space.main) == 2


def test_a_line_typed_at_the_pane_reaches_the_model(box: Kitchen, vendor: Vendor) -> None:
    def second(asked: Asked) -> Step:
        return say("Heard." if "be brief" in asked.user else "Heard nothing.")

    vendor.space.then(tool("bash", {"command": "touch on; while ! [ -e go ]; do sleep .05; done"}))
    vendor.space.then(second)
    with in_a_pane(box) as (terminal, _):
        box.feed("task.md", "Listen.")
        wait_for((box.folder / "on").exists, 30)
        os.write(terminal, b"be brief\n")
        (box.folder / "go").touch()
        assert "Heard." in box.done("task.md")
    assert "[to the model: be brief]" in box.pane()


def test_a_run_over_its_time_counts_and_the_next_goes_on(box: Kitchen, vendor: Vendor) -> None:
    vendor.space.then(
        tool("bash", {"command": "echo $$ > pid; exec sleep 600"}), say("After the second try.")
    )
    box.feed("slow.md", "Take your time.", timeout="6s")
    box.start()
    text = box.done("slow.md", 40)
    assert "timed out after 6s" in text
    assert "After the second try." in text
    assert not process.is_running(int((box.folder / "pid").read_text()))
    assert "outcome unknown" in vendor.space.main[-1].talk.results[-1]
    assert len(vendor.space.main) == 2


def test_an_agent_that_does_not_resume_begins_anew(tmp_path: Path, vendor: Vendor) -> None:
    text = CONFIG.replace("{server}", vendor.url) + "resume = false\n"
    with kitchen(tmp_path, text) as box:
        limited = {"preset": "400_api_usage_limits", "times": 1}
        vendor.space.then(limited, say("A new beginning."))
        box.feed("task.md", "Do it.")
        box.start()
        wait_for(lambda: box.events("task.released"), 30)
        (rest,) = wait_for(lambda: limits.records(box.config))
        limits.lift(box.pit, rest.account)
        assert "A new beginning." in box.done("task.md", 40)
        sessions = {str(event["session"]) for event in box.events("agent_start")}
        assert len(sessions) == 2


def test_term_before_the_first_answer_gives_the_food_back(box: Kitchen, vendor: Vendor) -> None:
    vendor.space.always("hang_connect")
    guard = box.start()
    box.feed("task.md", "Do it.")
    wait_for(lambda: "eating task.md" in box.pane())
    guard.terminate()
    assert guard.wait(20) == 0
    assert box.where("task.md") == {State.QUEUED}
    (released,) = box.events("task.released")
    assert "ended" not in str(released["reason"]), "given back by its run, not by a broken worker"
