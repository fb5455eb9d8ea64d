"""The real programs that no worker of these tests runs: each answers once, and its own tool runs on the way."""

from pathlib import Path

import pytest

from tests.standin.fixture import Vendor
from tests.standin.steps import say, shell
from tests.support import clis

pytestmark = pytest.mark.timeout(120)
ANSWER = "The answer is forty-two."
PROGRAMS = ("qwen", "pi")


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.needs(n)) for n in PROGRAMS])
def test_it_answers_by_the_stand_in(name: str, vendor: Vendor, tmp_path: Path) -> None:
    cli = clis.prepare(name, tmp_path / "home", tmp_path / "project", vendor.url)
    vendor.space.then(shell("echo it did > ran.txt"))
    vendor.space.then(say(ANSWER))

    done = cli.run("What is the answer? Say it in one line.")

    assert done.returncode == 0, done.stdout + done.stderr
    assert ANSWER in done.stdout
    main = vendor.space.main
    assert [asked.status for asked in main] == [200, 200]
    assert any("What is the answer?" in text for text in main[-1].talk.users)
    assert (cli.cwd / "ran.txt").read_text() == "it did\n"
    assert cli.lines(done.stdout)
