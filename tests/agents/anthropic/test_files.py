"""The agent's files: inside its folders, exactly, and never through a link."""

import os
from pathlib import Path

import pytest

from snakepit.agents.anthropic.files import FOUND, Files, FileTrouble


@pytest.fixture
def work(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret").write_text("secret\n")
    return folder


def test_lines_come_with_their_numbers(work: Path) -> None:
    (work / "a.txt").write_text("".join(f"line {n}\n" for n in range(1, 11)))
    files = Files(work)
    assert files.read("a.txt", 3, 2) == "     3\tline 3\n     4\tline 4\n[lines 3 to 4 of 10]"
    assert files.read(str(work / "a.txt")).count("\n") == 9
    assert "10 lines" in files.read("a.txt", 50)
    (work / "empty").write_text("")
    assert files.read("empty") == "(empty is empty)"


def test_a_long_file_is_cut_and_says_so(work: Path) -> None:
    (work / "long").write_text("x" * 5000 + "\n" + "y\n" * 5000)
    shown = Files(work).read("long")
    assert "[…]" in shown.splitlines()[0]
    assert shown.splitlines()[-1].endswith("of 5001]")
    assert len(shown) < 40_000


@pytest.mark.parametrize(
    ("name", "says"),
    [("none", "No such file"), (".", "folder"), ("pipe", "regular"), ("b", "binary")],
)
def test_what_cannot_be_read_is_said(work: Path, name: str, says: str) -> None:
    os.mkfifo(work / "pipe")
    (work / "b").write_bytes(b"\x7fELF\0\0")
    with pytest.raises(FileTrouble, match=says):
        Files(work).read(name)


def test_a_write_makes_folders_and_keeps_the_mode(work: Path) -> None:
    files = Files(work)
    assert files.write("new/deep/a.sh", "one\n").startswith("wrote")
    (work / "new/deep/a.sh").chmod(0o755)
    assert files.write("new/deep/a.sh", "two\n").startswith("replaced")
    assert (work / "new/deep/a.sh").read_text() == "two\n"
    assert (work / "new/deep/a.sh").stat().st_mode & 0o777 == 0o755
    assert os.listdir(work / "new/deep") == ["a.sh"], "nothing is left beside it"


@pytest.mark.parametrize("path", ["../outside/secret", "/etc/hostname", "link/secret", "filelink"])
def test_nothing_outside_is_read_or_written(work: Path, path: str) -> None:
    (work / "link").symlink_to(work.parent / "outside")
    (work / "filelink").symlink_to(work.parent / "outside" / "secret")
    files = Files(work)
    with pytest.raises(FileTrouble, match="outside"):
        files.read(path)
    with pytest.raises(FileTrouble, match="outside"):
        files.write(path, "mine")
    assert (work.parent / "outside" / "secret").read_text() == "secret\n"


def test_a_link_that_stays_inside_is_written_through_its_target(work: Path) -> None:
    (work / "real").write_text("old\n")
    (work / "link").symlink_to("real")
    Files(work).write("link", "new\n")
    assert (work / "link").is_symlink()
    assert (work / "real").read_text() == "new\n"


def test_a_folder_swapped_for_a_link_after_the_check_is_refused(work: Path) -> None:
    files = Files(work)
    (work / "sub").mkdir()
    target = files.resolved("sub/secret", writes=True)
    (work / "sub").rmdir()
    (work / "sub").symlink_to(work.parent / "outside")
    with pytest.raises(FileTrouble):
        files._put(target, b"mine")
    assert (work.parent / "outside" / "secret").read_text() == "secret\n"


def test_roots_may_be_written_and_shown_folders_only_read(work: Path) -> None:
    files = Files(work, roots=[work.parent / "outside"], shown=[Path("/etc")])
    files.write("../outside/secret", "changed\n")
    assert files.read("/etc/passwd")
    with pytest.raises(FileTrouble, match="may write"):
        files.write("/etc/passwd", "x")


def test_an_edit_is_exact_and_unique(work: Path) -> None:
    (work / "a.py").write_text("x = 1\ny = 1\nz = 2\n")
    files = Files(work)
    files.edit("a.py", "z = 2", "z = 3")
    with pytest.raises(FileTrouble, match="2 times"):
        files.edit("a.py", "= 1", "= 9")
    with pytest.raises(FileTrouble, match="not in"):
        files.edit("a.py", "= 7", "= 9")
    with pytest.raises(FileTrouble, match="same"):
        files.edit("a.py", "x", "x")
    with pytest.raises(FileTrouble, match="empty"):
        files.edit("a.py", "", "x")
    files.edit("a.py", "= 1", "= 9", replace_all=True)
    assert (work / "a.py").read_text() == "x = 9\ny = 9\nz = 3\n"


def test_an_edit_keeps_bytes_that_are_no_text_and_line_ends(work: Path) -> None:
    (work / "a").write_bytes(b"caf\xe9\r\nold\r\n")
    Files(work).edit("a", "old", "new")
    assert (work / "a").read_bytes() == b"caf\xe9\r\nnew\r\n"


def test_a_glob_names_files_and_follows_no_link(work: Path) -> None:
    (work / "src" / "deep").mkdir(parents=True)
    for name in ("src/a.py", "src/deep/b.py", "c.py", "src/d.txt"):
        (work / name).write_text("")
    (work / ".git").mkdir()
    (work / ".git" / "e.py").write_text("")
    (work / "out").symlink_to(work.parent / "outside")
    files = Files(work)
    assert files.glob("*.py").splitlines() == ["c.py", "src/a.py", "src/deep/b.py"]
    assert files.glob("*.py", "src").splitlines() == ["src/a.py", "src/deep/b.py"]
    assert files.glob("**/secret") == "nothing matches"
    with pytest.raises(FileTrouble, match="outside"):
        files.glob("*", "..")


def test_a_glob_is_bounded(work: Path) -> None:
    for number in range(FOUND + 5):
        (work / f"{number}.x").write_text("")
    assert len(Files(work).glob("*.x").splitlines()) == FOUND + 1
