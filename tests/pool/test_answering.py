"""Proves in real panes that a question is answered by its label where the config agrees, and else not touched."""

from pathlib import Path

import pytest

from snakepit.pool.answering import answer
from snakepit.session.base import Look
from snakepit.session.tmux import TmuxHost
from tests.support.panes import scene
from tests.support.tmux import client
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(30)]
TRUSTS = 'feed = "self"\ntrust_workspace = true'
DOWN, ENTER = r"'\x1b[B'", r"'\r'"


def test_the_label_is_chosen_not_what_was_chosen_before(tmp_path: Path) -> None:
    with scene(tmp_path, TRUSTS) as pane:
        pane.start("menu")
        assert answer(pane.pit, pane.host, pane.agent)
        assert pane.keys() == [DOWN, ENTER]
        wait_for(lambda: "mode on" in pane.screen(), what="its prompt")
        (event,) = [one for one in pane.pit.journal.read() if one.type == "dialog.answered"]
        assert event.data["answer"] == "Yes, I trust this folder"
        assert not answer(pane.pit, pane.host, pane.agent)
        assert pane.keys() == [DOWN, ENTER]


def test_without_consent_no_key(tmp_path: Path) -> None:
    with scene(tmp_path) as pane:
        pane.start("menu")
        assert not answer(pane.pit, pane.host, pane.agent)
        assert pane.keys() == []
        assert pane.events("dialog.") == []


def test_a_key_that_does_nothing_is_not_followed_by_enter(tmp_path: Path) -> None:
    with scene(tmp_path, TRUSTS) as pane:
        pane.start("menu stuck")
        assert not answer(pane.pit, pane.host, pane.agent)
        assert set(pane.keys()) == {DOWN}
        assert "❯ No, exit" in pane.screen()


def test_a_person_at_the_question_answers_it(tmp_path: Path) -> None:
    with scene(tmp_path, TRUSTS) as pane:
        pane.start("menu")
        with client(pane.host.attach_argv("snakepit-snake-1", read_only=False)) as person:
            wait_for(lambda: person.shows("trust this folder"), what="the question on a terminal")
            assert not answer(pane.pit, pane.host, pane.agent)
        assert pane.keys() == []


def test_a_question_that_changes_between_two_looks_gets_no_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with scene(tmp_path, TRUSTS) as pane:
        pane.start("menu")
        looks = 0
        look = TmuxHost.look

        def changing(host: TmuxHost, name: str) -> Look:
            nonlocal looks
            looks += 1
            found = look(host, name)
            return found._replace(rows=(*found.rows, f"drawn {looks} times"))

        monkeypatch.setattr(TmuxHost, "look", changing)
        assert not answer(pane.pit, pane.host, pane.agent)
        monkeypatch.undo()
        assert pane.keys() == []
