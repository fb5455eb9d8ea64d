from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from snakepit import clock

SUMMER = datetime(2026, 7, 1, 12, tzinfo=UTC)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    clock.zone.cache_clear()
    yield
    clock.zone.cache_clear()


def test_knows_zones_by_name_and_says_so_when_not() -> None:
    berlin = clock.zone("Europe/Berlin")
    assert berlin is not None
    assert SUMMER.astimezone(berlin).hour == 14
    for wrong in ("Nowhere/Atlantis", "../etc/passwd", "BRT", "\0"):
        assert clock.zone(wrong) is None


@pytest.mark.parametrize(("named", "hour"), [("Asia/Tokyo", 21), (":Asia/Tokyo", 21)])
def test_the_machines_own_is_what_tz_says(
    monkeypatch: pytest.MonkeyPatch, named: str, hour: int
) -> None:
    monkeypatch.setenv("TZ", named)
    own = clock.zone()
    assert own is not None
    assert SUMMER.astimezone(own).hour == hour


@pytest.mark.parametrize("named", ["", "CET-1CEST,M3.5.0,M10.5.0"])
def test_there_is_always_one_of_its_own(monkeypatch: pytest.MonkeyPatch, named: str) -> None:
    monkeypatch.setenv("TZ", named)
    assert clock.zone() is not None
