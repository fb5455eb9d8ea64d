"""Owns the scene that most tests of our own agent play in."""

from pathlib import Path

import pytest

from tests.agents.anthropic.scene import FAST, Scene
from tests.standin.fixture import Vendor


@pytest.fixture
def scene(tmp_path: Path, vendor: Vendor) -> Scene:
    return Scene(folder=tmp_path / "run", url=vendor.url, settings=FAST)
