"""Owns the proof that the locks fit the project: complete, hashed, the same pins in both."""

import re
import tomllib

from tests.bootstrap.checkout import REPOSITORY

PIN = re.compile(
    r"^([A-Za-z0-9._-]+)==(\S+)(?: ; ([^\\]+?))? \\\n((?:    --hash=\S+(?: \\)?\n)+)", re.M
)


def pins(name: str) -> dict[str, tuple[str, str]]:
    text = (REPOSITORY / "requirements" / f"{name}.txt").read_text()
    return {match[1]: (match[2], match[4]) for match in PIN.finditer(text)}


def names_of(requirements: list[str]) -> set[str]:
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in requirements)
    return {re.sub(r"[._]", "-", match[0]).lower() for match in found if match}


def test_every_line_of_a_lock_is_a_pin_with_hashes() -> None:
    for name in ("base", "test"):
        text = (REPOSITORY / "requirements" / f"{name}.txt").read_text()
        left = [line for line in PIN.sub("", text).splitlines() if not line.startswith("#")]
        assert left == []
        assert len(pins(name)) > 5


def test_the_locks_hold_what_the_project_declares() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())["project"]
    assert names_of(project["dependencies"]) <= set(pins("base"))
    assert names_of(project["optional-dependencies"]["test"]) <= set(pins("test"))


def test_the_test_lock_holds_the_base_lock_unchanged() -> None:
    base, test = pins("base"), pins("test")
    assert {name: test.get(name) for name in base} == base
