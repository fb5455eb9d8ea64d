"""What `status` says of an agents.toml that was saved while the pool runs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.fleets import Fleet, fleet
from tests.support.wait import wait_for

pytestmark = [pytest.mark.needs("tmux"), pytest.mark.timeout(120)]


@pytest.fixture
def pool(tmp_path: Path) -> Iterator[Fleet]:
    with fleet(tmp_path, count=1) as made:
        made.ok("up")
        yield made


def notes(pool: Fleet) -> list[str]:
    found = pool.json("status")["notes"]
    assert isinstance(found, list)
    return found


def is_said(pool: Fleet, *words: str) -> bool:
    return any(all(word in line for word in words) for line in notes(pool))


def test_a_bad_file_and_a_change_that_waits_are_shown(pool: Fleet) -> None:
    path = pool.config.path
    good = path.read_text(encoding="utf-8")
    path.write_text(good + "\nnonsense = [", encoding="utf-8")
    wait_for(lambda: is_said(pool, "agents.toml is wrong", "not TOML"), 20, "the problem")
    path.write_text(good + '\nprompt = "cook"\n', encoding="utf-8")
    wait_for(lambda: is_said(pool, "agents.py reload", "snake"), 20, "the change that waits")
    assert not is_said(pool, "is wrong")
    path.write_text(good, encoding="utf-8")
    wait_for(lambda: not notes(pool), 20, "nothing to say")
