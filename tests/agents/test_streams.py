"""Proves that what real programs printed is read as what happened: tests/agents/streams/PROGRAM/CASE.

Recorded by streams/record.py and, where the recorder does not reach, by hand; the servers were stand-ins.
"""

import json
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from snakepit.config.model import Backend
from snakepit.core.outcome import Outcome
from snakepit.core.stream import Reader, fold
from tests.support.backends import built_in

FOLDER = Path(__file__).parent / "streams"
NOW = 1_795_227_234.0
CASES = sorted(
    f"{path.parent.name}/{path.name.removesuffix('.exit.json')}"
    for path in FOLDER.glob("*/*.exit.json")
)
KIND = {
    "ok": "ok",
    "tool": "ok",
    "401": "auth",
    "403": "auth",
    "nokey": "auth",
    "404": "config",
    "no_sandbox_root": "config",
    "429": "limited",
    "429_5h": "limited",
    "429_7d": "limited",
    "429_7d_opus": "limited",
    "usage": "limited",
    "quota": "billing",
    "credit": "billing",
    "budget": "failed",
    "500": "overloaded",
    "529": "overloaded",
    "context": "context_full",
    "thinking": "poisoned",
}
OTHERWISE = {
    "aider/429": "interrupted",  # it was ended before it said anything
    "aider/quota": "limited",  # its library calls both the same
    "gemini/quota": "limited",  # a quota of a day
    **{f"qwen/{case}": "interrupted" for case in ("429", "500", "529", "quota", "usage")},  # silent
}


def read(case: str) -> tuple[Backend, Reader, Outcome]:
    program, name = case.split("/")
    backend = built_in(program)
    assert backend.task is not None
    reader = fold(backend.task.stream, form=backend.task.format)
    suffix = "txt" if backend.task.format == "text" else "jsonl"
    for line in (FOLDER / program / f"{name}.{suffix}").read_bytes().splitlines(keepends=True):
        reader.feed(line)
    ending = json.loads((FOLDER / program / f"{name}.exit.json").read_text())
    status = ending["exit_status"]
    outcome = reader.outcome(
        -15 if status is None else status,
        ending["stderr"],
        trouble=backend.trouble,
        now=NOW,
        zone_of=lambda name: ZoneInfo(name or "UTC"),
    )
    return backend, reader, outcome


@pytest.mark.parametrize("case", CASES)
def test_what_a_program_printed_is_what_happened(case: str) -> None:
    backend, _, found = read(case)
    assert found.kind == OTHERWISE.get(case) or found.kind == KIND[case.split("/")[1]]
    assert (found.reason == "") == found.is_ok
    if found.is_ok:
        assert found.text
        assert found.usage.output > 0 or "its premium requests" in backend.unverified


@pytest.mark.parametrize("case", [case for case in CASES if not case.startswith("aider/")])
def test_a_conversation_is_known_by_its_id(case: str) -> None:
    _, reader, found = read(case)
    assert found.session_id or not reader.fields


def test_flags_of_the_backend_are_those_of_a_run() -> None:
    task = built_in("claude", "flags = \"--permission-mode 'a b'\"\n").task
    assert task is not None
    assert task.argv[-3:] == ("--verbose", "--permission-mode", "a b")


def test_a_cost_is_unknown_where_nobody_told_one() -> None:
    assert read("codex/ok")[2].usage.cost_usd is None
    assert read("opencode/ok")[2].usage.cost_usd is None
    assert read("claude/ok")[2].usage.cost_usd == pytest.approx(0.01128)


def test_a_limit_of_one_model_is_that_models() -> None:
    found = read("claude/429_7d_opus")[2]
    assert found.scope == "opus"
    assert found.until is not None
    assert read("claude/429_7d")[2].scope == ""


def test_who_looks_on_sees_what_is_called() -> None:
    task = built_in("claude").task
    assert task is not None
    reader = fold(task.stream)
    lines = (FOLDER / "claude" / "tool.jsonl").read_bytes().splitlines()
    shown = [text for line in lines for text in reader.feed(line)]
    assert shown[1].startswith('> Bash {"command": "mv pit/food/x.md')
    assert shown[-1] == "OK, done. Nothing else to do."
