"""Real Claude Code from an empty HOME: its questions answered by label as the config allows, or left to a person."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from snakepit.system import process
from tests.standin.fixture import Vendor
from tests.standin.onboarding import Onboarding, onboarding
from tests.support.snakes import RealFleet, real_fleet
from tests.support.wait import wait_for

pytestmark = [
    pytest.mark.timeout(120),
    pytest.mark.needs("tmux"),
    pytest.mark.needs("claude", "openssl"),
]
BOTH = pytest.mark.parametrize(
    "program",
    [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("claude", "claude-2.1.197")],
)


@contextmanager
def empty_home(
    tmp_path: Path, vendor: Vendor, program: str, **more: str
) -> Iterator[tuple[RealFleet, Onboarding]]:
    with (
        onboarding(tmp_path) as net,
        real_fleet(
            tmp_path, vendor, prompt="", program=program, accepted=False, env=net.env, **more
        ) as fleet,
    ):
        yield fleet, net


def answers(fleet: RealFleet) -> dict[object, object]:
    return {event["dialog"]: event["answer"] for event in fleet.events("dialog.answered")}


def state(fleet: RealFleet) -> dict[str, object]:
    workers = fleet.json("status")["workers"]
    assert isinstance(workers, list)
    found = workers[0]
    assert isinstance(found, dict)
    return found


@BOTH
def test_it_comes_to_its_prompt_by_labels(program: str, vendor: Vendor, tmp_path: Path) -> None:
    """One version preselects Yes and the other No: neither a count of keys nor a bare Enter does both."""
    with empty_home(tmp_path, vendor, program, defaults="trust_workspace = true") as (fleet, net):
        fleet.ok("up")
        wait_for(lambda: fleet.events("session.ready"), 90, "it to be ready")
        assert any("/api/hello" in line for line in net.asked)
        found = answers(fleet)
        assert found["trust"] == "Yes, I trust this folder"
        assert found["bypass"] == "Yes, I accept"
        assert found["key"] == "Yes"
        assert set(found) == {"theme", "key", "notes", "trust", "bypass"}
        assert process.is_running(fleet.program_pid())
        assert len(fleet.events("session.started")) == len(fleet.sessions())
        assert fleet.events("dialog.waits") == []
        assert vendor.space.main == []
        fleet.ok("nudge", "snake-1", "-m", "a first word")
        wait_for(lambda: vendor.space.main, 20, "the model to be asked")


@BOTH
def test_without_consent_it_waits_for_a_person(
    program: str, vendor: Vendor, tmp_path: Path
) -> None:
    with empty_home(tmp_path, vendor, program) as (fleet, _):
        fleet.ok("up")
        (event,) = wait_for(lambda: fleet.events("dialog.waits"), 90, "it to wait")
        assert (event["dialog"], event["says"]) == ("trust", "may it trust this folder?")
        assert "trust" not in answers(fleet)
        wait_for(lambda: state(fleet)["state"] == "asks", 10, "status to say so")
        assert "waits for a person: may it trust this folder?" in str(state(fleet)["note"])
        done = fleet.run("nudge", "snake-1", "-m", "1")
        assert (done.returncode, "may it trust" in done.stderr) == (1, True)
        assert "Yes, I trust this folder" in fleet.screen()
        assert process.is_running(fleet.program_pid())
        assert len(fleet.events("dialog.waits")) == 1
