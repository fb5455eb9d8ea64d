"""An account's rest in plain words: status, limits, ls, show, and the verbs that claim."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.core.outcome import Outcome
from snakepit.core.view import plain_lines
from snakepit.pool import crew, limits, status
from snakepit.pool.limits import account_of
from snakepit.pool.told import local_time
from snakepit.session.base import Pane
from tests.cli.pits import Box, make_box

FLEET = """
[defaults]
tmux_socket = "snakepit-test-nobody"

[pit]
settle = "0s"

[[pool]]
name = "mind"
count = 2
backend = "thinker"

[[agent]]
name = "cook"
backend = "script"
species = "script"

[backend.thinker]
bin = "cat"

[backend.thinker.account]
name = "thinker"
folder = "/srv/thinker"
"""
LIMIT = "You've hit your 5-hour limit · resets 4:58am (UTC)"


@pytest.fixture
def box(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Box]:
    monkeypatch.setenv("TZ", "UTC")
    clock.zone.cache_clear()
    panes = {
        f"snakepit-{name}": Pane(session=f"snakepit-{name}", pane_id="%1", pid=1, dead=False)
        for name in ("mind-1", "mind-2", "cook")
    }
    monkeypatch.setattr(crew, "_panes", lambda _: (panes, ()))
    made = make_box(tmp_path, FLEET)
    for name in ("think", "ponder"):
        made.ok("feed", "-m", "why?", "--name", name)
    made.ok("feed", "-m", "x", "--name", "stir", "--species", "script")
    yield made
    clock.zone.cache_clear()


def refused(box: Box, outcome: Outcome) -> str:
    """One snake was refused; the account's name."""
    with box.opened() as pit:
        mind = pit.config.member_of("mind-1")
        assert mind is not None
        account = account_of(pit.config, mind)
        limits.rest(pit, account, outcome, by="mind-1")
    return account


def limited(after: float = 7800.0) -> Outcome:
    return Outcome(kind="limited", reason=LIMIT, until=clock.wall() + after - 45.0)


def test_status_says_who_rests_how_long_and_what_waits(box: Box) -> None:
    account = refused(box, limited())
    with box.opened() as pit:
        view = status.view(pit.config)
    by_name = {worker.name: worker for worker in view.workers}
    assert by_name["mind-1"].state == by_name["mind-2"].state == "resting"
    assert by_name["cook"].state != "resting"
    [limit] = view.limits
    assert (limit.account, limit.workers, limit.waiting) == (account, ("mind-1", "mind-2"), 2)
    assert limit.detail == LIMIT
    mark = account.rpartition("-")[2]
    [line] = [line for line in plain_lines(view) if line.startswith("thinker account")]
    assert line.startswith(f"thinker account {mark} is at its 5-hour limit until ")
    assert line.endswith("; 2 snakes rest, 2 tasks wait")
    assert "(in 2h09m)" in line or "(in 2h10m)" in line
    told = box.json("status")["limits"]
    assert isinstance(told, list)
    assert told[0]["account"] == account


def test_a_task_says_why_it_waits(box: Box) -> None:
    assert "limit" not in box.ok("ls")
    refused(box, limited())
    lines = {line.split()[1]: line for line in box.ok("ls").splitlines() if ".md" in line}
    assert "is at its 5-hour limit until" in lines["think.md"]
    assert "limit" not in lines["stir.md"]
    assert "is at its 5-hour limit until" in box.ok("show", "think")


def test_a_verb_claims_nothing_for_a_snake_that_rests(box: Box) -> None:
    account = refused(box, limited())
    with box.living("mind-1") as (snake, _):
        result = snake.run("claim")
        assert result.exit_code == 5
        assert "is at its 5-hour limit" in result.output
        assert snake.run("wait", "--seconds", "0").exit_code == 5
        box.ok("limits", "--lift", account)
        assert snake.run("wait", "--seconds", "5").exit_code == 0
        snake.ok("claim")


def test_limits_lists_and_lifts(box: Box) -> None:
    assert "no account rests" in box.ok("limits")
    assert box.run("limits", "--lift", "thinker").exit_code == 1
    account = refused(box, limited())
    text = box.ok("limits")
    assert f"--lift {account}" in text
    assert LIMIT in text
    assert "resting: mind-1, mind-2" in text
    with box.living("mind-1") as (snake, _):
        inside = snake.run("limits", "--lift", account)
        assert inside.exit_code != 0, "a rest is a person's to lift"
    assert box.json("limits", "--lift", "think")["lifted"] == [{"account": account, "scope": ""}]
    assert box.json("limits")["limits"] == []
    assert box.json("status")["limits"] == []


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        ("overloaded", "is overloaded and is tried again at"),
        ("auth", "is not signed in and is tried again at"),
        ("billing", "has no credit and is tried again at"),
        ("limited", "is at its limit and is tried again at"),
    ],
)
def test_each_kind_has_its_words(box: Box, kind: str, words: str) -> None:
    refused(box, Outcome(kind=kind, reason="no"))
    assert words in box.ok("limits")


def test_who_lifts_names_one_account(box: Box) -> None:
    with box.opened() as pit:
        for name in ("thinker-aaaaaa", "thinker-bbbbbb"):
            limits.rest(pit, name, limited())
    result = box.run("limits", "--lift", "thinker")
    assert result.exit_code == 1
    assert "thinker-aaaaaa, thinker-bbbbbb" in result.output
    assert box.json("limits", "--lift", "bbbbbb")["lifted"] == [
        {"account": "thinker-bbbbbb", "scope": ""}
    ]


def test_the_day_is_told_where_it_is_another(box: Box) -> None:
    now = 1_795_200_000.0
    assert local_time(now + 60.0, now) == "18:41"
    assert local_time(now + 3 * 86400.0, now) == "Mon 23 Nov 18:40"
