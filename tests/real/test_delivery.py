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
TOLD = ("hook", "log")  # what the program tells itself; never the screen where that is
MARK = re.compile(r"\s*\[pit-[0-9a-f]{8}\]")
OWN = ("<system-reminder>", "<local-command", "<command-", "# Environment", "Available agent")
LINE = "A line with 'quotes', \"more\", $HOME, `ticks`, a; semicolon; é 猫 and #{pid}"


@contextlib.contextmanager
def ready(
    tmp_path: Path, vendor: Vendor, *, program: str = "claude", flags: str | None = None
) -> Iterator[RealFleet]:
    """A fleet whose one program waits for a text."""
    with real_fleet(
        tmp_path, vendor, prompt="", program=program, flags=flags, more="mcp = false"
    ) as fleet:
        fleet.ok("up")
        wait_for(lambda: "\n❯\n──" in fleet.screen().replace("\u00a0", ""), 60, "its prompt")
        yield fleet


def nudge(fleet: RealFleet, *words: str, proofs: tuple[str, ...] = TOLD) -> tuple[str, str]:
    """Its outcome and reason."""
    done = fleet.run("nudge", "snake-1", *words, "--json")
    assert done.stdout, done.stderr
    found = json.loads(done.stdout)
    codes = {"delivered": 0, "queued": 5, "refused": 1, "ambiguous": 1}
    assert done.returncode == codes[found["outcome"]], done.stderr
    assert found["outcome"] != "delivered" or found["proof"] in proofs, found
    return found["outcome"], found["reason"]


def told(vendor: Vendor) -> list[str]:
    """What the model was told in the user's name, marks and the program's own additions cut."""
    texts = [text for text in vendor.space.users() if not text.startswith(OWN)]
    return [MARK.sub("", text).strip() for text in texts]


def new_text(fleet: RealFleet, vendor: Vendor, *words: str) -> str:
    """The one text that the model is told after a nudge."""
    before = len(told(vendor))
    assert nudge(fleet, *words) == ("delivered", "")
    wait_for(lambda: len(told(vendor)) > before, 20, "the model to be asked")
    wait_for(lambda: "esc to interrupt" not in fleet.screen(3), 20, "the end of the turn")
    (arrived,) = told(vendor)[before:]
    return arrived


def type_in(fleet: RealFleet, *words: str) -> None:
    """As somebody does who is not us."""
    tmux(fleet.host, "send-keys", "-t", f"={SESSION}:", *words)


