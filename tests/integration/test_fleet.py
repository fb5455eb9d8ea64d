"""The pool on a real tmux server, by its command line: up, down, killed parts, and what comes back."""

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.daemon.silent import SilentWatch
from snakepit.pool.context import opened
from snakepit.system import process
from tests.support.fleets import HELLO, Fleet, fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(120)]

NAMES = {"snakepit-snake-1", "snakepit-snake-2", "snakepit-watchdog"}


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path) as made:
        yield made


def test_the_first_command_feeds_waits_and_tells_everything(pool: Fleet, tmp_path: Path) -> None:
    meal = tmp_path / "meal.md"
    meal.write_text(HELLO, encoding="utf-8")
    first = pool.run("up", "--feed", str(meal), "--wait")
    assert first.returncode == 0, first.stderr
    assert "hello from snake-" in first.stdout
    assert str(pool.config.pit_dir / "done" / "meal-") in first.stdout
    assert f"tmux -L {pool.socket} attach -t =snakepit-snake-" in first.stdout
    assert "snakepit down" in first.stdout
    began = clock.monotonic()
    second = pool.run("up", "--feed", str(meal), "--wait")
    assert second.returncode == 0
    assert clock.monotonic() - began < 3
    assert len(pool.lies("done")) == 2
    assert pool.sessions() == NAMES


def test_a_meal_that_fails_is_told_with_its_reason(pool: Fleet, tmp_path: Path) -> None:
    meal = tmp_path / "bad.md"
    meal.write_text("---\nattempts: 1\n---\n```bash run\nexit 7\n```\n", encoding="utf-8")
    done = pool.run("up", "--feed", str(meal), "--wait")
    assert done.returncode == 1
    assert "scraps" in done.stdout
    assert "7" in done.stdout


def test_ctrl_c_leaves_pool_and_task_alone(pool: Fleet, tmp_path: Path) -> None:
    meal = tmp_path / "slow.md"
    meal.write_text("```bash run\nsleep 600\n```\n", encoding="utf-8")
    command = pool.start("up", "--feed", str(meal), "--wait")
    wait_for(lambda: list((pool.config.pit_dir).glob("claimed/*/slow-*.md")), what="the claim")
    command.send_signal(signal.SIGINT)
    output, _ = command.communicate(timeout=20)
    assert command.returncode == 130, output
    assert list(pool.config.pit_dir.glob("claimed/*/slow-*.md"))
    assert pool.sessions() == NAMES


def test_up_twice_is_the_same_fleet(pool: Fleet) -> None:
    pool.ok("up")
    before = {pane.session: pane.pid for pane in pool.host.panes()}
    daemon = pool.daemon()
    assert "running: snake-1, snake-2" in pool.ok("up")
    assert {pane.session: pane.pid for pane in pool.host.panes()} == before
    assert pool.daemon() == daemon


def test_two_up_at_once_are_one_fleet(pool: Fleet) -> None:
    commands = [pool.start("up") for _ in range(3)]
    outputs = [command.communicate(timeout=60)[0] for command in commands]
    assert [command.returncode for command in commands] == [0, 0, 0], outputs
    assert pool.sessions() == NAMES
    assert set(pool.lives()) == {"snake-1", "snake-2"}
    assert len(pool.events("session.started")) == 3


def test_down_gives_back_and_leaves_nothing(pool: Fleet) -> None:
    pool.ok("up")
    pool.script("slow.md", "trap '' TERM; sleep 600")
    wait_for(lambda: pool.holder("slow.md"), what="the claim")
    told = pool.json("down", "--grace", "3")
    assert told["returned"] == ["slow.md"]
    assert told["daemon"] is True
    assert told["left"] == []
    assert pool.lies("food") == {"slow.md"}
    assert "attempt" not in (pool.config.pit_dir / "food" / "slow.md").read_text(encoding="utf-8")
    assert pool.processes() == set()
    assert pool.sessions() == set()
    again = pool.run("down")
    assert (again.returncode, again.stdout) == (0, "nothing was running\n")


