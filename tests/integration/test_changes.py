"""What a person changes about a running fleet: scale, pause, restart, reload; on a real tmux server."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.system import process
from tests.support.fleets import Fleet, fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(120)]

MIXED = """\
[defaults]
backend = "script"
tmux_socket = "{socket}"

[[agent]]
name = "eater"
species = "script"

[[agent]]
name = "actor"
backend = "demo"
prompt = "play"

[[agent]]
name = "thinker"
backend = "absent"

[backend.absent]
bin = "no-such-program-on-any-machine"

[[service]]
name = "side"
command = "echo served >> served; sleep 1000"
"""


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path) as made:
        yield made


@pytest.fixture
def mixed(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path, MIXED) as made:
        yield made


def eat_until(pool: Fleet, name: str, gate: Path) -> str:
    """A meal that lasts until the gate is there; who eats it."""
    pool.script(name, f"until [ -e {gate} ]; do sleep 0.05; done; echo ate")
    return wait_for(lambda: pool.holder(name), what="the claim")


def test_scale_ends_idle_ones_and_never_a_busy_one(pool: Fleet, tmp_path: Path) -> None:
    pool.ok("up")
    assert pool.json("scale", "snake=4")["started"] == ["snake-3", "snake-4"]
    wait_for(lambda: len(pool.lives()) == 4, what="four lives")
    busy = eat_until(pool, "slow.md", tmp_path / "gate")
    told = pool.json("scale", "snake=1")
    ended = told["ended"]
    assert isinstance(ended, list)
    assert len(ended) == 3
    assert busy not in ended
    assert pool.holder("slow.md") == busy
    assert set(pool.lives()) == {busy}
    told = pool.json("scale", "snake=0")
    assert (told["ended"], told["leaving"]) == ([], [busy])
    pool.script("next.md", "echo next")
    (tmp_path / "gate").touch()
    wait_for(lambda: not pool.lives(), seconds=20, what="the last one to leave")
    assert pool.lies("done") == {"slow.md"}
    assert pool.lies("food") == {"next.md"}


def test_a_scale_outlives_down_and_up(pool: Fleet) -> None:
    pool.ok("scale", "snake=3")
    pool.ok("up")
    assert len(pool.lives()) == 3
    pool.ok("down")
    pool.ok("up")
    assert len(pool.lives()) == 3
    assert "[[pool]]" in pool.config.path.read_text(encoding="utf-8")
    assert "count = 2" in pool.config.path.read_text(encoding="utf-8")


def test_a_scale_of_a_pool_that_is_new_waits_for_the_reload(pool: Fleet) -> None:
    pool.ok("up")
    before = pool.config.path.read_text(encoding="utf-8")
    late = '\n[[pool]]\nname = "late"\ncount = 1\nspecies = "script"\n'
    pool.config.path.write_text(before + late, encoding="utf-8")
    told = pool.json("scale", "late=2")
    assert (told["waits_for_reload"], told["was"], told["started"]) == (True, 1, [])
    assert "late: 2, which waits for `snakepit reload`" in pool.ok("scale", "late=2")
    assert pool.json("reload")["started"] == ["late-1", "late-2"]


def test_a_pause_lets_meals_end_and_starts_none(pool: Fleet, tmp_path: Path) -> None:
    pool.ok("up")
    eat_until(pool, "slow.md", tmp_path / "gate")
    assert pool.json("pause") == {"paused": ["*"], "changed": True}
    pool.script("later.md", "echo later")
    (tmp_path / "gate").touch()
    wait_for(lambda: pool.lies("done") == {"slow.md"}, what="the running meal")
    assert not threading.Event().wait(1.0)
    assert pool.lies("food") == {"later.md"}
    assert pool.json("resume") == {"paused": [], "changed": True}
    wait_for(lambda: pool.lies("done") == {"slow.md", "later.md"}, what="the other meal")


def test_a_pause_of_one_is_for_one(pool: Fleet) -> None:
    pool.ok("up")
    pool.ok("pause", "snake-1")
    for number in range(4):
        pool.script(f"{number}.md", "echo $SNAKEPIT_WORKER")
    wait_for(lambda: len(pool.lies("done")) == 4, what="the meals")
    assert {event["worker"] for event in pool.events("task.claimed")} == {"snake-2"}
    assert pool.run("pause", "nobody").returncode == 1


def test_restart_gives_back_without_an_attempt(pool: Fleet, tmp_path: Path) -> None:
    pool.ok("up")
    busy = eat_until(pool, "slow.md", tmp_path / "gate")
    life = pool.lives()[busy]
    assert pool.json("restart", busy, "--grace", "5")["returned"] == ["slow.md"]
    wait_for(lambda: pool.holder("slow.md"), what="the next claim")
    claims = [event["attempt"] for event in pool.events("task.claimed")]
    assert claims == [1, 1]
    wait_for(lambda: busy in pool.lives(), what="the new life")
    assert pool.lives()[busy].generation != life.generation
    assert pool.run("restart", "nobody").returncode == 1


def test_restart_of_one_that_hangs_counts_no_attempt_either(pool: Fleet, tmp_path: Path) -> None:
    pool.ok("up")
    busy = eat_until(pool, "slow.md", tmp_path / "gate")
    os.kill(pool.lives()[busy].guard, signal.SIGSTOP)
    os.kill(pool.lives()[busy].pid, signal.SIGSTOP)
    pool.ok("restart", busy, "--grace", "0")
    wait_for(lambda: pool.holder("slow.md"), what="the next claim")
    assert [event["attempt"] for event in pool.events("task.claimed")] == [1, 1]


def test_from_inside_a_snake_the_pool_is_left_alone(pool: Fleet) -> None:
    pool.ok("up")
    inside = {"SNAKEPIT_PIT": str(pool.config.pit_dir), "SNAKEPIT_WORKER": "snake-1"}
    for words in (("down",), ("restart", "snake-1"), ("scale", "snake=0"), ("reload",)):
        done = pool.run(*words, env=inside)
        assert done.returncode == 2, words
        assert "--from-inside" in done.stderr
    assert len(pool.lives()) == 2
    assert pool.run("scale", "snake=1", "--from-inside", env=inside).returncode == 0
    assert pool.run("down", env={**inside, "SNAKEPIT_PIT": "/elsewhere"}).returncode == 0


def verb(pool: Fleet, words: str, *, env: str = "env") -> str:
    """A shell line that runs a verb, as a task's own code would."""
    root = Path(__file__).parents[2]
    command = f"{sys.executable} -m snakepit.cli.main {words}"
    return f"cd {pool.folder}; {env} PYTHONPATH={root} {command}"


