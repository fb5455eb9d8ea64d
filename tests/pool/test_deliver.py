"""Proves in real panes that a text reaches the agent's program or nothing, and is proved or told to be unsure."""

import json
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.pool.deliver import Outcome
from snakepit.system import process
from tests.support.panes import SESSION, Scene
from tests.support.panes import scene as scene_in
from tests.support.tmux import tmux
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(40)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with scene_in(tmp_path) as made:
        yield made


def test_it_is_proved_by_the_programs_own_record(scene: Scene) -> None:
    given = scene.start("").give("two words")
    assert (given.outcome, given.proof) == (Outcome.DELIVERED, "log")


def test_without_a_record_the_screen_is_the_last_resort(scene: Scene) -> None:
    given = scene.start("nolog").give("two words")
    assert (given.outcome, given.proof) == (Outcome.DELIVERED, "screen")


def test_lines_are_one_prompt(scene: Scene) -> None:
    pane = scene.start("")
    given = pane.give("one\ntwo\n\nthree\x1b[201~\x03\n")
    assert given.outcome is Outcome.DELIVERED
    assert pane.prompts() == [f"one\ntwo\n\nthree[201~\n[{given.mark}]"]


def test_a_swallowed_key_is_pressed_again(scene: Scene) -> None:
    pane = scene.start("swallow")
    given = pane.give("two words")
    assert given.outcome is Outcome.DELIVERED
    assert pane.prompts() == [f"two words [{given.mark}]"]


def test_what_is_not_proved_is_not_sent_again(scene: Scene) -> None:
    pane = scene.start("deaf")
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
    assert pane.events("prompt.") == ["prompt.ambiguous", "prompt.queued", "prompt.delivered"]


def test_a_question_gets_no_key(scene: Scene) -> None:
    pane = scene.start("menu")
    given = pane.give("1")
    assert (given.outcome, given.reason) == (Outcome.REFUSED, "may it trust this folder?")
    assert pane.keys() == []
    assert "❯ No, exit" in pane.screen()


def test_a_question_that_comes_while_typing_gets_no_enter(scene: Scene) -> None:
    pane = scene.start("late-menu")
    given = pane.give("two words")
    assert given.outcome is Outcome.AMBIGUOUS
    assert "trust this folder" in given.reason
    assert process.is_running(pane.pid())
    assert "❯ No, exit" in pane.screen()
    assert pane.keys() == []


@pytest.mark.parametrize("way", ["shell", "child"])
def test_another_program_gets_nothing(way: str, scene: Scene) -> None:
    """Also when its screen looks just like the agent's own."""
    pane = scene.start(way)
    before = pane.screen()
    given = pane.give("touch mine")
    assert given.outcome is Outcome.REFUSED
    assert "another program" in given.reason
    assert pane.screen() == before


def test_a_stopped_program_gets_nothing(scene: Scene) -> None:
    pane = scene.start("")
    pid = pane.pid()
    process.send(pid, signal.SIGSTOP)
    wait_for(lambda: process.is_stopped(pid), what="it to be stopped")
    assert pane.give("two words") == (Outcome.REFUSED, "its program is stopped", "", "")
    process.send(pid, signal.SIGCONT)


def test_an_ended_program_gets_nothing(scene: Scene) -> None:
    pane = scene.start("")
    process.send(pane.pid(), signal.SIGKILL)
    wait_for(lambda: pane.host.panes()[0].dead, what="the pane to be dead")
    assert pane.give("two words").outcome is Outcome.REFUSED
    pane.host.kill(SESSION)
    assert pane.give("two words").outcome is Outcome.REFUSED


def test_an_end_in_the_middle_is_unsure(scene: Scene) -> None:
    given = scene.start("exit").give("two words")
    assert given.outcome is Outcome.AMBIGUOUS


def test_two_at_once_are_two_prompts(scene: Scene) -> None:
    pane = scene.start("")
    texts = [f"text number {number} of all" for number in range(4)]
    threads = [threading.Thread(target=pane.give, args=(text,)) for text in texts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(prompt.partition(" [")[0] for prompt in pane.prompts()) == texts


def test_copy_mode_is_left_first(scene: Scene) -> None:
    pane = scene.start("")
    tmux(pane.host, "copy-mode", "-t", f"={SESSION}:")
    assert pane.host.look(SESSION).in_mode
    assert pane.give("two words").outcome is Outcome.DELIVERED
