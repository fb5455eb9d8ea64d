"""Lets a storm of kills pass over a pit: workers, the producer, the keeper of the index, the reaper, a person."""

from pathlib import Path

import pytest

from tests.storm.storm import Plan, Storm
from tests.storm.verdict import judge

FEWEST_KILLS = 15


@pytest.mark.slow
@pytest.mark.timeout(120)
def test_a_storm_of_kills_loses_nothing_and_settles_once(tmp_path: Path) -> None:
    storm = Storm(tmp_path, Plan(tasks=600, mean_ms=80, limit_s=90))
    storm.run()
    report = judge(storm)
    assert report.is_good, "\n".join(report.lines())
    assert report.fed == 600
    assert report.done + report.dead >= 600
    assert report.kills.total() >= FEWEST_KILLS
    assert report.kills["worker"] > 0