@pytest.mark.parametrize("env", ["env", "setsid env -i"])
def test_down_from_inside_its_own_pane_ends_all_but_itself(pool: Fleet, env: str) -> None:
    """Though what ends the pane ends the process that asked for it."""
    pool.ok("up")
    pool.script("end.md", verb(pool, "down --from-inside --grace 1", env=env))
    wait_for(lambda: not pool.lives() and not pool.daemon(), seconds=20, what="the end")
    wait_for(lambda: not pool.sessions(), seconds=20, what="the sessions' end")
    assert pool.lies("food") == {"end.md"}
    folder = pool.config.state_dir / "handover"
    codes = wait_for(lambda: list(folder.glob("*.exit")), what="its exit code")
    assert codes[0].read_text() == "0\n"
    said = codes[0].with_suffix(".out")
    assert "nothing is left running" in said.read_text()
    assert said.stat().st_mode & 0o777 == 0o600
    wait_for(lambda: not pool.processes(), what="the last process")


def test_what_a_verb_from_inside_says_is_told_inside(pool: Fleet) -> None:
    pool.ok("up")
    lines = [
        verb(pool, "scale snake=3 --from-inside --json > said 2> complaint; echo $? > code"),
        verb(pool, "restart nobody --from-inside 2>> complaint; echo $? >> code"),
    ]
    pool.script("more.md", "\n".join(lines))
    wait_for(lambda: pool.lies("done") == {"more.md"}, seconds=20, what="the meal")
    assert json.loads((pool.folder / "said").read_text())["started"] == ["snake-3"]
    assert (pool.folder / "code").read_text().split() == ["0", "1"]
    assert "no snake or service 'nobody' runs here" in (pool.folder / "complaint").read_text()
    assert list((pool.config.state_dir / "handover").iterdir()) == []


