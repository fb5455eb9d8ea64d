"""Owns the stand-in as pytest sees it: one server for a run, a space of its own for each test."""

import re
from collections.abc import Iterator
from typing import NamedTuple

import pytest

from tests.standin.server import Standin
from tests.standin.space import Space


class Vendor(NamedTuple):
    """The stand-in's part for one test."""

    url: str
    space: Space
    server: Standin


@pytest.fixture(scope="session")
def standin() -> Iterator[Standin]:
    server = Standin()
    yield server
    server.close()


@pytest.fixture
def vendor(standin: Standin, request: pytest.FixtureRequest) -> Iterator[Vendor]:
    name = re.sub(r"[^a-zA-Z0-9]+", "-", request.node.name).strip("-")[:60]
    space = standin.space(f"{name}-{len(standin.spaces())}")
    yield Vendor(standin.url(space.name), space, standin)
    space.release()
