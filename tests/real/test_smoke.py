"""Every real program answers once without a person, and its own tool runs on the way."""

from pathlib import Path

import pytest

from tests.standin.fixture import Vendor
from tests.standin.steps import say, shell
from tests.support import clis
from tests.support.programs import CLIS

pytestmark = pytest.mark.timeout(120)
ANSWER = "The answer is forty-two."


@pytest.mark.parametrize("name", [pytest.param(n, marks=pytest.mark.needs(n)) for n in CLIS])
def test_it_answers_by_the_stand_in(name: str, vendor: Vendor, tmp_path: Path) -> None:
    cli = clis.prepare(name, tmp_path / "home", tmp_path / "project", vendor.url)
    if cli.toolless:
        vendor.space.side = "main"
    else:
        vendor.space.then(shell("echo it did > ran.txt"))
    vendor.space.then(say(ANSWER))

    done = cli.run("What is the answer? Say it in one line.")

    assert done.returncode == 0, done.stdout + done.stderr
    assert ANSWER in done.stdout
    main = vendor.space.main
    assert [asked.status for asked in main] == [200] * (1 if cli.toolless else 2)
    assert any("What is the answer?" in text for text in main[-1].talk.users)
    if not cli.toolless:
        assert (cli.cwd / "ran.txt").read_text() == "it did\n"
        assert cli.lines(done.stdout)
