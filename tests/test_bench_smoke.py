"""Owns one run of the bench on what this machine has, tiny: its rows keep their shape."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

TOP = Path(__file__).resolve().parent.parent
RATE_KEYS = {"measure", "peer", "durable", "backlog", "per_s", "round"}
DRAIN_KEYS = RATE_KEYS | {"workers", "done", "doubles", "secs"}


@pytest.fixture(scope="module")
def answer(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("bench")
    raw, page = folder / "rows.json", folder / "page.md"
    argv = [sys.executable, str(TOP / "bench" / "queue.py"), "--quick", "--root", str(folder)]
    argv += ["--only", "renames,limit,mv,ours", "--measures", "drain,durable,killed,idle"]
    argv += ["--backlogs", "40", "--workers", "1,2", "--drops", "3", "--gap", "0.01"]
    argv += ["--cap", "0.5", "--json", str(raw), "--docs", str(page)]
    environ = {key: value for key, value in os.environ.items() if "SNAKEPIT" not in key}
    said = subprocess.run(argv, capture_output=True, text=True, timeout=100, env=environ)
    assert said.returncode == 0, said.stderr
    assert page.read_text().startswith("# Benchmarks")
    assert (TOP / "bench" / "kills.md").read_text().strip() in page.read_text()
    assert [path.name for path in folder.iterdir() if "snakepit-bench" in path.name] == []
    read: dict[str, Any] = json.loads(raw.read_text())
    return read


@pytest.mark.needs("gcc")
@pytest.mark.timeout(120)
def test_rows_have_their_shape(answer: dict[str, Any]) -> None:
    assert answer["format"] == 1
    assert answer["failures"] == []
    assert {"at", "commit", "cores", "filesystem", "python"} <= set(answer["machine"])
    drains = [row for row in answer["rows"] if row["measure"] == "drain" and "absent" not in row]
    assert {row["peer"] for row in drains} == {"renames", "limit", "mv", "ours"}
    for row in drains:
        assert set(row) >= DRAIN_KEYS, row
        assert row["per_s"] > 0, row


@pytest.mark.needs("gcc")
@pytest.mark.timeout(120)
def test_every_task_was_claimed_once(answer: dict[str, Any]) -> None:
    for row in answer["rows"]:
        if row["measure"] == "drain" and "absent" not in row:
            assert (row["done"], row["doubles"]) == (40, 0), row


@pytest.mark.needs("gcc")
@pytest.mark.timeout(120)
def test_drops_came_and_the_task_of_the_killed_came_back(answer: dict[str, Any]) -> None:
    idle = {row["peer"]: row for row in answer["rows"] if row["measure"] == "idle"}
    killed = {row["peer"]: row for row in answer["rows"] if row["measure"] == "killed"}
    assert idle["ours"]["n"] == idle["mv"]["n"] == 3
    assert killed["ours"]["after_s"] is not None
    assert killed["mv"]["after_s"] is None
