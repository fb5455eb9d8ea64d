from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.core.retry import RestartBudget
from snakepit.daemon.restarts import Restarts
from snakepit.daemon.sessions import Sessions
from snakepit.pool.context import Pit, opened
from snakepit.pool.fleet import Fleet, fleet_lock, load_fleet, save_fleet
from snakepit.store.base import Life
from tests.support.fake_host import FakeHost
from tests.support.pits import make_config

CONFIG = """\
[defaults]
backend = "script"
tmux_socket = "snakepit-test-none"

[[pool]]
name = "snake"
count = 2
species = "script"

[[agent]]
name = "thinker"
backend = "absent"

[backend.absent]
bin = "no-such-program-on-any-machine"

[[service]]
name = "side"
command = "sleep 1000"
"""


class Scene:
    def __init__(self, pit: Pit) -> None:
        self.pit = pit
        self.host = FakeHost()
        self.watched: list[int] = []
        self.new_daemon()
        save_fleet(pit.config, Fleet(is_up=True, members=("snake-1", "snake-2", "thinker")))

    def new_daemon(self) -> None:
        restarts = Restarts(self.pit.config.state_dir / "restarts", RestartBudget())
        self.sessions = Sessions(
            self.pit, self.host, restarts, {"PATH": "/bin"}, watch_panes=self.watched.extend
        )

    def at(self, wall: float) -> list[str]:
        """One pass at that instant; what it told, shortly."""
        before = [event.seq or 0 for event in self.pit.journal.tail(1)]
        with fleet_lock(self.pit.config):
            self.sessions._pass(load_fleet(self.pit.config), wall)
        since = before[0] if before else 0
        return [f"{event.type} {event.worker or event.data.get('service') or event.data.get('session')}"
                for event in self.pit.journal.read(since)]  # fmt: skip

    def alive(self) -> set[str]:
        panes = self.host.panes()
        return {pane.session.removeprefix("snakepit-") for pane in panes if not pane.dead}


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    with opened(make_config(tmp_path, CONFIG)) as pit:
        yield Scene(pit)


ALL = {"snake-1", "snake-2", "side", "watchdog"}


def test_the_fleet_of_the_record_is_started(scene: Scene) -> None:
    scene.at(0)
    assert scene.alive() == ALL
    assert len(scene.watched) == 5  # the panes and the server
    assert scene.at(1) == []


def test_nothing_is_started_for_a_fleet_that_is_down(scene: Scene) -> None:
    save_fleet(scene.pit.config, Fleet())
    assert scene.at(0) == []
    assert scene.alive() == set()


def test_nothing_is_done_while_a_verb_changes_the_fleet(scene: Scene) -> None:
    with fleet_lock(scene.pit.config):
        scene.sessions.step(0.0)
    assert scene.alive() == set()
    scene.sessions.step(0.0)
    assert scene.alive() == ALL


def test_a_dead_pane_is_restarted_after_its_back_off(scene: Scene) -> None:
    scene.at(0)
    scene.host.finish("snakepit-snake-1", 137)
    assert scene.at(10) == ["session.ended snake-1"]
    assert scene.sessions.next_at == 11
    assert scene.at(10.5) == []
    assert scene.at(11) == ["session.started snake-1", "worker.restarted snake-1"]
    assert scene.alive() == ALL
    assert scene.sessions.next_at is None


def test_who_dies_again_and_again_is_degraded_and_left_for_a_person(scene: Scene) -> None:
    scene.at(0)
    now = 0.0
    for wait in (1, 2, 4, 8, 16):
        scene.host.finish("snakepit-snake-1", 1)
        scene.at(now)
        scene.new_daemon()
        now += wait
        assert "worker.restarted snake-1" in scene.at(now)
    scene.host.finish("snakepit-snake-1", 1)
    assert scene.at(now) == ["session.ended snake-1", "worker.degraded snake-1"]
    scene.new_daemon()
    assert scene.at(now + 10_000) == []
    assert scene.alive() == ALL - {"snake-1"}
    assert scene.sessions.standing["snake-1"] == "degraded"


