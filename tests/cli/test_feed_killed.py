"""A feed of many tasks that is killed halfway."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from snakepit.store.reader import read_task
from tests.cli.pits import Box, make_box

MANY = 60
BODY = "# count the eggs\n" + "one more egg\n" * 200
DIE_AT_RENAME = """
import os, signal, sys
from snakepit.cli.main import main
left = int(sys.argv.pop(1))
rename, write = os.rename, os.write

def die(*_):
    os.kill(os.getpid(), signal.SIGKILL)

def counted(call):
    def run(*given, **named):
        global left
        left -= 1
        if left == 0:
            if call is write:
                write(given[0], bytes(given[1])[:20])
            die()
        return call(*given, **named)
    return run

os.rename, os.write = counted(rename), counted(write)
main()
"""


def killed_feed(box: Box, point: int) -> None:
    argv = [sys.executable, "-c", DIE_AT_RENAME, str(point)]
    words = ["feed", f"{box.root}/tasks/*.md", "--config", str(box.root / "agents.toml")]
    plain = {key: value for key, value in os.environ.items() if not key.startswith("SNAKEPIT_")}
    env = {**plain, "PYTHONPATH": str(Path(__file__).parents[2])}
    done = subprocess.run([*argv, *words], env=env, check=False, capture_output=True, timeout=60)
    assert done.returncode == -signal.SIGKILL, done.stderr


def test_a_killed_feed_leaves_whole_tasks_and_its_repeat_is_told(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    tasks = tmp_path / "tasks"
    tasks.mkdir()
    for number in range(MANY):
        (tasks / f"egg-{number}.md").write_text(f"{BODY}{number}\n")
    for point in (61, 62, 63, 64):
        killed_feed(box, point)
    found = sorted((box.pit / "food").glob("*.md"))
    assert 4 <= len(found) < 4 * MANY
    box.ok("fsck", "--fix")
    whole = {path.read_bytes() for path in tasks.iterdir()}
    for path in (box.pit / "food").iterdir():
        assert path.read_bytes() in whole
        assert read_task(path.name, path.read_bytes()).title
    left = [p for p in (box.pit / ".pit" / "hand").rglob("*") if p.is_file()]
    assert left == [], "temporary files of the killed feeds"
    before = len(box.names("food"))
    again = box.run("feed", f"{tasks}/*.md")
    assert f"{before} tasks with the same text were fed within the last hour" in again.stderr
    assert len(box.names("food")) == before + MANY


def test_a_first_feed_says_nothing_of_twins(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    result = box.run("feed", "-m", "one thing", "-m", "another thing")
    assert result.exit_code == 0
    assert "again" not in result.stderr