def test_mixed_fleet_without_a_program_for_one(mixed: Fleet) -> None:
    done = mixed.run("up")
    assert done.returncode == 0, done.stderr
    assert "not started: thinker (no-such-program-on-any-machine is not on PATH)" in done.stdout
    sessions = {"snakepit-eater", "snakepit-actor", "snakepit-side", "snakepit-watchdog"}
    assert mixed.sessions() == sessions
    wait_for(lambda: "kickoff: play" in mixed.host.capture("snakepit-actor"), what="the prompt")


def test_a_service_comes_back(mixed: Fleet) -> None:
    mixed.ok("up")
    served = mixed.folder / "served"
    wait_for(served.exists, what="the service")
    (pane,) = [pane for pane in mixed.host.panes() if pane.session == "snakepit-side"]
    os.kill(pane.pid, signal.SIGTERM)
    wait_for(lambda: served.read_text().count("served") == 2, seconds=20, what="its restart")


def test_a_saved_command_waits_for_reload(mixed: Fleet, tmp_path: Path) -> None:
    mixed.ok("up")
    wait_for((mixed.folder / "served").exists, what="the service")
    busy = eat_until(mixed, "slow.md", tmp_path / "gate")
    text = mixed.config.path.read_text(encoding="utf-8")
    text = text.replace("echo served", "echo again").replace(
        'name = "eater"', 'name = "eater"\nenv = { TASTE = "sweet" }'
    )
    text += '\n[[agent]]\nname = "second"\nspecies = "script"\n'
    mixed.config.path.write_text(text, encoding="utf-8")
    wait_for(lambda: mixed.events("config.pending"), what="the notice")
    served = (mixed.folder / "served").read_text(encoding="utf-8")
    assert "again" not in served
    told = mixed.json("reload")
    assert told["restarted"] == ["side"]
    assert told["started"] == ["second"]
    assert told["leaving"] == [busy]
    wait_for(lambda: "again" in (mixed.folder / "served").read_text(), what="the new command")
    assert mixed.holder("slow.md") == busy
    (tmp_path / "gate").touch()
    generation = mixed.lives()[busy].generation
    wait_for(lambda: mixed.lies("done") == {"slow.md"}, what="the meal")
    wait_for(
        lambda: busy in mixed.lives() and mixed.lives()[busy].generation != generation,
        seconds=20,
        what="the new life",
    )
    mixed.ok("pause", "second")
    mixed.script("taste.md", "echo $TASTE")
    wait_for(lambda: "taste.md" in mixed.lies("done"), what="the taste")
    result = (mixed.config.pit_dir / "done" / "taste.md").read_text(encoding="utf-8")
    assert "sweet" in result


def test_a_saved_number_counts_at_once_and_a_bad_file_does_not(pool: Fleet) -> None:
    pool.ok("up")
    daemon = pool.daemon()
    good = pool.config.path.read_text(encoding="utf-8")
    pool.config.path.write_text(good + "\n[pit]\nattempts = 0.5\n", encoding="utf-8")
    wait_for(lambda: pool.events("config.refused"), what="the refusal")
    pool.config.path.write_text(good + "\n[watchdog]\nsignal_interval = 2\n", encoding="utf-8")
    wait_for(lambda: pool.events("config.reloaded"), what="the reload")
    wait_for(lambda: len(pool.events("daemon.started")) == 2, what="the renewal")
    wait_for(lambda: pool.daemon() == daemon, what="the same process")
    pool.drop("after.md")
    wait_for(lambda: pool.lies("done") == {"after.md"}, what="the meal")


