"""The file that carries a program's environment into its pane."""

import json
from pathlib import Path

import pytest

from snakepit.errors import SessionError
from snakepit.session import launchfile


def test_only_we_can_read_it(tmp_path: Path) -> None:
    folder = tmp_path / "state" / "launch"
    path = launchfile.write(folder, "pit-a", ["prog", "x"], {"KEY": "v"}, tmp_path)
    assert path.parent == folder
    assert path.stat().st_mode & 0o777 == 0o600
    assert folder.stat().st_mode & 0o777 == 0o700
    assert json.loads(path.read_text()) == {
        "argv": ["prog", "x"],
        "env": {"KEY": "v"},
        "cwd": str(tmp_path),
    }
    read = launchfile.read(path)
    assert (read.argv, read.env, read.cwd) == (("prog", "x"), {"KEY": "v"}, str(tmp_path))


def test_a_new_start_removes_what_an_earlier_one_left_and_nothing_else(tmp_path: Path) -> None:
    first = launchfile.write(tmp_path, "pit-a", ["a"], {}, tmp_path)
    other = launchfile.write(tmp_path, "pit-a-1", ["b"], {}, tmp_path)
    half = tmp_path / ".pit-a-0123456789ab.json"
    half.write_text("{")
    second = launchfile.write(tmp_path, "pit-a", ["c"], {}, tmp_path)
    assert not first.exists()
    assert not half.exists()
    assert other.exists()
    assert second.exists()


def test_a_private_file_is_never_written_over(tmp_path: Path) -> None:
    target = tmp_path / "target"
    target.write_text("precious")
    (tmp_path / ".new").symlink_to(target)
    with pytest.raises(FileExistsError):
        launchfile.write_private(tmp_path / "new", b"x")
    assert target.read_text() == "precious"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"argv": 1}', '{"argv": [], "env": {}}'])
def test_what_is_no_launch_file_is_said(tmp_path: Path, text: str) -> None:
    path = tmp_path / "x.json"
    path.write_text(text)
    with pytest.raises(SessionError, match="not a launch file"):
        launchfile.read(path)


def test_the_pane_command_is_isolated_and_holds_no_value(tmp_path: Path) -> None:
    words = launchfile.pane_command(tmp_path / "x.json")
    assert words[1:3] == ["-I", "-S"]
    assert words[3:] == [str(launchfile.GUARD), str(tmp_path / "x.json")]
    assert launchfile.GUARD.is_file()
