"""Owns the pit that each test of a verb gets."""

from pathlib import Path

import pytest

from tests.cli.pits import Box, make_box


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return make_box(tmp_path)
