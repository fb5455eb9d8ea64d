import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.core.lifecycle import State
from snakepit.errors import NotFound
from snakepit.pool import follow as module
from snakepit.pool.claim import claim_next
from snakepit.pool.context import Pit, opened
from snakepit.pool.feed import feed_one
from snakepit.pool.follow import ended, follow
from snakepit.pool.settle import complete, fail
from tests.support.pits import make_config

SCRIPT = b"```bash run\ntrue\n```\n"


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    with opened(make_config(tmp_path)) as pit:
        yield pit


def settle(config_pit: Pit, result: str, *, dead: bool = False) -> None:
    """What a worker does, in a store of its own."""
    with opened(config_pit.config) as pit:
        keeper = pit.store.keeper()
        keeper.step(0)
        keeper.close()
        life = pit.store.open_worker("snake-1")
        claim = claim_next(pit, life, pit.config.agents[0].diet)
        assert claim is not None
        if dead:
            fail(pit, life, claim, result, dead=True)
        else:
            complete(pit, life, claim, result)
        life.close()


def test_it_waits_for_the_result(pit: Pit) -> None:
    fed = feed_one(pit, "x.md", SCRIPT)
    assert follow(pit, fed.name, seconds=0.1) is None
    worker = threading.Thread(target=settle, args=(pit, "all is well"))
    worker.start()
    ending = follow(pit, fed.name, seconds=10)
    worker.join()
    assert ending is not None
    assert (ending.state, ending.name, ending.is_done) == (State.DONE, "x.md", True)
    assert "all is well" in ending.text
    assert ending.path == pit.config.pit_dir / "done" / "x.md"


def test_scraps_come_with_the_reason(pit: Pit) -> None:
    fed = feed_one(pit, "x.md", SCRIPT)
    settle(pit, "it tasted bad", dead=True)
    ending = follow(pit, fed.name, seconds=10)
    assert ending is not None
    assert not ending.is_done
    assert "it tasted bad" in ending.text


def test_the_reason_of_an_unreadable_file_is_in_its_note(pit: Pit) -> None:
    scraps = pit.config.pit_dir / "scraps"
    (scraps / "x.md").write_bytes(b"---\n{broken\n---\n")
    (scraps / "x.why.md").write_text("line 2: no YAML\n", encoding="utf-8")
    ending = ended(pit, "x.md")
    assert ending is not None
    assert ending.text == "line 2: no YAML"


def test_a_link_is_no_end(pit: Pit, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("secret", encoding="utf-8")
    (pit.config.pit_dir / "done" / "x.md").symlink_to(secret)
    assert ended(pit, "x.md") is None


def test_it_follows_a_new_name(pit: Pit) -> None:
    pit.journal.append("pool.up", agents=[])
    threading.Timer(
        0.1, lambda: pit.journal.append("task.renamed", task="x~2.md", was="x.md")
    ).start()
    (pit.config.pit_dir / "done" / "x~2.md").write_bytes(b"x\n\n## Result\n\nfine\n")
    ending = follow(pit, "x.md", seconds=10)
    assert ending is not None
    assert ending.name == "x~2.md"


def test_what_somebody_removed_is_not_waited_for(pit: Pit, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LOST_AFTER_S", 0.1)
    with pytest.raises(NotFound, match="nowhere"):
        follow(pit, "x.md", seconds=20)


def test_why_it_waits_is_said_once(pit: Pit) -> None:
    fed = feed_one(pit, "x.md", SCRIPT, needs=["never.md"])
    keeper = pit.store.keeper()
    keeper.step(0)
    said: list[str] = []
    assert follow(pit, fed.name, seconds=2.5, notice=said.append) is None
    keeper.close()
    assert len(said) == 1
    assert "never" in said[0]
