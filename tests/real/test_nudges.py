"""The other real programs are given a text on the same path: once, whole, and not into what they ask."""

import json
import re
from pathlib import Path

import pytest

from snakepit.system import process
from tests.standin import models
from tests.standin.fixture import Vendor
from tests.support.snakes import real_fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.timeout(120), pytest.mark.needs("tmux")]
PROGRAMS = ("codex", "opencode", "gemini", "qwen")
TEXT = "First line with 'quotes' and $HOME; say word-4711\nsecond line\n\nlast line"


def whole(text: str) -> str:
    """Where no line to type on can be told, many lines go by a file."""
    found = re.search(r"Read (\S+) now and do what it says", text)
    return Path(found[1]).read_text() if found else text


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.needs(n)) for n in PROGRAMS])
def test_a_text_is_one_prompt(name: str, vendor: Vendor, tmp_path: Path) -> None:
    vendor.space.always(models.answering("word-4711"))
    with real_fleet(tmp_path, vendor, program=name, prompt="") as fleet:
        fleet.ok("up")
        wait_for(lambda: fleet.events("session.ready"), 60, "it to be ready")
        done = fleet.run("nudge", "snake-1", "-m", TEXT, "--json")
        found = json.loads(done.stdout)
        assert found["outcome"] == "delivered", found
        wait_for(lambda: vendor.space.main, 30, "the model to be asked")
        texts = [text for text in vendor.space.users() if f"[{found['mark']}]" in text]
        assert len(texts) == 1
        assert " ".join(TEXT.split()) in " ".join(whole(texts[0]).split())
        others = [text for text in vendor.space.users() if "line" in text and text not in texts]
        assert not any(text in TEXT for text in others)
        assert process.is_running(fleet.program_pid())
