"""The table of events, its page, and that every event written in the package is in both."""

import ast
import importlib.util
from pathlib import Path

import pytest

from snakepit.core.events import COMMON, EVENTS, Event

ROOT = Path(__file__).resolve().parents[2]


def written_events() -> list[tuple[str, str, frozenset[str]]]:
    """(place, type, fields) of every call in the package that is given the type of an event."""
    found = []
    for path in sorted((ROOT / "snakepit").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            kind = event_type(node) if isinstance(node, ast.Call) else None
            if isinstance(node, ast.Call) and kind:
                fields = frozenset(word.arg for word in node.keywords if word.arg)
                place = f"{path.relative_to(ROOT)}:{node.lineno}"
                found.append((place, kind, fields - COMMON.keys()))
    return found


def event_type(call: ast.Call) -> str | None:
    """The event a call writes: the text given to `append`, or a known type given to any function."""
    is_append = isinstance(call.func, ast.Attribute) and call.func.attr == "append"
    for given in call.args:
        value = given.value if isinstance(given, ast.Constant) else None
        if isinstance(value, str) and (
            value in EVENTS or (is_append and value.split(".")[0] in FAMILIES)
        ):
            return value
    return None


FAMILIES = {name.split(".")[0] for name in EVENTS}


def test_every_event_written_in_the_package_is_in_the_table_with_its_fields() -> None:
    wrong = [
        f"{place}: {kind} {sorted(fields - EVENTS[kind].fields.keys() if kind in EVENTS else fields)}"
        for place, kind, fields in written_events()
        if kind not in EVENTS or fields - EVENTS[kind].fields.keys()
    ]
    assert wrong == []


def test_the_page_is_up_to_date() -> None:
    script = ROOT / "scripts" / "docs_events.py"
    spec = importlib.util.spec_from_file_location("docs_events", script)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    page = (ROOT / "docs" / "events.md").read_text(encoding="utf-8")
    assert page == module.document(), "run scripts/docs_events.py"


@pytest.mark.parametrize("name", EVENTS)
def test_a_type_is_documented_and_no_field_hides_a_common_one(name: str) -> None:
    event = EVENTS[name]
    assert event.doc.endswith(".")
    assert all(event.fields.values())
    assert not event.fields.keys() & COMMON.keys()


def test_an_event_survives_its_json() -> None:
    event = Event(
        seq=3,
        id="a",
        ts="t",
        type="task.claimed",
        task="x.md",
        worker="w",
        attempt=2,
        data={"k": 1},
    )
    assert Event.from_json(event.to_json()) == event
    assert list(event.to_json()) == ["seq", "id", "ts", "type", "task", "worker", "attempt", "k"]
    assert "task" not in Event(seq=1, id="a", ts="t", type="pool.up").to_json()


def test_json_of_another_version_still_reads() -> None:
    event = Event.from_json({"seq": "x", "task": 5, "attempt": "y", "new": [1]})
    assert event == Event(seq=None, id="", ts="", type="", task="5", data={"new": [1]})
