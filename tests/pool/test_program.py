"""Proves that agents find our command, and every program of their own before it."""

import sys
from pathlib import Path

import pytest

from snakepit.pool.program import with_own_command


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    return tmp_path


def test_our_command_comes_last_and_once(folder: Path) -> None:
    (folder / "snakepit").write_text("#!/bin/sh\n")
    (folder / "snakepit").chmod(0o755)
    found = with_own_command("/usr/bin:/bin")
    assert found == f"/usr/bin:/bin:{folder}"
    assert with_own_command(found) == found


def test_a_folder_without_our_command_is_not_added(folder: Path) -> None:
    assert with_own_command("/usr/bin") == "/usr/bin"