def test_a_daemon_is_back_while_every_worker_is_busy(tmp_path: Path) -> None:
    with fleet(tmp_path, count=1) as pool:
        pool.ok("up")
        eat_until(pool, "slow.md", tmp_path / "gate")
        daemon = pool.daemon()
        os.kill(daemon, signal.SIGKILL)
        wait_for(lambda: pool.daemon() not in (0, daemon), seconds=5, what="another daemon")


def test_a_broken_file_ends_and_restarts_what_runs(pool: Fleet) -> None:
    pool.ok("up")
    text = pool.config.path.read_text(encoding="utf-8")
    pool.config.path.write_text("nonsense = [", encoding="utf-8")
    life = pool.lives()["snake-1"]
    os.kill(life.pid, signal.SIGKILL)
    wait_for(
        lambda: pool.lives().get("snake-1", life).generation != life.generation,
        seconds=20,
        what="a restart with the config that was good",
    )
    assert pool.run("up").returncode == 3
    done = pool.run("down")
    assert done.returncode == 0, done.stderr
    assert "as it was started" in done.stderr
    pool.config.path.write_text(text, encoding="utf-8")


def test_a_record_from_before_a_reboot_is_no_fleet(pool: Fleet) -> None:
    pool.ok("up")
    pool.ok("down")
    record = pool.config.state_dir / "fleet.json"
    record.write_text('{"up": true, "members": ["snake-7"]}', encoding="utf-8")
    pool.ok("up")
    assert set(pool.lives()) == {"snake-1", "snake-2"}


def test_the_daemon_serves_a_pit_without_a_fleet(pool: Fleet) -> None:
    daemon = pool.start("daemon")
    try:
        wait_for(pool.daemon, what="the daemon")
        assert pool.run("daemon").stdout.startswith("the daemon runs already")
        (pool.config.pit_dir / "food").mkdir(parents=True, exist_ok=True)
        pool.drop("bad.md", "---\npriority: [\n---\n")
        wait_for(lambda: pool.events("task.refused"), what="the refusal")
        assert pool.sessions() == set()
    finally:
        daemon.send_signal(signal.SIGINT)
        output, _ = daemon.communicate(timeout=20)
    assert daemon.returncode == 0, output
    assert pool.daemon() == 0


def test_on_the_persons_own_server_only_our_sessions_are_touched(tmp_path: Path) -> None:
    """With `tmux_socket = "default"`; the person's server is one in a folder of its own."""
    text = MIXED.replace("{socket}", "default")
    where = tmp_path / "t"
    where.mkdir(mode=0o700)
    own = {"TMUX_TMPDIR": str(where)}
    with fleet(tmp_path, text, environ=own) as pool:
        tmux = ["tmux", "-f", "/dev/null"]
        environ = pool.environ()
        subprocess.run([*tmux, "new-session", "-d", "-s", "mine", "cat"], env=environ, check=True)
        pool.ok("up")
        sessions = {"snakepit-eater", "snakepit-actor", "snakepit-side", "snakepit-watchdog"}
        assert pool.sessions() == sessions
        (pane,) = [pane for pane in pool.host.panes() if pane.session == "snakepit-actor"]
        os.kill(pane.pid, signal.SIGKILL)
        wait_for(lambda: pool.events("worker.restarted"), seconds=20, what="the restart")
        pool.drop("meal.md")
        wait_for(lambda: pool.lies("done") == {"meal.md"}, what="the meal")
        pool.ok("down")
        left = subprocess.run(
            [*tmux, "list-sessions", "-F", "#S"],
            env=environ,
            capture_output=True,
            text=True,
            check=True,
        )
        assert left.stdout.split() == ["mine"]


def test_a_removed_log_folder_does_not_make_two_daemons(pool: Fleet) -> None:
    pool.ok("up")
    daemon = pool.daemon()
    pool.config.log_dir.rename(pool.config.root / "moved")
    wait_for(lambda: not process.is_running(daemon), seconds=20, what="its end")
    pool.ok("up")
    assert pool.daemon() not in (0, daemon)
    assert set(pool.lives()) == {"snake-1", "snake-2"}
