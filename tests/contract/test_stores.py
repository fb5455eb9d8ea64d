"""Holds every store against the one contract."""

from pathlib import Path

import pytest

from snakepit.store.base import PitStore
from snakepit.store.files import FilePit, open_pit
from snakepit.store.memory import MemoryPit
from tests.contract.pit_contract import PitContract


class TestMemoryPit(PitContract):
    def make(self) -> PitStore:
        return MemoryPit()


class TestFilePit(PitContract):
    @pytest.fixture(autouse=True)
    def _folder(self, tmp_path: Path) -> None:
        self.path = tmp_path / "pit"

    def make(self) -> PitStore:
        return open_pit(self.path, durable="kill")

    def reopen(self, pit: PitStore) -> PitStore:
        assert isinstance(pit, FilePit)
        return open_pit(pit.path, durable="power")
