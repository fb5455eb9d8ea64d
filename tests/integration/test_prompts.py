"""Every command that the prompts and the pit's README name is typed in a small pit by a running snake's shell.

A command without a case here is red. What a reader fills in himself (NAME, FILE) is filled from FILLS.
"""

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from snakepit.cli.main import VERBS
from snakepit.pool import push
from snakepit.worker.tasked import PROMPT
from tests.cli.pits import IDENTITY, Box, make_box

ROOT = Path(__file__).parents[2]
TEXTS = (*sorted((ROOT / "prompts").glob("*.md")), ROOT / "pit" / "README.md")
SHELL_WORDS = ("snakepit", "python3", "mv", "cp", "mkdir")
FILLS = {
    " …": "",
    "NAME": "x",
    "FILE.md": "more.md",
    "FILE": "more.md",
    "PART": "part-a",
    "REASON": "why",
}
OK, FAILED, NOTHING, LOST = 0, 1, 5, 6


class Case(NamedTuple):
    """`before`: where x.md lies when the command is typed, "" nowhere, "lost": cancelled while the snake held it.
    For moves by hand, with x.md in food/: "taken" and "there" are two ways to come too late for idea.md,
    "ana": she has it. `after`: where x.md lies then. `also`: what is there afterwards."""

    before: str
    code: int
    after: str
    also: tuple[str, ...] = ()


MINE = "claimed/snake-1"
LOOKS = (Case("food", OK, "food"), Case(MINE, OK, MINE))
FEEDS = (Case(MINE, OK, MINE),)
BEATS = (Case(MINE, OK, MINE),)
DONE = (Case(MINE, OK, "done"), Case("lost", LOST, "scraps"))
FAILS = (Case(MINE, OK, "food"), Case("lost", LOST, "scraps"))
SPLITS = (Case(MINE, OK, "food", ("food/part-a.md",)), Case("lost", LOST, "scraps"))
CLAIM_BY_HAND = "mv -n pit/food/idea.md pit/claimed/ana/ && test ! -e pit/food/idea.md"
BY_HAND = "mv -n pit/claimed/ana/idea.md pit/{}/ && test ! -e pit/claimed/ana/idea.md"

CASES: dict[str, tuple[Case, ...]] = {
    "snakepit claim": (Case("food", OK, MINE), Case("", NOTHING, ""), Case(MINE, OK, MINE)),
    "snakepit wait": (Case("food", OK, "food"),),
    'snakepit beat "reading the parser"': BEATS,
    'snakepit beat "3 of 8 files converted"': BEATS,
    'snakepit beat "2 of 5 read"': BEATS,
    'snakepit done -m "…"': DONE,
    "snakepit done result.md": DONE,
    'snakepit done -m "one line"': DONE,
    'snakepit done -m "where and by whom"': DONE,
    'snakepit done -m "what is different now"': DONE,
    "snakepit split part-a.md": SPLITS,
    "snakepit split part-a.md part-b.md": SPLITS,
    "snakepit split part-a.md part-b.md …": SPLITS,
    "snakepit split PART.md …": SPLITS,
    'snakepit fail -m "what you tried, what stopped you"': FAILS,
    'snakepit fail -m "why"': FAILS,
    "snakepit fail -m REASON": FAILS,
    'snakepit release -m "why"': FAILS,
    "snakepit status": LOOKS,
    "snakepit ls": LOOKS,
    "snakepit ls scraps": LOOKS,
    "snakepit show NAME": (*LOOKS, Case("", FAILED, "")),
    "snakepit events -n 50": LOOKS,
    'snakepit feed -m "…"': FEEDS,
    "snakepit feed FILE.md": (Case(MINE, OK, MINE, ("food/more-*.md",)),),
    "mv -n $SNAKEPIT_PIT/food/x.md $SNAKEPIT_PIT/claimed/$SNAKEPIT_WORKER/": (
        Case("food", OK, MINE),
    ),
    "mv -n $SNAKEPIT_PIT/claimed/$SNAKEPIT_WORKER/x.md $SNAKEPIT_PIT/done/": (
        Case(MINE, OK, "done"),
        Case("lost", FAILED, "scraps"),
    ),
    # pit/README.md
    "python3 agents.py status": LOOKS,
    "show NAME": LOOKS,
    'feed -m "text"': FEEDS,
    "python3 agents.py feed FILE": FEEDS,
    "python3 agents.py claim": (Case("food", OK, MINE),),
    "cp idea.md pit/food/.idea.md && mv pit/food/.idea.md pit/food/idea.md": (
        Case("", OK, "", ("food/idea.md",)),
    ),
    "mkdir -p pit/claimed/ana": (Case("", OK, "", ("claimed/ana",)),),
    CLAIM_BY_HAND: (
        Case("food", OK, "food", ("claimed/ana/idea.md",)),
        Case("taken", FAILED, "food", ("claimed/bob/idea.md",)),
        Case("there", FAILED, "food", ("food/idea.md", "claimed/ana/idea.md")),
    ),
    BY_HAND.format("done"): (Case("ana", OK, "food", ("done/idea.md",)),),
    BY_HAND.format("food"): (Case("ana", OK, "food", ("food/idea.md",)),),
    BY_HAND.format("scraps"): (Case("ana", OK, "food", ("scraps/idea.md",)),),
}


