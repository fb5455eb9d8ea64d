"""Every line that the README shows is typed as it stands, and its diagram is the table of the code.

The first command is left to .ci/run, which types it in a fresh clone; so is scripts/test.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.core.lifecycle import diagram
from snakepit.session.tmux import TmuxHost
from tests.support.tmux import reap_server, unique_socket
from tests.support.wait import wait_for

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TYPED_ELSEWHERE = (
    "python3 agents.py up --feed examples/first-meal.md --wait",
    "scripts/test",
)
LINES_AT_MOST = 150


def shown_lines() -> list[str]:
    blocks = re.findall(r"^```console\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [line[2:] for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.fixture
def clone(tmp_path: Path) -> Iterator[Path]:
    """What a newcomer has, with a tmux server of its own."""
    for name in ("agents.toml", "prompts", "examples"):
        source = ROOT / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, tmp_path / name)
    socket = unique_socket()
    config = (tmp_path / "agents.toml").read_text(encoding="utf-8")
    own = config.replace("[defaults]", f'[defaults]\ntmux_socket = "{socket}"', 1)
    (tmp_path / "agents.toml").write_text(own, encoding="utf-8")
    try:
        yield tmp_path
    finally:
        type_line(tmp_path, "python3 agents.py down")
        reap_server(TmuxHost(socket, environ=dict(os.environ)))


def type_line(folder: Path, line: str) -> "subprocess.CompletedProcess[str]":
    """In a shell, where `python3 agents.py` is this checkout; attach answers instead of attaching."""
    program = f"{sys.executable} -m snakepit"
    typed = re.sub(r"python3 \S*agents\.py", program, line)
    if " attach " in line:
        typed += " --json"
    own = {name: value for name, value in os.environ.items() if not name.startswith("SNAKEPIT_")}
    return subprocess.run(
        ["sh", "-c", typed],
        cwd=folder,
        env={**own, "PYTHONPATH": str(ROOT), "HOME": str(folder / "home")},
        capture_output=True,
        text=True,
        timeout=60,
        stdin=subprocess.DEVNULL,
    )


@pytest.mark.needs("tmux")
def test_every_shown_line_works_in_the_order_shown(clone: Path) -> None:
    lines = shown_lines()
    assert lines[:2] == list(TYPED_ELSEWHERE)
    first = type_line(clone, TYPED_ELSEWHERE[0])
    assert first.returncode == 0, first.stdout + first.stderr
    for line in lines[2:]:
        done = type_line(clone, line)
        assert done.returncode == 0, f"$ {line}\n{done.stdout}{done.stderr}"
        if line.endswith("--name again"):
            wait_for(lambda: (clone / "pit/done/again.md").exists(), what="the meal")
    assert (clone / "pit/food/explain.md").exists(), "it waits for a snake that can think"


def test_the_diagram_is_the_table_of_the_code() -> None:
    (shown,) = re.findall(r"^```mermaid\n(.*?)\n```$", README, re.MULTILINE | re.DOTALL)
    assert shown == diagram()


def test_every_linked_file_is_there() -> None:
    links = re.findall(r"\]\(([^)]+)\)", README)
    local = {link for link in links if not link.startswith("https://")}
    assert local
    missing = sorted(link for link in local if not (ROOT / link).exists())
    assert missing == []


def test_it_opens_with_what_it_is_and_stays_short() -> None:
    lines = README.splitlines()
    assert len(lines) <= LINES_AT_MOST
    assert lines.index("```console") < 10
    tables = [number for number, line in enumerate(lines) if line.startswith("## ")]
    assert lines[tables[0]] == "## Words"


@pytest.mark.parametrize(
    "promise",
    ["Execution is at least once, settlement exactly once", "SNAKEPIT_ATTEMPT", "not sandboxed"],
)
def test_it_says_what_is_promised_and_what_is_not(promise: str) -> None:
    assert promise in README
