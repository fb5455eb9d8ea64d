"""Proves that only a task's own regular files are kept."""

import os
import socket
from pathlib import Path

import pytest

from snakepit.agents import artefacts
from snakepit.agents.artefacts import keep, leave_out


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "deep" / "er").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "deep" / "er" / "b.txt").write_text("b")
    return folder


def test_matches_keep_their_places(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "keep"
    assert keep(["**/*.txt"], source, target) == []
    assert (target / "a.txt").read_text() == "a"
    assert (target / "deep" / "er" / "b.txt").read_text() == "b"


@pytest.mark.parametrize("pattern", ["../*.txt", "/etc/passwd", "deep/../../x"])
def test_nothing_outside_is_looked_for(source: Path, tmp_path: Path, pattern: str) -> None:
    problems = keep([pattern], source, tmp_path / "keep")
    assert "leaves the task's folder" in problems[0]
    assert not (tmp_path / "keep").exists()


@pytest.mark.parametrize("pattern", ["", ".", "**x", "a\0b", "*/" * 3000 + "*"])
def test_what_is_no_pattern_is_said(source: Path, tmp_path: Path, pattern: str) -> None:
    (problem, *rest) = keep([pattern, "a.txt"], source, tmp_path / "keep")
    assert problem.startswith("artefacts: ")
    assert len(problem) < 500
    assert not rest
    assert (tmp_path / "keep" / "a.txt").read_text() == "a"


def test_links_fifos_and_folders_are_left(source: Path, tmp_path: Path) -> None:
    outside = tmp_path / "secret.txt"
    outside.write_text("secret")
    (source / "link.txt").symlink_to(outside)
    (source / "away").symlink_to(tmp_path)
    os.mkfifo(source / "pipe.txt")
    keep(["*.txt", "away/*.txt", "deep"], source, tmp_path / "keep")
    assert sorted(path.name for path in (tmp_path / "keep").iterdir()) == ["a.txt"]


def test_what_the_task_kept_itself_is_not_overwritten(source: Path, tmp_path: Path) -> None:
    target = tmp_path / "keep"
    target.mkdir()
    (target / "a.txt").write_text("mine")
    assert keep(["a.txt"], source, target) == []
    assert (target / "a.txt").read_text() == "mine"


def test_what_matches_nothing_is_said(source: Path, tmp_path: Path) -> None:
    assert keep(["*.pdf"], source, tmp_path / "keep") == ["artefacts: nothing matches '*.pdf'"]


def test_too_much_is_not_kept(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(artefacts, "LIMIT", 1)
    problems = keep(["a.txt", "deep/er/b.txt"], source, tmp_path / "keep")
    assert problems == ["artefacts: deep/er/b.txt is too much; not kept"]


def test_only_files_and_folders_stay_in_what_a_run_filled(source: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.txt").write_text("secret")
    (source / "deep" / "link").symlink_to(outside)
    (source / "dangling").symlink_to("nowhere")
    os.mkfifo(source / "deep" / "er" / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.fspath(source / "ear"))
        left = leave_out(source)
    found = {str(path.relative_to(source)) for path in source.rglob("*")}
    assert found == {"a.txt", "deep", "deep/er", "deep/er/b.txt"}
    assert sorted(left) == [
        "dangling (a link)",
        "deep/er/pipe (a FIFO)",
        "deep/link (a link)",
        "ear (a socket)",
    ]
    assert (outside / "secret.txt").read_text() == "secret"


def test_a_folder_that_the_run_made_a_link_is_no_folder(source: Path, tmp_path: Path) -> None:
    link = tmp_path / "keep"
    link.symlink_to(source)
    assert leave_out(link) == [". (a link)"]
    assert not os.path.lexists(link)
    assert (source / "a.txt").exists()


def test_a_closed_folder_hides_no_link(source: Path) -> None:
    (source / "deep" / "link").symlink_to("/etc")
    (source / "deep").chmod(0)
    assert leave_out(source) == ["deep/link (a link)"]
