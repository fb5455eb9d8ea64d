"""Proves in real panes that a text reaches the agent's program or nothing, and is proved or told to be unsure."""

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snakepit.config.model import Agent
from snakepit.pool.context import Pit, opened
from snakepit.pool.deliver import Delivery, Outcome, deliver
from snakepit.pool.launch import agent_plan, start_session
from snakepit.session.tmux import TmuxHost
from snakepit.system import process
from tests.support.pits import make_config
from tests.support.tmux import private_host
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(40)]
FAKE = Path(__file__).parents[1] / "support" / "fake_tui.py"
SESSION = "snakepit-snake-1"


class Scene:
    """One agent whose program is the fake, in a real pane, without a daemon."""

    def __init__(self, pit: Pit, host: TmuxHost, home: Path) -> None:
        self.pit, self.host, self.home = pit, host, home

    @property
    def agent(self) -> Agent:
        agent = self.pit.config.agent("snake-1")
        assert agent is not None
        return agent

    def give(self, text: str) -> Delivery:
        return deliver(self.pit, self.host, self.agent, text, why="nudge")

    def prompts(self) -> list[str]:
        path = self.home / "projects" / "x" / "x.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        return [str(json.loads(line)["message"]) for line in lines]

    def screen(self) -> str:
        return "\n".join(self.host.look(SESSION).rows)

    def pid(self) -> int:
        (life,) = self.pit.store.lives()
        return life.pid


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Callable[[str], Scene]]:
    home = tmp_path / "home"
    home.mkdir()
    program = tmp_path / "claude"
    program.write_text(f"#!{sys.executable}\n" + FAKE.read_text(encoding="utf-8").split("\n", 1)[1])
    program.chmod(0o755)
    text = f"""\
[backend.claude]
bin = "{program}"

[backend.claude.typing]
gap = 0.05

[[agent]]
name = "snake-1"
backend = "claude"
feed = "self"
env_pass = ["FAKE_TUI", "CLAUDE_CONFIG_DIR"]
"""
    with private_host() as host, opened(make_config(tmp_path, text, socket=host.socket)) as pit:

        def start(ways: str = "") -> Scene:
            environ = {**os.environ, "FAKE_TUI": ways, "CLAUDE_CONFIG_DIR": str(home)}
            made = Scene(pit, host, home)
            start_session(pit, host, agent_plan(pit.config, made.agent, environ), pane=None)
            wait_for(lambda: "❯" in made.screen(), what="its screen")
            return made

        yield start


def test_it_is_proved_by_the_programs_own_record(scene: Callable[[str], Scene]) -> None:
    given = scene("").give("two words")
    assert (given.outcome, given.proof) == (Outcome.DELIVERED, "log")


def test_without_a_record_the_screen_is_the_last_resort(scene: Callable[[str], Scene]) -> None:
    given = scene("nolog").give("two words")
    assert (given.outcome, given.proof) == (Outcome.DELIVERED, "screen")


def test_lines_are_one_prompt(scene: Callable[[str], Scene]) -> None:
    pane = scene("")
    given = pane.give("one\ntwo\n\nthree\x1b[201~\x03\n")
    assert given.outcome is Outcome.DELIVERED
    assert pane.prompts() == [f"one\ntwo\n\nthree[201~\n[{given.mark}]"]


def test_a_swallowed_key_is_pressed_again(scene: Callable[[str], Scene]) -> None:
    pane = scene("swallow")
    given = pane.give("two words")
    assert given.outcome is Outcome.DELIVERED
    assert pane.prompts() == [f"two words [{given.mark}]"]


def test_what_is_not_proved_is_not_sent_again(scene: Callable[[str], Scene]) -> None:
    pane = scene("deaf")
    first = pane.give("two words")
    assert first.outcome is Outcome.AMBIGUOUS
    second = pane.give("two words")
    assert second.outcome is Outcome.QUEUED
    assert pane.screen().count("two words") == 1
    record = pane.home / "projects" / "x" / "x.jsonl"
    record.write_text(json.dumps({"message": f"two words [{first.mark}]"}) + "\n")
    third = pane.give("two words")
    assert (third.outcome, third.mark) == (Outcome.DELIVERED, first.mark)
    assert pane.screen().count("two words") == 1
    kinds = [event.type for event in pane.pit.journal.read() if event.type.startswith("prompt.")]
    assert kinds == ["prompt.ambiguous", "prompt.queued", "prompt.delivered"]


def test_a_question_gets_no_key(scene: Callable[[str], Scene]) -> None:
    pane = scene("menu")
    given = pane.give("1")
    assert (given.outcome, given.reason) == (Outcome.REFUSED, "may it trust this folder?")
    assert not (pane.home / "keys.txt").exists()
    assert "❯ No, exit" in pane.screen()


def test_a_question_that_comes_while_typing_gets_no_enter(scene: Callable[[str], Scene]) -> None:
    pane = scene("late-menu")
    given = pane.give("two words")
    assert given.outcome is Outcome.AMBIGUOUS
    assert "trust this folder" in given.reason
    assert process.is_running(pane.pid())
    assert "❯ No, exit" in pane.screen()
    assert not (pane.home / "keys.txt").exists()


@pytest.mark.parametrize("way", ["shell", "child"])
def test_another_program_gets_nothing(way: str, scene: Callable[[str], Scene]) -> None:
    """Also when its screen looks just like the agent's own."""
    pane = scene(way)
    before = pane.screen()
    given = pane.give("touch mine")
    assert given.outcome is Outcome.REFUSED
    assert "another program" in given.reason
    assert pane.screen() == before


def test_a_stopped_program_gets_nothing(scene: Callable[[str], Scene]) -> None:
    pane = scene("")
    pid = pane.pid()
    process.send(pid, signal.SIGSTOP)
    wait_for(lambda: process.is_stopped(pid), what="it to be stopped")
    assert pane.give("two words") == (Outcome.REFUSED, "its program is stopped", "", "")
    process.send(pid, signal.SIGCONT)


def test_an_ended_program_gets_nothing(scene: Callable[[str], Scene]) -> None:
    pane = scene("")
    process.send(pane.pid(), signal.SIGKILL)
    wait_for(lambda: pane.host.panes()[0].dead, what="the pane to be dead")
    assert pane.give("two words").outcome is Outcome.REFUSED
    pane.host.kill(SESSION)
    assert pane.give("two words").outcome is Outcome.REFUSED


def test_an_end_in_the_middle_is_unsure(scene: Callable[[str], Scene]) -> None:
    given = scene("exit").give("two words")
    assert given.outcome is Outcome.AMBIGUOUS


def test_two_at_once_are_two_prompts(scene: Callable[[str], Scene]) -> None:
    pane = scene("")
    texts = [f"text number {number} of all" for number in range(4)]
    threads = [threading.Thread(target=pane.give, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(prompt.partition(" [")[0] for prompt in pane.prompts()) == texts


def test_copy_mode_is_left_first(scene: Callable[[str], Scene]) -> None:
    pane = scene("")
    pane.host._driver.cmd("copy-mode", target=f"={SESSION}:")
    assert pane.host.look(SESSION).in_mode
    assert pane.give("two words").outcome is Outcome.DELIVERED
