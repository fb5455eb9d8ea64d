"""One bash for a run: what stays, what is cut, and that nothing outlives a timeout."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.agents.anthropic.shell import SHOWN, Shell
from snakepit.agents.anthropic.waiting import Stopped, Watch
from snakepit.pool.tree import RunTree
from snakepit.system import process
from tests.agents.anthropic.scene import Quiet
from tests.support.wait import wait_for


class Fixture:
    def __init__(self, folder: Path) -> None:
        self.attention = Quiet()
        self.folder = folder / "commands"
        self.folder.mkdir()
        self.cwd = folder
        self.shell = Shell(
            cwd=folder,
            env={"PATH": os.environ["PATH"], "HOME": "/nowhere"},
            folder=self.folder,
            watch=Watch(self.attention),
            end_rest=RunTree("none", is_subreaper=True).end,
        )


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Fixture]:
    fixture = Fixture(tmp_path)
    yield fixture
    fixture.attention.word = ""
    fixture.shell.close()


def test_folder_variables_and_functions_stay(made: Fixture) -> None:
    run = made.shell.run
    assert run("mkdir sub; cd sub; x=5; f() { echo $((x+1)); }", 10).status == 0
    output = run("pwd; f", 10)
    assert output.text == f"{made.cwd / 'sub'}\n6"


def test_a_status_and_both_streams_come_back(made: Fixture) -> None:
    output = made.shell.run("echo out; echo err >&2; (exit 3)", 10)
    assert (output.status, sorted(output.text.split())) == (3, ["err", "out"])


def test_input_is_empty_and_quotes_are_the_commands_own(made: Fixture) -> None:
    output = made.shell.run("cat; read -r line || echo none; cat <<'END'\nit's \"$x\"\nEND", 10)
    assert output.text == 'none\nit\'s "$x"'


def test_a_shell_that_exits_says_so_and_is_followed_by_a_new_one(made: Fixture) -> None:
    made.shell.run("y=1", 10)
    output = made.shell.run("echo bye; exit 7", 10)
    assert (output.status, output.text, output.is_over_time) == (7, "bye", False)
    assert made.shell.run("echo y=$y", 10).text == "y="


def test_a_shell_that_becomes_a_program_is_followed_to_its_end(made: Fixture) -> None:
    output = made.shell.run("exec bash -c 'sleep 0.3; echo out; exit 4'", 10)
    assert (output.status, output.text, output.is_over_time) == (4, "out", False)
    slow = made.shell.run("exec sleep 600", 0.5)
    assert (slow.status, slow.is_over_time) == (None, True)
    assert 0.4 < slow.seconds < 5


def test_a_syntax_error_is_a_failure_and_the_shell_lives(made: Fixture) -> None:
    made.shell.run("z=1", 10)
    assert made.shell.run("if then", 10).status not in (0, None)
    assert made.shell.run("echo $z", 10).text == "1"


def test_a_timeout_kills_all_that_the_shell_started(made: Fixture) -> None:
    command = "setsid sleep 600 & echo $! > bg; sleep 600 & echo $! >> bg; echo on; sleep 600"
    output = made.shell.run(command, 0.5)
    assert output.is_over_time
    assert output.text == "on"
    pids = [int(pid) for pid in (made.cwd / "bg").read_text().split()]
    assert len(pids) == 2
    assert not any(process.is_running(pid) for pid in pids)
    assert made.shell.run("echo new", 10).text == "new"


def test_background_work_lives_until_the_end_of_the_run(made: Fixture) -> None:
    pid = int(made.shell.run("sleep 600 & echo $!", 10).text)
    assert process.is_running(pid)
    made.shell.close()
    assert not process.is_running(pid)


def test_what_runs_in_the_background_holds_up_nothing(made: Fixture) -> None:
    output = made.shell.run("(sleep 600; echo late) & echo now", 5)
    assert (output.status, output.text) == (0, "now")


def test_a_long_output_is_cut_and_whole_in_a_file(made: Fixture) -> None:
    output = made.shell.run("seq 1 100000", 30)
    assert len(output.text) < SHOWN + 500
    assert output.text.startswith("1\n2\n")
    assert output.text.endswith("99999\n100000")
    path = made.folder / "command-1.out"
    assert str(path) in output.text
    assert path.read_text() == "".join(f"{n}\n" for n in range(1, 100_001))


def test_colours_and_control_bytes_do_not_reach_the_model(made: Fixture) -> None:
    assert made.shell.run(r"printf '\033[31mred\033[0m\a\n'", 10).text == "red"


def test_a_word_ends_a_command(made: Fixture) -> None:
    made.attention.word = "give back"
    with pytest.raises(Stopped, match="give back"):
        made.shell.run("sleep 600", 60)


def test_a_program_beside_the_shell(made: Fixture) -> None:
    assert made.shell.once(["echo", "a b"], 10).text == "a b"
    assert made.shell.once(["false"], 10).status == 1
    slow = made.shell.once(["sleep", "600"], 0.3)
    assert slow.is_over_time
    wait_for(process.has_no_child, what="nothing to be left")


def test_the_status_pipe_is_not_the_commands(made: Fixture) -> None:
    assert made.shell.run("echo 99 >&9 2>/dev/null || echo closed", 10).text.endswith("closed")
