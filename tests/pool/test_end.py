import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.errors import SessionError
from snakepit.pool.context import Pit, opened
from snakepit.pool.end import (
    Ended,
    await_exits,
    await_runs,
    end_all,
    end_fleet,
    recover_all,
    spare,
    spared_path,
)
from snakepit.pool.fleet import Fleet, fleet_lock, load_fleet, save_fleet
from snakepit.pool.launch import session_record
from snakepit.pool.server import kill_server, note_server, recorded_server
from snakepit.pool.statefile import write_state
from snakepit.session.base import Pane
from snakepit.system import process
from tests.support.fake_host import FakeHost
from tests.support.pits import make_config
from tests.support.wait import wait_for

SESSION = "snakepit-x"


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    with opened(make_config(tmp_path)) as pit:
        yield pit


@pytest.fixture
def started() -> Iterator[list["subprocess.Popen[bytes]"]]:
    found: list[subprocess.Popen[bytes]] = []
    yield found
    for one in found:
        one.kill()
        one.wait(10)


def program(
    started: list["subprocess.Popen[bytes]"], code: str, mark: str = ""
) -> "subprocess.Popen[bytes]":
    """It runs once it has said so."""
    one = subprocess.Popen(
        ["/bin/sh", "-c", f"{code}"],
        stdout=subprocess.PIPE,
        env={"PATH": "/usr/bin:/bin", "SNAKEPIT_SESSION": mark},
        start_new_session=True,
    )
    started.append(one)
    assert one.stdout is not None
    one.stdout.readline()
    one.stdout.close()
    return one


def pane(pid: int, session: str = SESSION) -> Pane:
    return Pane(session=session, pane_id="%1", pid=pid)


def test_who_obeys_is_not_killed(pit: Pit, started: list["subprocess.Popen[bytes]"]) -> None:
    one = program(started, "echo up; exec sleep 600")
    killed, left = end_all(pit.config, [pane(one.pid)], [], grace_s=10)
    assert (killed, left) == ((), ())
    assert one.wait(10) == -signal.SIGTERM


def test_who_does_not_is_killed_after_the_grace_with_all_below(
    pit: Pit, started: list["subprocess.Popen[bytes]"]
) -> None:
    one = program(started, "trap '' TERM; sleep 600 & echo up; while :; do sleep 600; done")
    below = process.descendants(one.pid)
    assert below
    killed, left = end_all(pit.config, [pane(one.pid)], [], grace_s=0.1)
    assert (killed, left) == ((SESSION,), ())
    assert one.wait(10) == -signal.SIGKILL
    assert not any(process.is_running(pid) for pid in below)


def test_who_is_stopped_is_continued_to_hear_it(
    pit: Pit, started: list["subprocess.Popen[bytes]"]
) -> None:
    one = program(started, "echo up; exec sleep 600")
    one.send_signal(signal.SIGSTOP)
    assert end_all(pit.config, [pane(one.pid)], [], grace_s=10) == ((), ())


def test_what_left_the_tree_is_found_by_the_mark_of_its_session(
    pit: Pit, started: list["subprocess.Popen[bytes]"]
) -> None:
    stray = program(started, "echo up; exec sleep 600", mark="m4rk")
    other = program(started, "echo up; exec sleep 600", mark="other")
    write_state(session_record(pit.config, SESSION), {"mark": "m4rk"})
    end_all(pit.config, [_dead()], [], grace_s=0)
    assert stray.wait(10) == -signal.SIGKILL
    assert other.poll() is None


def _dead() -> Pane:
    return Pane(session=SESSION, pane_id="%1", pid=5_000_009, dead=True)


def test_exits_are_waited_for(started: list["subprocess.Popen[bytes]"]) -> None:
    short = program(started, "echo up; sleep 0.2")
    long = program(started, "echo up; exec sleep 600")
    assert await_exits([short.pid, long.pid], 1.0) == {long.pid}
    assert await_exits([], 1.0) == set()


def test_down_without_a_fleet_is_nothing(pit: Pit) -> None:
    with fleet_lock(pit.config):
        ended = end_fleet(pit, FakeHost(), grace_s=0)
    assert ended == Ended()
    assert ended.is_nothing
    assert pit.store.paused
    assert list(pit.journal.read()) == []


def test_down_gives_back_what_the_dead_hold_uncounted(pit: Pit) -> None:
    save_fleet(pit.config, Fleet(is_up=True, members=("snake-1",)))
    host = FakeHost()
    for name in ("snakepit-snake-1", "foreign"):
        host.start(name, ["x"], cwd=Path("/"))
    life = pit.store.open_worker("snake-1")
    (pit.config.pit_dir / "claimed" / "snake-1" / "x.md").write_bytes(b"---\nattempt: 1\n---\nx\n")
    life.close()
    with fleet_lock(pit.config):
        ended = end_fleet(pit, host, grace_s=0)
    assert ended.sessions == ("snakepit-snake-1",)
    text = (pit.config.pit_dir / "food" / "x.md").read_bytes()
    assert b"attempt: 1\n" in text
    assert load_fleet(pit.config) == Fleet()
    assert [event.type for event in pit.journal.read()][-1] == "pool.down"


def test_a_server_that_hangs_and_is_not_known_is_said(pit: Pit) -> None:
    life = pit.store.open_worker("snake-1")
    (pit.config.pit_dir / "claimed" / "snake-1" / "x.md").write_bytes(b"x\n")
    life.close()
    host = FakeHost()
    host.hang()
    told: list[str] = []
    with fleet_lock(pit.config), pytest.raises(SessionError, match="did not answer"):
        end_fleet(pit, host, grace_s=0, tell=told.append)
    assert "ending the pool without it" in told[0]
    assert (pit.config.pit_dir / "food" / "x.md").is_file()


def test_the_server_of_the_record_is_killed_and_no_stranger(
    pit: Pit, started: list["subprocess.Popen[bytes]"]
) -> None:
    server = program(started, "echo up; exec sleep 600")
    stranger = program(started, "echo up; exec sleep 600")
    host = FakeHost()
    host.is_up, host.server_pid = True, server.pid
    note_server(pit.config, host)
    assert recorded_server(pit.config) == server.pid
    host.server_pid = stranger.pid
    note_server(pit.config, host)
    server.send_signal(signal.SIGSTOP)
    assert kill_server(pit.config) == server.pid
    assert server.wait(10) == -signal.SIGKILL
    assert kill_server(pit.config) == 0
    record = {"pid": stranger.pid, "start": (process.start_time(stranger.pid) or 0) - 1}
    write_state(pit.config.state_dir / "tmux.json", record)
    assert kill_server(pit.config) == 0
    assert stranger.poll() is None


def test_a_drain_ends_when_the_meals_do(pit: Pit) -> None:
    life = pit.store.open_worker("snake-1")
    claimed = pit.config.pit_dir / "claimed" / "snake-1" / "x.md"
    claimed.write_bytes(b"x")
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        claimed.unlink()

    await_runs(pit, tell)
    assert told == ["waiting for 1: x.md"]
    life.close()


def test_a_meal_of_a_person_is_not_waited_for(pit: Pit) -> None:
    mine = pit.config.pit_dir / "claimed" / "me"
    mine.mkdir()
    (mine / "x.md").write_bytes(b"x")
    await_runs(pit, lambda _: None)
    recover_all(pit)
    assert (mine / "x.md").is_file()


def test_a_spared_life_is_noted_until_it_is_reaped(pit: Pit) -> None:
    spare(pit.config, "abc")
    wait_for(spared_path(pit.config, "abc").exists)
    assert spared_path(pit.config, "abc").stat().st_mode & 0o077 == 0
