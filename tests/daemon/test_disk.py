from pathlib import Path

from snakepit.daemon.disk import ENOUGH_BYTES, LOW_BYTES, DiskWatch, free_bytes
from snakepit.pool.context import opened
from snakepit.pool.gate import Gate
from tests.support.pits import make_config


def test_under_the_limit_no_claims_and_one_notice(tmp_path: Path) -> None:
    free = [ENOUGH_BYTES]
    with opened(make_config(tmp_path)) as pit:
        gate = Gate(pit.config, "snake-1")
        watch = DiskWatch(pit, free=lambda path: free[0])
        states = []
        for amount in (ENOUGH_BYTES, LOW_BYTES, LOW_BYTES - 1, 5, LOW_BYTES + 1, ENOUGH_BYTES, 7):
            free[0] = amount
            watch.step(0.0)
            states.append(bool(gate.closed()))
        assert states == [False, False, True, True, True, False, True]
        events = [event.data["free_bytes"] for event in pit.journal.read()]
        assert events == [LOW_BYTES - 1, 7]


def test_the_real_disk_is_asked(tmp_path: Path) -> None:
    assert free_bytes(tmp_path) > 0
