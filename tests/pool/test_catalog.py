"""Proves that programs are asked their version safely, and that an unknown one is called so."""

from pathlib import Path

import pytest

from snakepit.config.loader import load
from snakepit.pool.catalog import Row, catalog, standing


def rows_of(folder: Path, text: str = "", **programs: str) -> dict[str, Row]:
    for name, body in programs.items():
        path = folder / name
        path.write_text(f"#!/bin/sh\n{body}\n")
        path.chmod(0o755)
    config = folder / "agents.toml"
    config.write_text(text)
    environ = {"PATH": f"{folder}:/usr/bin:/bin", "HOME": str(folder), "SECRET": "x"}
    found = catalog(load(config, environ=environ), environ)
    return {row.name: row for row in found}


def test_what_is_here_tells_its_version(tmp_path: Path) -> None:
    rows = rows_of(
        tmp_path,
        '[[agent]]\nname = "a"\nbackend = "codex"\n[backend.mine]\nbin = "mine --x"\n',
        codex='echo "codex-cli 0.170.0"; echo "9.9.9"',
        gemini="echo 0.61.0",
        mine='echo "$@ 1.2.3"',
        aider="exit 1",
    )
    assert (rows["codex"].version, rows["codex"].standing) == ("0.170.0", "newer")
    assert rows["codex"].said_version == "0.170.0, newer than tried (0.169.0)"
    assert rows["codex"].agents == ("a",)
    assert (rows["gemini"].version, rows["gemini"].standing) == ("0.61.0", "known")
    assert (rows["mine"].version, rows["mine"].standing) == ("1.2.3", "unknown")
    assert (rows["aider"].version, rows["aider"].lacks) == ("", "")
    assert rows["opencode"].lacks == "opencode is not on PATH"
    assert "auto" not in rows


def test_a_program_sees_no_more_of_the_environment_than_it_must(tmp_path: Path) -> None:
    rows = rows_of(tmp_path, codex='test -z "$SECRET" && echo codex-cli 1.0.0; read x; echo "$x"')
    assert rows["codex"].version == "1.0.0"


@pytest.mark.parametrize(
    ("version", "found"),
    [("1.2.0", "known"), ("1.10.0", "newer"), ("1.1.9", "older"), ("", "unknown")],
)
def test_versions_are_numbers(version: str, found: str) -> None:
    assert standing(version, ("1.2.0", "1.9.9")) == found
    assert standing(version, ()) == "unknown"
