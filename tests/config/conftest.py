"""Owns what tests of the config share: a loader from text."""

from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

import pytest

from snakepit.config.loader import Loaded, parse

ROOT = Path("/somewhere")


class Read(Protocol):
    def __call__(
        self,
        text: str,
        *,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
    ) -> Loaded: ...


@pytest.fixture
def read() -> Read:
    def read(
        text: str,
        *,
        environ: Mapping[str, str] | None = None,
        flags: Mapping[str, object] | None = None,
    ) -> Loaded:
        return parse(text, ROOT / "agents.toml", environ=environ or {}, flags=flags or {})

    return read
