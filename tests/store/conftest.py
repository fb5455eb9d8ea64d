"""Owns a pit on disk with a keeper, as these tests look at it: dropped files, one claim after another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.core.order import Diet
from snakepit.store.base import Claim, Life
from snakepit.store.files import FilePit, open_pit
from snakepit.store.keeper import IndexKeeper, Notice
from tests.support.wait import wait_for

WORKER = Diet(species=frozenset({"worker"}), worker="w1")


class Bench:
    """One pit, one keeper, one life."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.pit: FilePit = open_pit(path, durable="kill", settle_s=0.05)
        self.keeper: IndexKeeper = self.pit.keeper()
        self.notices: list[Notice] = []
        self.step()
        self.life: Life = self.pit.open_worker("w1")

    def step(self) -> list[Notice]:
        found = self.keeper.step(0.05)
        self.notices += found
        return found

    def drop(self, name: str, text: str | bytes = "count the eggs\n") -> Path:
        path = self.path / "food" / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    def told(self, kind: str, name: str) -> Notice:
        """Wait until the keeper says so of a file that came as `name`."""

        def find() -> Notice | None:
            self.step()
            found = (n for n in self.notices if n.kind == kind and name in (n.name, n.was))
            return next(found, None)

        notice = wait_for(find, 10, f"{name} to be {kind}")
        assert notice is not None
        return notice

    def take(self, name: str | None = None) -> Claim:
        def claim() -> Claim | None:
            self.step()
            return self.pit.claim(self.life, WORKER)

        found = wait_for(claim, 10, "a claim")
        assert found is not None
        assert name is None or found.name == name
        return found

    def nothing_waits(self) -> None:
        self.step()
        assert self.pit.claim(self.life, WORKER) is None

    def names(self, folder: str) -> list[str]:
        return sorted(name.name for name in (self.path / folder).iterdir())

    def close(self) -> None:
        self.life.close()
        self.keeper.close()
        self.pit.close()


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path / "pit")
    yield bench
    bench.close()