def test_down_ends_a_worker_that_is_stopped(pool: Fleet) -> None:
    pool.ok("up")
    pool.script("slow.md", "sleep 600")
    worker = wait_for(lambda: pool.holder("slow.md"), what="the claim")
    os.kill(pool.lives()[worker].pid, signal.SIGSTOP)
    assert pool.json("down", "--grace", "2")["left"] == []
    assert pool.lies("food") == {"slow.md"}


def test_down_does_not_need_a_tmux_that_answers(pool: Fleet) -> None:
    pool.ok("up")
    pool.script("slow.md", "setsid sleep 600 & sleep 600")
    wait_for(lambda: pool.holder("slow.md"), what="the claim")
    server = pool.host.probe()
    os.kill(server, signal.SIGSTOP)
    status, up = pool.start("status"), pool.start("up")
    told, _ = status.communicate(timeout=30)
    assert status.returncode == 0
    assert "tmux does not answer" in told
    told, _ = up.communicate(timeout=30)
    assert up.returncode == 1
    assert "did not answer" in told
    assert "snakepit down" in told
    done = pool.run("down", "--json", "--grace", "3")
    assert done.returncode == 0, done.stderr
    assert "did not answer" in done.stderr
    ended = json.loads(done.stdout)
    assert f"tmux server {server}" in ended["killed"]
    assert (ended["left"], ended["returned"]) == ([], ["slow.md"])
    assert set(ended["sessions"]) == NAMES
    assert not process.is_running(server)
    assert pool.processes() == set()
    assert pool.run("down").stdout == "nothing was running\n"


def test_down_can_wait_for_meals(pool: Fleet, tmp_path: Path) -> None:
    pool.ok("up")
    gate = tmp_path / "gate"
    pool.script("meal.md", f"until [ -e {gate} ]; do sleep 0.05; done; echo ate")
    wait_for(lambda: pool.holder("meal.md"), what="the claim")
    command = pool.start("down", "--drain")
    wait_for(lambda: (pool.config.pit_dir / ".pit" / "paused").exists(), what="the pause")
    pool.script("late.md", "echo late")
    gate.touch()
    output, _ = command.communicate(timeout=30)
    assert command.returncode == 0, output
    assert pool.lies("done") == {"meal.md"}
    assert pool.lies("food") == {"late.md"}


def test_what_a_killed_worker_held_is_back_at_once_and_nothing_of_it_runs_on(
    pool: Fleet, tmp_path: Path
) -> None:
    pool.ok("up")
    output = tmp_path / "output"
    code = f"setsid env -i sh -c 'while :; do date >> {output}; sleep .1; done' &\nsleep 600"
    pool.script("slow.md", f'[ "$SNAKEPIT_ATTEMPT" = 1 ] || exit 0\n{code}')
    worker = wait_for(lambda: pool.holder("slow.md"), what="the claim")
    wait_for(output.exists, what="the child")
    life = pool.lives()[worker]
    before = clock.monotonic()
    os.kill(life.pid, signal.SIGKILL)
    wait_for(lambda: pool.holder("slow.md") != worker or pool.lies("done"), what="the reap")
    took = clock.monotonic() - before
    size = output.stat().st_size
    assert took < 1.0
    wait_for(lambda: pool.lies("done") == {"slow.md"}, what="the second attempt")
    wait_for(lambda: set(pool.lives()) == {"snake-1", "snake-2"}, what="the restart")
    assert output.stat().st_size == size
    (recovered,) = pool.events("task.recovered")
    assert (recovered["counted"], recovered["attempt"]) == (True, 1)


def test_what_hides_ends_though_guard_and_worker_are_killed_at_once(pool: Fleet) -> None:
    pool.ok("up")
    note = pool.folder / "hidden"
    child = f"setsid env -i /bin/sh -c 'echo $$ > {note}; while :; do sleep 1; done'"
    code = f"({child} &)\nsleep 600"
    pool.script("slow.md", f'[ "$SNAKEPIT_ATTEMPT" = 1 ] || exit 0\n{code}')
    worker = wait_for(lambda: pool.holder("slow.md"), what="the claim")
    pid = int(wait_for(lambda: note.exists() and note.read_text().strip(), what="the child"))
    life = pool.lives()[worker]
    os.kill(life.guard, signal.SIGSTOP)
    os.kill(life.pid, signal.SIGSTOP)
    os.kill(life.guard, signal.SIGKILL)
    os.kill(life.pid, signal.SIGKILL)
    wait_for(lambda: pool.lies("done") == {"slow.md"}, seconds=20, what="the second attempt")
    assert not process.is_running(pid)


