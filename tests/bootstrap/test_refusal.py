"""Owns what a machine that lacks something hears: all of it at once, one line to copy, exit 4."""

import ast
import json
import os
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.bootstrap.checkout import PYTHON, REPOSITORY, Answer, Checkout, folder_of_programs

FAKED = """
import runpy, sys
sys.version_info = tuple({version})
for name in {absent}:
    sys.modules[name] = None
sys.argv = ["agents.py", *sys.argv[1:]]
sys.path[0] = {folder!r}
runpy.run_path({folder!r} + "/agents.py", run_name="__main__")
"""


def run_faked(
    checkout: Checkout,
    *args: str,
    path: str,
    version: tuple[int, int, int] = (3, 11, 7),
    absent: tuple[str, ...] = (),
) -> Answer:
    """agents.py under a Python that says it is another version and lacks some modules."""
    code = FAKED.format(version=json.dumps(version), absent=list(absent), folder=str(checkout.root))
    return checkout.run(*args, path=path, command=(PYTHON, "-c", code))


def test_parses_on_python_3_6_and_needs_only_the_standard_library() -> None:
    tree = ast.parse((REPOSITORY / "agents.py").read_text(), feature_version=(3, 6))
    imported = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for name in (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [a.name for a in node.names]
        )
    }
    assert imported <= set(sys.stdlib_module_names)
    assert "__future__" not in imported  # `annotations` is a syntax error on 3.6


def test_all_that_is_missing_is_said_at_once(checkout: Checkout, tmp_path: Path) -> None:
    path = folder_of_programs(tmp_path / "bin", **{"apt-get": "exit 1"})
    answer = run_faked(checkout, "up", path=path, version=(3, 9, 2))
    assert answer.code == 4
    assert "Python 3.11 or newer" in answer.err
    assert "this is 3.9" in answer.err
    assert "tmux 3.2 or newer" in answer.err
    line = answer.err.splitlines()[-1]
    assert line.endswith("apt-get install -y python3.11 python3.11-venv tmux")
    assert not (checkout.root / ".venv").exists()
    assert answer.out == ""


def test_a_python_without_ensurepip_is_seen_before_anything_is_made(
    checkout: Checkout, tmp_path: Path
) -> None:
    path = folder_of_programs(tmp_path / "bin", **{"apt-get": "exit 1"})
    answer = run_faked(checkout, "status", path=path, absent=("ensurepip",))
    assert answer.code == 4
    assert "venv and ensurepip, or uv" in answer.err
    assert answer.err.splitlines()[-1].endswith("apt-get install -y python3.11-venv")
    assert "tmux" not in answer.err  # status starts nothing
    assert not (checkout.root / ".venv").exists()


class Manager(NamedTuple):
    test_id: str
    program: str
    line: str


MANAGERS = [
    Manager("debian", "apt-get", "apt-get update && {sudo}apt-get install -y tmux"),
    Manager("fedora", "dnf", "dnf install -y tmux"),
    Manager("alpine", "apk", "apk add tmux"),
    Manager("macos", "brew", "brew install tmux"),
]


@pytest.mark.parametrize("case", MANAGERS, ids=lambda case: case.test_id)
def test_the_line_to_copy_is_for_this_machine(
    checkout: Checkout, tmp_path: Path, case: Manager
) -> None:
    path = folder_of_programs(tmp_path / "bin", **{case.program: "exit 1"})
    answer = run_faked(checkout, "up", path=path)
    sudo = "" if os.geteuid() == 0 else "sudo "
    assert answer.code == 4
    assert answer.err.splitlines()[-1].strip().removeprefix(sudo) == case.line.format(sudo=sudo)


class Tmux(NamedTuple):
    test_id: str
    says: str
    is_refused: bool


TMUXES = [
    Tmux("old", "tmux 3.1c", True),
    Tmux("silent", "", True),
    Tmux("least", "tmux 3.2", False),
    Tmux("letter", "tmux 3.3a", False),
    Tmux("next", "tmux next-3.6", False),
    Tmux("master", "tmux master", False),
]


@pytest.mark.parametrize("case", TMUXES, ids=lambda case: case.test_id)
def test_tmux_must_be_3_2(checkout: Checkout, tmp_path: Path, case: Tmux) -> None:
    path = folder_of_programs(tmp_path / "bin", tmux=f"echo '{case.says}'")
    answer = run_faked(checkout, "up", path=path, absent=("ensurepip",))
    assert answer.code == 4  # ensurepip is missing in any case, so that nothing is installed
    assert ("tmux" in answer.err) == case.is_refused


def test_an_old_python_goes_on_with_a_newer_one(checkout: Checkout, tmp_path: Path) -> None:
    path = folder_of_programs(
        tmp_path / "bin", **{"python3.13": "exit 127", "python3.12": f'exec {PYTHON} "$@"'}
    )
    answer = run_faked(checkout, "up", path=path, version=(3, 9, 2))
    assert f"Python 3.9 is too old, going on with {tmp_path}/bin/python3.12" in answer.err
    assert answer.code == 4
    assert "Python 3.11 or newer" not in answer.err  # only tmux is missing now
    assert "tmux 3.2 or newer" in answer.err


def test_a_folder_that_cannot_be_written_is_named(checkout: Checkout, tmp_path: Path) -> None:
    command: tuple[str, ...] = (PYTHON, str(checkout.root / "agents.py"))
    if os.geteuid() == 0:
        setpriv = shutil.which("setpriv")
        assert setpriv, "root obeys no permission bits without setpriv (util-linux)"
        command = (setpriv, "--bounding-set", "-dac_override,-dac_read_search", *command)
    checkout.root.chmod(0o555)
    try:
        answer = checkout.run("status", command=command)
    finally:
        checkout.root.chmod(0o755)
    assert answer.code == 4
    assert "a folder that can be written" in answer.err
    assert str(checkout.root) in answer.err


@pytest.mark.timeout(120)
def test_an_index_out_of_reach_leaves_a_reason_and_keeps_a_strangers_venv(
    checkout: Checkout,
) -> None:
    (checkout.root / ".venv").mkdir()
    (checkout.root / ".venv" / "theirs").write_text("kept")
    nowhere = {
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": "http://127.0.0.1:9/",
        "PIP_RETRIES": "0",
        "PIP_EXTRA_INDEX_URL": "",
        "PIP_FIND_LINKS": "",
    }
    answer = checkout.run("status", env=nowhere)
    assert answer.code == 4
    assert "pip did not manage" in answer.err
    assert "package index in reach" in answer.err
    assert (checkout.root / ".venv-1" / "theirs").read_text() == "kept"
    assert checkout.stamp.read_text() == "installing\n"
