"""Real Claude Code in a real fleet, from `up` to tasks in done/, with nothing but what `up` gives it."""

import signal
from pathlib import Path

import pytest

from snakepit.system import process
from tests.standin import models
from tests.standin.fixture import Vendor
from tests.standin.steps import say, shell
from tests.support.snakes import real_fleet
from tests.support.wait import wait_for

both = pytest.mark.parametrize(
    "program",
    [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("claude", "claude-2.1.197")],
)
pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux")]
FIVE = [f"task-{number}.md" for number in range(1, 6)]


def role_prompt(size: int) -> str:
    """Many lines, quotes of all kinds, a dollar, backslashes, other alphabets, a nonce at each end."""
    line = (
        "Line {n}: 'single' \"double\" `tick` $HOME \\n %s é 猫 {{brace}} <tag> # not a comment\n"
    )
    text = "role-begins-7f3a\n"
    number = 0
    while len(text.encode()) < size - 200:
        number += 1
        text += line.format(n=number)
    return text + "role-ends-9c41"


def first_words(vendor: Vendor) -> list[str]:
    """What a person or the fleet told it, without what the program adds of its own."""
    return [text for text in vendor.space.users() if "<system-reminder>" not in text]


@both
def test_it_is_ready_with_its_role(program: str, vendor: Vendor, tmp_path: Path) -> None:
    prompt = role_prompt(20_000)
    vendor.space.always(say("I have read my role and wait."))
    with real_fleet(tmp_path, vendor, prompt=prompt, program=program) as fleet:
        fleet.ok("up")
        wait_for(lambda: vendor.space.main, 60, "the first call of its model")
        assert prompt in first_words(vendor)
        wait_for(lambda: "wait." in fleet.screen(), 30, "the answer on its screen")
        wait_for(lambda: "esc to interrupt" not in fleet.screen(), 30, "it to be idle")
        assert process.is_running(fleet.program_pid())


@pytest.mark.needs("claude")
def test_it_eats_five_tasks_by_hand(vendor: Vendor, tmp_path: Path) -> None:
    with real_fleet(tmp_path, vendor, prompt="Eat what is in pit/food.") as fleet:
        fleet.ok("check")
        pit = fleet.config.pit_dir
        vendor.space.always(models.by_hand(pit, "snake-1"))
        (pit / "food").mkdir(parents=True, exist_ok=True)
        for name in FIVE:
            (pit / "food" / name).write_text(f"# {name}\n\nSay that you have eaten.\n")
        fleet.ok("up")
        wait_for(lambda: fleet.lies("done") == set(FIVE), 90, "five tasks in done/")
        for name in FIVE:
            assert f"{name} eaten by hand" in (pit / "done" / name).read_text()
        assert fleet.lies("food") == set()
        wait_for(lambda: len(fleet.events("task.completed")) == 5, 30, "five events of it")


@pytest.mark.needs("claude")
def test_a_killed_one_goes_on_and_repeats_nothing(vendor: Vendor, tmp_path: Path) -> None:
    with real_fleet(tmp_path, vendor, prompt="Do both steps.") as fleet:
        first, second = fleet.folder / "first", fleet.folder / "second"
        vendor.space.always(
            models.by_calls(
                shell(f"echo once >> {first}"),
                shell(f"echo begun >> {second}; sleep 100; echo over >> {second}"),
                say("all done"),
            )
        )
        fleet.ok("up")
        wait_for(second.exists, 60, "the second step to run")
        pid = fleet.program_pid()
        (conversation,) = fleet.conversations()
        wait_for(lambda: "sleep 100" in conversation.read_text(), 10, "the call to be recorded")
        fleet.note_conversation(conversation.stem)
        asked = len(vendor.space.main)

        process.send(pid, signal.SIGKILL)

        wait_for(lambda: fleet.program_pid() not in (0, pid), 30, "the daemon to start it again")
        wait_for(lambda: len(vendor.space.main) > asked, 60, "it to go on")
        wait_for(lambda: "all done" in fleet.screen(), 30, "the end of its turn")
        went_on = vendor.space.main[asked]
        assert went_on.talk.calls[0].input["command"] == f"echo once >> {first}"
        assert first.read_text() == "once\n"
        assert second.read_text() == "begun\n"
        assert fleet.conversations() == [conversation]