@BOTH
def test_every_text_is_one_prompt_and_whole(program: str, vendor: Vendor, tmp_path: Path) -> None:
    """From about 800 characters on the program folds a text; an Enter too early would be swallowed."""
    lines = "\n".join(f"line {number} of ten; do nothing yet" for number in range(10))
    with ready(tmp_path, vendor, program=program) as fleet:
        assert new_text(fleet, vendor, "-m", LINE) == LINE
        for size in (900, 2000):
            text = f"{size} begin " + "word " * ((size - 20) // 5) + "end"
            assert text in new_text(fleet, vendor, "-m", text)
        assert lines in new_text(fleet, vendor, "-m", lines)
        assert len(told(vendor)) == 4
        assert len(fleet.events("prompt.delivered")) == 4


def test_a_long_text_goes_by_a_file(vendor: Vendor, tmp_path: Path) -> None:
    text = "\n".join(f"line {number}: {LINE}" for number in range(250))
    assert len(text.encode()) > 20_000
    (tmp_path / "text.md").write_text(text)
    with ready(tmp_path, vendor) as fleet:
        arrived = new_text(fleet, vendor, str(tmp_path / "text.md"))
        found = re.fullmatch(r"Read (\S+) now and do what it says\.", arrived)
        assert found, arrived
        path = Path(found[1])
        assert path.read_text() == text + "\n"
        assert path.stat().st_mode & 0o777 == 0o600


def test_no_text_is_keys_or_a_shell_line(vendor: Vendor, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    escapes = f"before \x1b[201~\r!touch {mine}\r\x1bOM\x03\x9b201~ after"
    with ready(tmp_path, vendor) as fleet:
        arrived = new_text(fleet, vendor, "-m", escapes)
        assert f"before [201~\n!touch {mine}\nOM201~ after" in arrived
        assert new_text(fleet, vendor, "-m", f"!touch {mine}") == f"Message: !touch {mine}"
        assert nudge(fleet, "-m", "/cost", proofs=("screen", *TOLD)) == ("delivered", "")
        wait_for(lambda: "cost" in fleet.screen(40).lower(), 20, "what the command shows")
        assert len(told(vendor)) == 2
        assert not mine.exists()


def test_a_person_in_the_pane_is_not_disturbed(vendor: Vendor, tmp_path: Path) -> None:
    half = "half typed by a person"
    with ready(tmp_path, vendor) as fleet:
        tmux(fleet.host, "copy-mode", "-t", f"={SESSION}:")
        assert new_text(fleet, vendor, "-m", LINE) == LINE

        type_in(fleet, "-l", half)
        wait_for(lambda: half in fleet.screen(4), 10, "the half line")
        outcome, reason = nudge(fleet, "-m", LINE)
        assert (outcome, "stands typed" in reason) == ("queued", True)
        assert half in fleet.screen(4)
        type_in(fleet, "C-u")
        wait_for(lambda: half not in fleet.screen(4), 10, "the line to be empty")

        argv = fleet.host.attach_argv(SESSION, read_only=False)
        with client(argv, columns=120, rows=40) as person:
            wait_for(lambda: person.shows("permissions on"), 10, "the session on a terminal")
            person.type(b"x\x15")
            outcome, reason = nudge(fleet, "-m", LINE)
            assert (outcome, "somebody types" in reason) == ("queued", True)
        assert told(vendor) == [LINE]


def test_while_it_works_it_is_the_next_word(vendor: Vendor, tmp_path: Path) -> None:
    go = tmp_path / "go"
    vendor.space.then(shell(f"until [ -e {go} ]; do read -t 0.2 <> <(:) || true; done"))
    with ready(tmp_path, vendor) as fleet:
        assert nudge(fleet, "-m", "wait for the file") == ("delivered", "")
        wait_for(lambda: "esc to interrupt" in fleet.screen(3), 20, "it to be at work")
        assert nudge(fleet, "-m", LINE) == ("delivered", "")
        go.touch()
        wait_for(lambda: any(LINE in text for text in vendor.space.users()), 30, "the second text")
        assert sum(LINE in MARK.sub("", text) for text in vendor.space.users()) == 1


def test_a_question_of_the_model_stays_unanswered(vendor: Vendor, tmp_path: Path) -> None:
    options = [{"label": "Red", "description": "warm"}, {"label": "Blue", "description": "cold"}]
    question = {"question": "Which colour?", "header": "Colour", "options": options}
    vendor.space.then(
        tool("AskUserQuestion", {"questions": [{**question, "multiSelect": False}]}),
        say("asked and answered"),
    )
    with ready(tmp_path, vendor) as fleet:
        assert nudge(fleet, "-m", "ask me") == ("delivered", "")
        wait_for(lambda: "1. Red" in fleet.screen(), 20, "the question")
        outcome, reason = nudge(fleet, "-m", LINE)
        assert (outcome, "Red" in reason) == ("refused", True)
        assert "1. Red" in fleet.screen()
        assert len(vendor.space.main) == 1


@BOTH
def test_a_permission_is_not_given(program: str, vendor: Vendor, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    vendor.space.then(shell(f"touch {mine}"), say("it ran"))
    flags = "--permission-mode " + ("manual" if program == "claude" else "default")
    with ready(tmp_path, vendor, program=program, flags=flags) as fleet:
        assert nudge(fleet, "-m", "run the tool") == ("delivered", "")
        wait_for(lambda: "Do you want to proceed?" in fleet.screen(), 20, "the question")
        for text in ("1", LINE, "yes"):
            assert nudge(fleet, "-m", text) == ("refused", "it asks to use a tool")
        assert "Do you want to proceed?" in fleet.screen()
        assert not mine.exists()
        assert len(vendor.space.main) == 1


def test_before_it_is_ready_nothing_is_lost(vendor: Vendor, tmp_path: Path) -> None:
    with real_fleet(tmp_path, vendor, prompt="", more="mcp = false") as fleet:
        fleet.ok("up")
        outcomes: list[str] = []
        while not outcomes or outcomes[-1] != "delivered":
            outcomes.append(nudge(fleet, "-m", LINE)[0])
        assert set(outcomes[:-1]) <= {"queued", "refused"}
        wait_for(lambda: told(vendor), 20, "the model to be asked")
        assert told(vendor) == [LINE]


def test_a_limit_is_neither_chosen_nor_paid(vendor: Vendor, tmp_path: Path) -> None:
    """An Enter on this question takes its first option, and the text would stand there unsent."""
    env = {"ANTHROPIC_API_KEY": "", "CLAUDE_CODE_OAUTH_TOKEN": "sk-ant-oat01-" + "standin" * 8}
    vendor.space.always("429_7d")
    with real_fleet(tmp_path, vendor, prompt="", env=env, more="mcp = false") as fleet:
        fleet.ok("up")
        wait_for(lambda: fleet.events("session.ready"), 60, "it to be ready")
        assert nudge(fleet, "-m", "first") == ("delivered", "")
        wait_for(lambda: "Stop and wait for limit to reset" in fleet.screen(), 20, "the question")
        assert nudge(fleet, "-m", LINE) == ("refused", "a usage limit: wait or pay?")
        assert "❯ 1. Stop and wait" in fleet.screen()
        assert LINE not in fleet.screen()
        (event,) = wait_for(lambda: fleet.events("dialog.waits"), 20, "it to wait for a person")
        assert event["dialog"] == "limit"
