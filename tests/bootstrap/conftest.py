"""Owns the fixtures of the bootstrap tests: a bare checkout, and one installed for the session."""

import subprocess
from pathlib import Path

import pytest

from tests.bootstrap.checkout import PYTHON, SYSTEM_PATH, Checkout, make_checkout


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("cache")


@pytest.fixture
def checkout(tmp_path: Path, cache: Path) -> Checkout:
    return make_checkout(tmp_path, cache)


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> None:
    """Skips, visibly, where no package index can be reached."""
    place = tmp_path_factory.mktemp("index")
    (place / "home").mkdir()
    probe = Checkout(root=place, home=place / "home", cache=cache)
    done = subprocess.run(
        [PYTHON, "-I", "-m", "pip", "download", "-q", "--no-deps", "-d", str(place), "mdurl"],
        env=probe.environ(SYSTEM_PATH, {}),
        stdin=subprocess.DEVNULL,
        capture_output=True,
    )
    if done.returncode != 0:
        pytest.skip("no package index can be reached; connect this machine to one")


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, cache: Path, index: None) -> Checkout:
    """A checkout that its first run has set up, among settings that must not reach the install."""
    place = tmp_path_factory.mktemp("installed")
    checkout = make_checkout(place, cache)
    shadow = place / "shadow"
    shadow.mkdir()
    for name in ("click", "yaml", "pip", "sysconfig"):
        (shadow / f"{name}.py").write_text("raise SystemExit('shadowed')\n")
    constraint = place / "constraint.txt"
    constraint.write_text("click==1.0\n")
    hostile = {
        "PYTHONPATH": str(shadow),
        "PIP_TARGET": str(place / "elsewhere"),
        "PIP_USER": "1",
        "PIP_CONSTRAINT": str(constraint),
        "PIP_NO_BINARY": ":all:",
        "PIP_REQUIRE_VIRTUALENV": "1",
        "VIRTUAL_ENV": str(place / "elsewhere"),
    }
    answer = checkout.run("--version", env=hostile)
    assert answer.code == 0, answer.err
    assert answer.out.startswith("snakepit ")
    assert "hashes checked" in answer.err
    assert not (place / "elsewhere").exists()
    return Checkout(root=checkout.root, home=checkout.home, cache=cache, extra=hostile)
