"""Lets a storm of kills pass over a pit: workers below their guards, the daemon, the producer, a reaper, a person."""

from pathlib import Path

import pytest

from tests.storm.storm import Plan, Storm
from tests.storm.verdict import judge

FEWEST_KILLS = 40


@pytest.mark.slow
@pytest.mark.timeout(180)
def test_a_storm_of_kills_loses_nothing_and_settles_once(tmp_path: Path) -> None:
    storm = Storm(tmp_path, Plan(tasks=2000, limit_s=150))
    storm.run()
    report = judge(storm)
    assert report.is_good, "\n".join(report.lines())
    assert report.fed == 2000
    assert report.done + report.dead >= 2000
    assert report.kills.total() >= FEWEST_KILLS
    assert report.killed("worker") > 0
    assert report.killed("daemon") + report.killed("producer") > 0
    assert report.new > 0
