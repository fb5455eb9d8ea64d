"""What a settled task leaves in done/, and what it says of the rest."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snakepit.core.order import Diet
from snakepit.pool.claim import claim_next
from snakepit.pool.context import Pit, opened
from snakepit.pool.feed import feed_one
from snakepit.pool.settle import complete
from tests.support.pits import make_config

DIET = Diet(species=frozenset({"worker"}), worker="w1")


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    with opened(make_config(tmp_path, environ={"SNAKEPIT_SET_PIT_SETTLE": "0s"})) as pit:
        yield pit


def eaten(pit: Pit, fill: Callable[[Path], object]) -> str:
    feed_one(pit, "x.md", b"draw\n")
    life = pit.store.open_worker("w1")
    claim = claim_next(pit, life, DIET)
    assert claim is not None
    keep = pit.store.waste_dir(claim.name, 1) / "keep"
    keep.mkdir()
    fill(keep)
    complete(pit, life, claim, "drawn", keep=keep)
    life.close()
    return (pit.config.pit_dir / "done" / "x.md").read_text()


def test_links_are_named_and_not_published(pit: Pit) -> None:
    def fill(keep: Path) -> None:
        (keep / "picture.svg").write_text("<svg/>")
        (keep / "passwords").symlink_to("/etc/passwd")

    assert "Not kept, since only files and folders are: passwords (a link)" in eaten(pit, fill)
    kept = pit.config.pit_dir / "done" / "x"
    assert [path.name for path in kept.iterdir()] == ["picture.svg"]


def test_no_folder_is_published_for_links_alone(pit: Pit) -> None:
    eaten(pit, lambda keep: (keep / "passwords").symlink_to("/etc/passwd"))
    assert not (pit.config.pit_dir / "done" / "x").exists()