def commands(text: str) -> Iterator[str]:
    """Code spans that are a command, and the lines of shell blocks without their comments."""
    for block in re.findall(r"^```sh\n(.*?)^```$", text, re.MULTILINE | re.DOTALL):
        yield from filter(
            None, (" ".join(line.split("  #")[0].split()) for line in block.splitlines())
        )
    for span in re.findall(r"(?<!`)`([^`\n]+)`(?!`)", text):
        first, *more = span.split()
        if more and more != ["-n"] and (first in SHELL_WORDS or first in VERBS):
            yield span


def written() -> dict[str, str]:
    """Each command of all the texts, with the first file that names it."""
    found: dict[str, str] = {}
    for path in TEXTS:
        for command in commands(path.read_text(encoding="utf-8")):
            found.setdefault(command, path.name)
    for command in (*commands(PROMPT), *commands(Path(push.__file__).read_text(encoding="utf-8"))):
        found.setdefault(command, "what an agent is told of its task")
    return found


def filled(command: str) -> str:
    for place, value in FILLS.items():
        command = command.replace(place, value)
    command = command.replace("python3 agents.py", "snakepit")
    return command if command.split()[0] in SHELL_WORDS else f"snakepit {command}"


@pytest.fixture
def box(tmp_path: Path) -> Box:
    """A pit, and in its folder what the commands name."""
    program = tmp_path / "bin" / "snakepit"
    program.parent.mkdir()
    python = shlex.join([sys.executable, "-m", "snakepit"])
    program.write_text(f'#!/bin/sh\nexec {python} "$@"\n')
    program.chmod(0o755)
    for name in ("result.md", "part-a.md", "part-b.md", "more.md", "idea.md"):
        (tmp_path / name).write_text(f"# {name}\n")
    return make_box(tmp_path)


def typed(box: Box, command: str) -> "subprocess.CompletedProcess[str]":
    own = {name: value for name, value in os.environ.items() if name not in IDENTITY}
    path = f"{box.root / 'bin'}{os.pathsep}{own['PATH']}"
    return subprocess.run(
        ["sh", "-c", command],
        cwd=box.root,
        env={**own, "PATH": path, "PYTHONPATH": str(ROOT), **box.identity},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
    )


def prepare(box: Box, snake: Box, before: str) -> None:
    if before:
        box.fed("The task.", "x")
    if before in (MINE, "lost"):
        snake.ok("claim")
    if before == "lost":
        box.ok("cancel", "x", "-m", "no longer wanted")
    hands = {"food": [], "taken": ["bob"], "there": ["ana"], "ana": ["ana"]}.get(before)
    for hand in [] if hands is None else ["ana", *hands]:
        (box.pit / "claimed" / hand).mkdir(parents=True, exist_ok=True)
    for hand in hands or []:
        (box.pit / "claimed" / hand / "idea.md").write_text("# Idea\n")
    if before in ("food", "there"):
        (box.pit / "food" / "idea.md").write_text("# Idea\n")


def lies(box: Box) -> str:
    (place,) = [str(path.parent.relative_to(box.pit)) for path in box.pit.rglob("x.md")] or [""]
    return place


@pytest.mark.parametrize(
    ("command", "case"),
    [
        pytest.param(command, case, id=f"{command} {case.before}")
        for command, cases in CASES.items()
        for case in cases
    ],
)
def test_a_command_does_what_it_is_named_for(box: Box, command: str, case: Case) -> None:
    with box.opened(), box.living() as (snake, _):
        prepare(box, snake, case.before)
        done = typed(snake, filled(command))
        told = done.stdout + done.stderr
        assert (done.returncode, lies(box)) == (case.code, case.after), told
        missing = [name for name in case.also if not list(box.pit.glob(name))]
        assert missing == [], told


def test_every_command_of_the_texts_has_a_case() -> None:
    without = {command: where for command, where in written().items() if command not in CASES}
    assert without == {}


def test_every_case_is_in_a_text() -> None:
    assert [command for command in CASES if command not in written()] == []
