"""What runs used: in the events, in the result, summed up per task by show and for the pit by status."""

import json
from pathlib import Path

import pytest

from snakepit.core.usage import Usage
from snakepit.pool import settle, spending
from snakepit.pool.claim import claim_named
from tests.cli.pits import Box, make_box

KNOWN = Usage(input=1000, output=200, cost_usd=0.25, model="a")
UNKNOWN = Usage(input=10, model="b")


@pytest.fixture
def box(tmp_path: Path) -> Box:
    made = make_box(tmp_path)
    made.ok("feed", "-m", "x", "--name", "meal")
    return made


def told(box: Box, kind: str) -> dict[str, object]:
    events = box.json("events", "--type", kind)["events"]
    assert isinstance(events, list)
    found = events[-1]
    assert isinstance(found, dict)
    return found


def test_every_end_of_a_run_tells_what_it_used(box: Box) -> None:
    with box.living() as (_, life), box.opened() as pit:
        settle.release(pit, life, claim_named(pit, life, "meal.md"), usage=KNOWN)
        assert told(box, "task.released")["usage"] == KNOWN.to_json()
        settle.fail(pit, life, claim_named(pit, life, "meal.md"), "no", usage=KNOWN)
        assert told(box, "task.failed")["usage"] == KNOWN.to_json()
        settle.complete(pit, life, claim_named(pit, life, "meal.md"), "eaten", usage=KNOWN)
        assert told(box, "task.completed")["usage"] == KNOWN.to_json()
    text = (box.pit / "done" / "meal.md").read_text()
    assert text.endswith("eaten\n\n*1.2k tokens, $0.25*\n")
    shown = box.json("show", "meal")
    assert shown["usage"] == {**KNOWN.to_json(), "input": 3000, "output": 600, "cost_usd": 0.75}
    assert "used: 3.6k tokens, $0.75" in box.ok("show", "meal")
    status = box.json("status")["usage"]
    assert isinstance(status, dict)
    assert status["total"]["cost_usd"] == 0.75
    assert "used: 3.6k tokens, $0.75 since 20" in box.ok("status")


def test_a_run_that_settled_itself_tells_too(box: Box) -> None:
    with box.living() as (_, life), box.opened() as pit:
        claim = claim_named(pit, life, "meal.md")
        settle.complete(pit, life, claim, "eaten")
        settle.used(pit, claim, KNOWN)
        settle.used(pit, claim, Usage())
    assert told(box, "task.used")["usage"] == KNOWN.to_json()
    shown = box.json("show", "meal")
    assert (shown["state"], shown["usage"]) == ("done", KNOWN.to_json())
    box.ok("fsck")


def test_where_no_model_ran_nothing_is_told(box: Box) -> None:
    with box.living() as (_, life), box.opened() as pit:
        settle.complete(pit, life, claim_named(pit, life, "meal.md"), "eaten")
        assert not spending.spending_path(pit.config).exists()
    assert "usage" not in told(box, "task.completed")
    assert "tokens" not in (box.pit / "done" / "meal.md").read_text()
    assert box.json("show", "meal")["usage"] is None
    assert "used" not in box.ok("status")


def test_one_unknown_price_makes_the_sum_unknown(box: Box) -> None:
    with box.opened() as pit:
        for usage in (KNOWN, UNKNOWN, KNOWN):
            spending.count(pit.config, usage)
        assert spending.spent(pit.config) == {"a": KNOWN + KNOWN, "b": UNKNOWN}
        found = spending.spending_json(pit.config)
        assert found["total"] == {**(KNOWN + UNKNOWN + KNOWN).to_json(), "cost_usd": None}
    assert "used: 2.4k tokens, cost unknown since 20" in box.ok("status")


@pytest.mark.parametrize("damage", ["", "{", '{"models": 3}', '{"models": {"a": 3}}'])
def test_a_damaged_sum_is_begun_anew(box: Box, damage: str) -> None:
    with box.opened() as pit:
        spending.spending_path(pit.config).write_text(damage)
        spending.count(pit.config, KNOWN)
        record = json.loads(spending.spending_path(pit.config).read_text())
    assert record["models"] == {"a": KNOWN.to_json()}
    assert record["since"]