def test_five_minutes_of_health_forgive(scene: Scene) -> None:
    scene.at(0)
    now = 0.0
    for _ in range(12):
        scene.host.finish("snakepit-snake-1", 1)
        scene.at(now)
        scene.at(now + 1)
        scene.at(now + 302)
        now += 303
    assert scene.alive() == ALL


def test_an_exit_that_tmux_has_not_seen_yet_is_looked_at_again(scene: Scene) -> None:
    scene.at(0)
    pid = scene.host.sessions["snakepit-snake-1"].pane.pid
    scene.sessions.note_exits([pid])
    assert scene.at(10) == []
    assert scene.sessions.next_at is not None
    assert scene.sessions.next_at < 10.1
    scene.host.finish("snakepit-snake-1", 1)
    assert scene.at(10.05) == ["session.ended snake-1"]
    scene.at(11.05)
    assert scene.alive() == ALL
    assert scene.sessions.next_at is None


def test_a_service_comes_back(scene: Scene) -> None:
    scene.at(0)
    scene.host.finish("snakepit-side", 0)
    scene.at(5)
    assert scene.at(6) == ["session.started side", "service.restarted side"]


def test_a_session_that_was_killed_counts_as_an_exit(scene: Scene) -> None:
    scene.at(0)
    scene.host.kill("snakepit-snake-2")
    assert scene.at(5) == ["session.ended snake-2"]
    assert "worker.restarted snake-2" in scene.at(6)


def test_with_the_server_gone_the_same_fleet_comes_back_uncounted(scene: Scene) -> None:
    scene.at(0)
    for now in (1000, 2000, 3000, 4000, 5000, 6000, 7000):
        scene.host.lose_server()
        assert scene.at(now)[0] == "session.ended *"
        assert scene.alive() == ALL
    assert scene.sessions.standing["snake-1"] == "running"


def test_a_server_that_keeps_dying_is_started_less_often(scene: Scene) -> None:
    scene.at(0)
    starts = []
    for now in range(1, 60):
        scene.host.lose_server()
        scene.at(now)
        if scene.alive():
            starts.append(now)
    assert starts == [1, 3, 7, 15, 31]


def test_one_that_cannot_be_started_does_not_keep_the_others(scene: Scene) -> None:
    folder = scene.pit.config.root / "file"
    folder.write_text("x", encoding="utf-8")
    config = scene.pit.config
    services = (config.services[0]._replace(dir=folder),)
    scene.sessions.launch_config = config._replace(services=services)
    assert "log.error side" in scene.at(0)
    assert scene.alive() == ALL - {"side"}


def test_who_leaves_is_ended_when_it_holds_nothing(scene: Scene) -> None:
    scene.at(0)
    busy = scene.pit.config.pit_dir / "claimed"
    life = _held(scene.pit, "snake-2")
    save_fleet(
        scene.pit.config,
        Fleet(is_up=True, members=("snake-1", "snake-2"), leaving=frozenset({"snake-2"})),
    )
    scene.at(1)
    assert "snake-2" in scene.alive()
    (busy / "snake-2" / "x.md").unlink()
    life.close()
    scene.at(2)
    assert scene.alive() == ALL - {"snake-2"}
    assert load_fleet(scene.pit.config) == Fleet(is_up=True, members=("snake-1",))
    assert scene.at(3) == []


def test_who_is_stale_starts_anew_when_it_holds_nothing(scene: Scene) -> None:
    scene.at(0)
    save_fleet(
        scene.pit.config,
        Fleet(is_up=True, members=("snake-1", "snake-2"), stale=frozenset({"snake-1"})),
    )
    before = scene.host.sessions["snakepit-snake-1"].pane.pid
    scene.at(1)
    assert scene.host.sessions["snakepit-snake-1"].pane.pid != before
    assert load_fleet(scene.pit.config).stale == frozenset()


def _held(pit: Pit, worker: str) -> Life:
    life = pit.store.open_worker(worker)
    (pit.config.pit_dir / "claimed" / worker / "x.md").write_bytes(b"x")
    return life
