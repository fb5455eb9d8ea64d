"""Proves what a look at a real pane tells: faint text, copy-mode, and a person's keys."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.session.looking import bright, plain
from snakepit.session.tmux import TmuxHost
from tests.support.tmux import client, private_host, tmux
from tests.support.wait import wait_for

pytestmark = pytest.mark.needs("tmux")
NAME = "pit-snake-1"


@pytest.fixture
def host() -> Iterator[TmuxHost]:
    with private_host() as host:
        yield host


def test_what_is_faint_is_blank_among_the_bright(host: TmuxHost, tmp_path: Path) -> None:
    line = r"> \033[38;2;9;2;2mred\033[0m \033[1;2mhint\033[22m told \033[2mmore"
    host.start(NAME, ["/bin/sh", "-c", f"printf '{line}'; exec cat"], cwd=tmp_path)
    wait_for(lambda: "more" in host.look(NAME).rows[0], what="the line on the screen")
    look = host.look(NAME)
    assert look.rows[0] == "> red hint told more"
    assert look.bright[0] == "> red      told"


def test_faint_runs_over_the_end_of_a_row() -> None:
    assert bright(["a \x1b[2mhint that", "goes on\x1b[0m b"]) == ["a", "        b"]
    assert plain("\x1b]8;;x\x07link\x1b]8;;\x07 \x1b[4;48:5:2mend") == "link end"


def test_copy_mode_is_seen_and_left(host: TmuxHost, tmp_path: Path) -> None:
    host.start(NAME, ["/bin/cat"], cwd=tmp_path)
    tmux(host, "copy-mode", "-t", f"={NAME}:")
    assert host.look(NAME).in_mode
    host.leave_mode(NAME)
    assert not host.look(NAME).in_mode
    host.leave_mode(NAME)
    host.send_text(NAME, "still there")
    wait_for(lambda: "still there" in host.look(NAME).rows, what="the text on the screen")


def test_a_person_who_types_is_seen(host: TmuxHost, tmp_path: Path) -> None:
    host.start(NAME, ["/bin/cat"], cwd=tmp_path)
    host.send_text(NAME, "not a person")
    assert host.look(NAME).typed_at == 0
    with client(host.attach_argv(NAME, read_only=False)) as person:
        wait_for(lambda: person.shows("not a person"), what="the session on a terminal")
        person.type(b"x")
        wait_for(lambda: "not a personx" in host.look(NAME).rows, what="the key on the screen")
        assert abs(clock.wall() - host.look(NAME).typed_at) < 5