def test_a_killed_daemon_is_back_within_five_seconds(pool: Fleet) -> None:
    pool.ok("up")
    daemon = pool.daemon()
    os.kill(daemon, signal.SIGKILL)
    wait_for(lambda: pool.daemon() not in (0, daemon), seconds=5, what="another daemon")
    pool.drop("after.md")
    wait_for(lambda: pool.lies("done") == {"after.md"}, what="the meal")


def test_a_killed_tmux_server_is_back_with_the_same_fleet(pool: Fleet) -> None:
    pool.ok("up")
    os.kill(pool.host.probe(), signal.SIGKILL)
    wait_for(
        lambda: pool.sessions() == NAMES and set(pool.lives()) == {"snake-1", "snake-2"},
        seconds=10,
        what="the same fleet",
    )
    pool.drop("after.md")
    wait_for(lambda: pool.lies("done") == {"after.md"}, what="the meal")


def test_a_raw_claim_and_completion_by_hand_are_seen(pool: Fleet) -> None:
    pool.ok("up")
    pool.ok("pause")
    pool.drop("mine.md")
    wait_for(lambda: pool.events("task.queued"), what="the drop")
    mine = pool.config.pit_dir / "claimed" / "me"
    mine.mkdir()
    (pool.config.pit_dir / "food" / "mine.md").rename(mine / "mine.md")
    wait_for(lambda: pool.events("task.claimed"), seconds=20, what="the claim to be seen")
    (mine / "mine.md").rename(pool.config.pit_dir / "done" / "mine.md")
    wait_for(lambda: pool.events("task.completed"), seconds=20, what="the end to be seen")
    claimed, completed = pool.events("task.claimed")[0], pool.events("task.completed")[0]
    assert (claimed["worker"], claimed["observed"]) == ("me", True)
    assert (completed["task"], completed["observed"]) == ("mine.md", True)


def test_the_daemon_and_the_sessions_get_no_key(pool: Fleet) -> None:
    secret = "sk-ant-test-0123456789abcdefghij"
    done = pool.run("up", env={"ANTHROPIC_API_KEY": secret, "UNRELATED_TOKEN": secret})
    assert done.returncode == 0
    found = pool.processes()
    assert len(found) >= 4
    for pid in found:
        assert secret not in " ".join(process.environ_of(pid).values())
    for path in pool.config.log_dir.rglob("*"):
        if path.is_file() and path.name != "environ.json":
            assert secret.encode() not in path.read_bytes(), path


def test_everything_is_private(pool: Fleet) -> None:
    pool.ok("up")
    pool.drop("meal.md")
    wait_for(lambda: pool.lies("done"), what="the meal")
    assert pool.config.log_dir.stat().st_mode & 0o077 == 0
    for path in pool.config.state_dir.rglob("*"):
        if not path.is_socket():
            assert path.stat().st_mode & 0o077 == 0, path


def test_a_stopped_worker_is_told_continued_and_its_food_comes_back(
    pool: Fleet, tmp_path: Path
) -> None:
    """As the daemon does it, with shorter patience."""
    pool.ok("up")
    pool.script("slow.md", f"[ -e {tmp_path}/seen ] && exit 0; touch {tmp_path}/seen; sleep 600")
    worker = wait_for(lambda: pool.holder("slow.md"), what="the claim")
    life = pool.lives()[worker]
    wait_for((tmp_path / "seen").exists, what="the run")
    os.kill(life.pid, signal.SIGSTOP)
    with opened(pool.config) as pit:
        watch = SilentWatch(pit, stopped_s=0.3, grace_s=5)

        def is_done() -> bool:
            watch.step(clock.monotonic())
            return pool.lies("done") == {"slow.md"}

        wait_for(is_done, seconds=20, what="the second run")
    (silent,) = pool.events("worker.silent")
    assert (silent["worker"], silent["generation"]) == (worker, life.generation)
    wait_for(lambda: not process.is_running(life.pid, life.start), what="the end of it")
