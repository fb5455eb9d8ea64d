from pathlib import Path

from snakepit.core.retry import RestartBudget
from snakepit.daemon.restarts import Restarts


def restarts(folder: Path) -> Restarts:
    return Restarts(folder, RestartBudget())


def test_a_daemon_that_starts_anew_goes_on_counting(tmp_path: Path) -> None:
    now = 1000.0
    waits = []
    for _ in range(5):
        standing = restarts(tmp_path).exited("snake-1", now)
        assert standing.restart_at is not None
        waits.append(standing.restart_at - now)
        now = standing.restart_at
        restarts(tmp_path).started("snake-1", now)
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    assert restarts(tmp_path).exited("snake-1", now).is_degraded
    assert restarts(tmp_path).of("snake-1").is_degraded


def test_health_forgives(tmp_path: Path) -> None:
    subject = restarts(tmp_path)
    for _ in range(4):
        subject.exited("a", 0.0)
    subject.started("a", 0.0)
    assert len(subject.healthy("a", 299.0).history.restarts) == 4
    assert subject.healthy("a", 300.0).history.restarts == ()
    after = subject.exited("a", 301.0)
    assert after.restart_at == 302.0


def test_a_session_that_was_never_started_by_us_becomes_healthy_too(tmp_path: Path) -> None:
    subject = restarts(tmp_path)
    assert subject.healthy("a", 10.0).history.started_at == 10.0


def test_forgetting_is_seen_by_another_process(tmp_path: Path) -> None:
    daemon, verb = restarts(tmp_path), restarts(tmp_path)
    for at in range(6):
        daemon.exited("a", float(at))
    assert daemon.of("a").is_degraded
    verb.forget("a")
    daemon.refresh()
    assert not daemon.of("a").is_degraded


def test_a_damaged_counter_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("{half", encoding="utf-8")
    assert restarts(tmp_path).of("a").restart_at is None
    assert restarts(tmp_path).exited("a", 5.0).restart_at == 6.0
