"""Proves that a forked actor of a storm is what a new process would be: nothing shared, an identity of its own."""

import json
from pathlib import Path

from tests.storm.crew import Crew
from tests.storm.ground import make_ground


def test_a_forked_actor_shares_nothing_and_has_its_own_identity(tmp_path: Path) -> None:
    make_ground(tmp_path)
    crew = Crew(tmp_path, tasks=0)
    try:
        assert crew.is_open == []
        pids = []
        for _ in range(2):
            member = crew.start("probe")
            assert crew.await_exit(member) == 0, crew.errors.read_text()
            pids.append(member.pid)
        assert crew.left() == []
    finally:
        crew.close()
    first, second = (json.loads((tmp_path / f"probe-{pid}.json").read_text()) for pid in pids)
    for pid, found in zip(pids, (first, second), strict=True):
        assert found["open"] == []
        assert found["self"][0] == pid
        assert found["life"][1:] == found["self"]
        assert not found["is_subreaper"]
    assert first["random"] != second["random"]
    assert first["life"][0] != second["life"][0]
    assert [first["event"], second["event"]] == [1, 2]
