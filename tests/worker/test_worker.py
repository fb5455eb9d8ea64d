"""Proves a worker as a process: it eats, gives back, fails and dies as promised."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.config.overrides import set_paused
from snakepit.core.lifecycle import State
from snakepit.pool.reap import reap
from snakepit.system import process
from tests.support.processes import Escapee, stays
from tests.support.wait import wait_for
from tests.support.workers import CONFIG, Kitchen, kitchen, run_block


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Kitchen]:
    with kitchen(tmp_path) as made:
        yield made


def test_a_task_becomes_a_result_with_its_artefacts(box: Kitchen) -> None:
    box.start()
    code = (
        "echo $SNAKEPIT_TASK run $SNAKEPIT_ATTEMPT; echo x > $SNAKEPIT_ARTEFACTS/x; echo y > y.out"
    )
    box.feed("first.md", run_block(code), artefacts="['*.out']")
    text = box.done("first.md")
    assert "first.md run 1" in text
    assert (box.store / "done" / "first" / "x").read_text() == "x\n"
    assert (box.store / "done" / "first" / "y.out").read_text() == "y\n"
    assert (box.store / "waste" / "first" / "1" / "output.log").read_text() == "first.md run 1\n"
    wait_for(lambda: box.events("task.completed"))
    wait_for(lambda: "ate first.md" in box.pane())


def test_a_run_that_removes_its_waste_is_done_all_the_same(box: Kitchen) -> None:
    box.feed("x.md", run_block('echo said; rm -r "$(dirname "$SNAKEPIT_ARTEFACTS")"'))
    box.start()
    assert "said" in box.done("x.md")


def test_a_script_gets_no_key_and_knows_who_it_is(tmp_path: Path) -> None:
    text = CONFIG + 'env = { GIVEN = "given-value-1" }\nenv_pass = ["PASSED_KEY"]\n'
    with kitchen(tmp_path, text) as box:
        box.start("second", env={"PASSED_KEY": "sk-passed-secret-1", "STRAY": "stray"})
        box.feed("env.md", run_block("env | sort > seen; echo see sk-passed-secret-1"))
        result = box.done("env.md")
        seen = dict(line.split("=", 1) for line in (tmp_path / "seen").read_text().splitlines())
        assert seen["GIVEN"] == "given-value-1"
        assert "PASSED_KEY" not in seen
        assert "STRAY" not in seen
        assert seen["SNAKEPIT_WORKER"] == "second"
        assert seen["SNAKEPIT_PIT"] == str(box.store)
        life = box.life("second")
        assert life is not None
        assert seen["SNAKEPIT_GENERATION"] == life.generation
        assert result.count("sk-passed-secret-1") == 1, "only in what the person wrote"
        assert "sk-passed-secret-1" not in box.pane("second")


def test_a_killed_worker_leaves_nothing_running_and_its_food_comes_back(box: Kitchen) -> None:
    escapee = Escapee(box.folder)
    box.start()
    box.feed("task.md", run_block(f"{escapee.line}\nsleep 60"))
    pid = escapee.pid
    os.kill(box.worker_pid(), signal.SIGKILL)
    wait_for(lambda: reap(box.pit), what="the food to come back")
    assert not process.is_running(pid)
    assert escapee.is_silent()
    (entry,) = box.pit.store.locate("task.md")
    assert entry.state is State.QUEUED
    assert b"attempt: 1" in box.pit.store.read(entry)


def test_a_killed_guard_takes_the_worker_along(box: Kitchen) -> None:
    guard = box.start()
    box.feed("task.md", run_block("sleep 60"))
    wait_for(lambda: box.where("task.md") == {State.CLAIMED})
    worker = box.worker_pid()
    guard.kill()
    wait_for(lambda: not process.is_running(worker))
    wait_for(lambda: reap(box.pit))
    assert box.where("task.md") == {State.QUEUED}


def test_another_worker_reaps_when_no_daemon_does(box: Kitchen) -> None:
    box.start("cook")
    box.feed("task.md", run_block("[ $SNAKEPIT_WORKER = second ] || sleep 60"))
    wait_for(lambda: box.where("task.md") == {State.CLAIMED})
    box.start("second")
    os.kill(box.worker_pid("cook"), signal.SIGKILL)
    assert "second, attempt 2" in box.done("task.md", 6)


def test_term_gives_the_food_back_uncounted(box: Kitchen) -> None:
    escapee = Escapee(box.folder)
    guard = box.start()
    box.feed("task.md", run_block(f"{escapee.line}\nsleep 60"))
    pid = escapee.pid
    guard.terminate()
    assert guard.wait(10) == 0
    assert not process.is_running(pid)
    (entry,) = box.pit.store.locate("task.md")
    assert entry.state is State.QUEUED
    assert b"attempt" not in box.pit.store.read(entry)
    assert box.events("task.released")
    assert box.events("worker.stopped")


def test_term_ends_an_idle_worker_at_once(box: Kitchen) -> None:
    guard = box.start()
    wait_for(lambda: "waiting for food" in box.pane())
    guard.terminate()
    assert guard.wait(1.5) == 0


def test_only_the_run_that_joins_parts_is_told_so(box: Kitchen) -> None:
    box.start()
    say = run_block("echo join=$SNAKEPIT_JOIN.")
    box.feed("part.md", say, join="true")
    box.feed("whole.md", say, join="true", parts="[part]", needs="[part]")
    whole = box.store / "done" / "whole.md"
    wait_for(whole.exists)
    assert "join=1." in whole.read_text()
    assert "join=." in (box.store / "done" / "part.md").read_text()


def test_a_timeout_is_an_attempt_and_keeps_the_output(box: Kitchen) -> None:
    box.start()
    box.feed("slow.md", run_block("echo so far; sleep 60"), timeout="1s", attempts="1")
    path = box.store / "scraps" / "slow.md"
    wait_for(path.exists)
    assert "timed out after 1s in block 1 (bash, line 3 of the text)" in path.read_text()
    assert (box.store / "waste" / "slow" / "1" / "output.log").read_text() == "so far\n"


def test_what_fails_ends_in_scraps_with_its_story(box: Kitchen) -> None:
    box.start()
    box.feed("bad.md", run_block("echo attempt $SNAKEPIT_ATTEMPT; exit 5"), attempts="2")
    path = box.store / "scraps" / "bad.md"
    wait_for(path.exists, 20)
    text = path.read_text()
    assert "ended with exit 5: attempt 1" in text
    assert "ended with exit 5: attempt 2" in text
    assert "waste/bad/2/output.log" in text


def test_code_that_cannot_run_here_is_not_tried_again(box: Kitchen) -> None:
    box.start()
    box.feed("rust.md", run_block("fn main() {}", "rust"))
    path = box.store / "scraps" / "rust.md"
    wait_for(path.exists)
    assert "no interpreter for `rust run`" in path.read_text()


def test_food_put_here_by_hand_is_eaten_if_it_is_for_this_worker(box: Kitchen) -> None:
    box.start()
    folder = box.store / "claimed" / "cook"
    for name, text in (("mine.md", run_block("echo by hand")), ("prose.md", "# think\n\nhard\n")):
        hidden = folder / f".{name}"
        hidden.write_text(text)
        hidden.rename(folder / name)
    assert "by hand" in box.done("mine.md")
    wait_for(lambda: box.where("prose.md") == {State.QUEUED})
    (event,) = [e for e in box.events("task.claimed") if e["task"] == "mine.md"]
    assert event["observed"] is True


def test_a_task_its_own_code_settled_by_hand_is_left_there(box: Kitchen) -> None:
    box.start()
    code = 'mv -n "$SNAKEPIT_PIT/claimed/$SNAKEPIT_WORKER/$SNAKEPIT_TASK" "$SNAKEPIT_PIT/scraps/"'
    box.feed("own.md", run_block(code))
    wait_for(lambda: "moved by hand" in box.pane())
    assert box.where("own.md") == {State.DEAD}


def test_a_paused_worker_waits(box: Kitchen) -> None:
    overrides = box.config.state_dir / "overrides.toml"
    set_paused(overrides, "cook", paused=True)
    box.start()
    box.feed("task.md", run_block("true"))
    wait_for(lambda: "paused" in box.pane())
    assert stays(lambda: box.where("task.md") == {State.QUEUED}, 0.5)
    set_paused(overrides, "cook", paused=False)
    box.done("task.md")


def test_a_name_belongs_to_one_life(box: Kitchen) -> None:
    box.start()
    second = box.start(ready=False)
    text, _ = second.communicate(timeout=10)
    assert second.returncode == 4
    assert "the name cook is held by process" in text.decode()


@pytest.mark.parametrize(
    ("words", "said", "code"),
    [
        (["--agent", "nobody"], "no [[agent]] or pool member 'nobody'", 2),
        (["--agnet", "cook"], "unknown or incomplete argument '--agnet'", 2),
    ],
)
def test_a_wrong_command_line_is_said(box: Kitchen, words: list[str], said: str, code: int) -> None:
    import subprocess
    import sys

    argv = [sys.executable, "-m", "snakepit.worker", "--config", str(box.config.path), *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=False)
    assert done.returncode == code
    assert said in done.stderr


@pytest.mark.skipif(not process.LINUX, reason="reads /proc: Linux")
def test_an_idle_worker_is_small_and_still(box: Kitchen) -> None:
    box.start()
    wait_for(lambda: "waiting for food" in box.pane())
    pid = box.worker_pid()
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    size = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS"))
    assert size < 26_000, f"{size} kB"
    before = process.cpu_seconds([pid])
    stays(lambda: True, 3.0)
    assert process.cpu_seconds([pid]) - before < 0.06


@pytest.mark.parametrize(
    "verb",
    ["done -m good", "fail -m bad --dead", "split part.md"],
    ids=lambda verb: verb.split()[0],
)
def test_a_run_that_settles_its_task_by_a_verb_is_told_once(verb: str, box: Kitchen) -> None:
    (box.folder / "part.md").write_text("---\nnot_before: 2099-01-01\n---\n# later\n")
    box.start()
    box.feed("own.md", run_block(f"snakepit {verb}; echo after"))
    wait_for(lambda: "own.md was settled by its own run" in box.pane(), what="the run to end")
    told = {"done": "task.completed", "fail": "task.dead", "split": "task.split"}
    ends = {kind: len(box.events(kind)) for kind in (*told.values(), "task.released", "task.late")}
    assert {kind for kind, count in ends.items() if count} == {told[verb.split()[0]]}
    assert set(ends.values()) == {0, 1}
