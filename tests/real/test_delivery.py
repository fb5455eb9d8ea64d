"""Texts that go into a pane of real Claude Code: each way it can go wrong, and that it does not.

The stand-in is the witness: what was delivered is what the model was asked, and nothing else.
"""

import contextlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.standin.fixture import Vendor
from tests.standin.steps import say, shell, tool
from tests.support.snakes import SESSION, RealFleet, real_fleet
from tests.support.tmux import client, tmux
from tests.support.wait import wait_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux"), pytest.mark.needs("claude")]
BOTH = pytest.mark.parametrize(
    "program",
    [pytest.param(n, marks=pytest.mark.needs(n)) for n in ("claude", "claude-2.1.197")],
)
MARK = re.compile(r"\s*\[pit-[0-9a-f]{8}\]")
LINE = "A line with 'quotes', \"more\", $HOME, `ticks`, a; semicolon; é 猫 and #{pid}"


@contextlib.contextmanager
def ready(
    tmp_path: Path, vendor: Vendor, *, program: str = "claude", more: str = "", prompt: str = ""
) -> Iterator[RealFleet]:
    """A fleet whose one program waits for a text."""
    with real_fleet(tmp_path, vendor, prompt=prompt, program=program, more=more) as fleet:
        fleet.ok("up")
        wait_for(lambda: "❯" in fleet.screen() and "mode on" in footer(fleet), 60, "its prompt")
        yield fleet


def footer(fleet: RealFleet) -> str:
    return fleet.screen(3).replace("permissions on", "mode on")


def nudge(fleet: RealFleet, *words: str) -> tuple[str, str]:
    """Its outcome and reason."""
    done = fleet.run("nudge", "snake-1", *words, "--json")
    told = json.loads(done.stdout)
    codes = {"delivered": 0, "queued": 5, "refused": 1, "ambiguous": 1}
    assert done.returncode == codes[told["outcome"]], done.stderr
    assert told["outcome"] != "delivered" or told["proof"] == "log", told
    return told["outcome"], told["reason"]


def told(vendor: Vendor) -> list[str]:
    """What the model was told in the user's name, marks and the program's own additions cut."""
    own = ("<system-reminder>", "<local-command", "<command-")
    texts = [text for text in vendor.space.users() if not text.startswith(own)]
    return [MARK.sub("", text).strip() for text in texts]


@BOTH
def test_one_line_arrives_as_it_is(program: str, vendor: Vendor, tmp_path: Path) -> None:
    with ready(tmp_path, vendor, program=program) as fleet:
        assert nudge(fleet, "-m", LINE) == ("delivered", "")
        wait_for(lambda: told(vendor), 20, "the model to be asked")
        assert told(vendor) == [LINE]
        (event,) = fleet.events("prompt.delivered")
        assert event["proof"] == "log"
