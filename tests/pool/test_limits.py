"""An account that was refused rests, for every process, until it is over; then one snake tries first."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.config.model import Agent
from snakepit.core.outcome import Outcome
from snakepit.core.usage import Usage
from snakepit.pool import limits
from snakepit.pool.canary import STAGGER_S, Account, remembered
from snakepit.pool.context import Pit, open_context
from snakepit.pool.limits import FALLBACK, STRUCTURED, TEXT, Rest, account_of
from tests.support.pits import make_config

CONFIG = """
[defaults]
tmux_socket = "snakepit-test-none"

[watchdog]
limit_probe_fallback = "5m"
limit_reset_slack = "45s"

[backend.thinker]
bin = "no-such-agent-cli"

[backend.thinker.account]
name = "Claude"
env = ["KEY"]
folder_env = ["HOME_OF_IT"]
folder = "~/.claude"

[[agent]]
name = "mind"
backend = "thinker"

[[agent]]
name = "opus"
backend = "thinker"
model = "claude-opus-5"

[[agent]]
name = "sonnet"
backend = "thinker"
model = "claude-sonnet-5"

[[agent]]
name = "cook"
backend = "script"
species = "script"
"""
NAME = "claude-000000"
START = 1_795_200_000.0
ENV = {"KEY": "secret-value-1", "HOME": "/home/x"}
LIMIT = "You've hit your 5-hour limit · resets 4:58am (UTC)"


class Hands:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def hands(monkeypatch: pytest.MonkeyPatch) -> Hands:
    made = Hands()
    monkeypatch.setattr(clock, "wall", made)
    return made


@pytest.fixture
def pit(tmp_path: Path, hands: Hands) -> Iterator[Pit]:
    opened = open_context(make_config(tmp_path, CONFIG))
    assert clock.wall() == hands.now
    yield opened
    opened.close()


def agent(pit: Pit, name: str) -> Agent:
    found = pit.config.agent(name)
    assert found is not None
    return found


def account(pit: Pit, name: str) -> Account:
    return Account(pit.config, agent(pit, name), ENV)


def limited(until: float | None = None, scope: str = "", kind: str = "limited") -> Outcome:
    return Outcome(kind=kind, reason=LIMIT, until=until, scope=scope)


def told(pit: Pit, kind: str) -> list[dict[str, object]]:
    lines = (pit.config.log_dir / "events.jsonl").read_text().splitlines()
    return [event for line in lines if (event := json.loads(line))["type"] == kind]


# --- whose it is


def test_an_account_is_known_by_what_identifies_it_and_by_no_value(pit: Pit) -> None:
    mind = agent(pit, "mind")
    name = account_of(pit.config, mind, ENV)
    assert name.startswith("claude-") and len(name) == len(NAME)
    assert account_of(pit.config, agent(pit, "opus"), ENV) == name
    assert account_of(pit.config, mind, {**ENV, "KEY": "secret-value-2"}) != name
    assert account_of(pit.config, mind, {**ENV, "HOME": "/home/y"}) != name
    moved = {**ENV, "HOME_OF_IT": "/srv/it"}
    assert account_of(pit.config, mind, moved) == account_of(
        pit.config, mind, {**moved, "HOME": "/home/y"}
    )
    assert account_of(pit.config, agent(pit, "cook"), ENV) == ""


def test_what_its_worker_found_counts_in_another_environment(pit: Pit) -> None:
    made = account(pit, "mind")
    assert remembered(pit.config, agent(pit, "mind")) == made.name
    assert remembered(pit.config, agent(pit, "cook")) == ""


# --- the record


def test_a_rest_is_one_file_that_every_process_reads(pit: Pit) -> None:
    made = limits.rest(pit, NAME, limited(START + 7200.0), by="mind")
    assert made is not None
    path = pit.config.log_dir / "state" / "limits" / f"{NAME}.json"
    assert limits.resting(pit.config, NAME) == made
    record = json.loads(path.read_text())
    assert record["until"] == START + 7245.0, "the slack is added to what was read"
    assert (record["source"], record["window"], record["by"]) == (TEXT, "5-hour", "mind")
    assert path.stat().st_mode & 0o777 == 0o600
    [event] = told(pit, "account.limited")
    assert event["account"] == NAME and event["by"] == "mind"
    assert event["detail"] == LIMIT


def test_without_a_time_it_rests_for_the_fallback(pit: Pit, hands: Hands) -> None:
    made = limits.rest(pit, NAME, limited())
    assert made is not None
    assert (made.until, made.source) == (START + 300.0, FALLBACK)
    hands.now += 300.0
    assert limits.resting(pit.config, NAME) is None
    again = limits.rest(pit, NAME, limited())
    assert again is not None
    assert (again.until, again.refused, again.since) == (START + 600.0, 2, START)


@pytest.mark.parametrize(
    ("first", "second", "wins"),
    [
        ((3600.0, TEXT), (7200.0, TEXT), 7200.0),
        ((7200.0, TEXT), (3600.0, TEXT), 7200.0),
        ((3600.0, STRUCTURED), (7200.0, TEXT), 3600.0),
        ((7200.0, TEXT), (3600.0, STRUCTURED), 3600.0),
        ((7200.0, STRUCTURED), (3600.0, STRUCTURED), 3600.0),
        ((60.0, TEXT), (None, TEXT), 60.0),
        ((None, TEXT), (60.0, TEXT), 60.0),
    ],
)
def test_who_knows_better_wins(
    pit: Pit,
    first: tuple[float | None, str],
    second: tuple[float | None, str],
    wins: float,
) -> None:
    for after, source in (first, second):
        until = None if after is None else START + after
        limits.rest(pit, NAME, limited(until), source=source)
    found = limits.resting(pit.config, NAME)
    assert found is not None
    assert found.until == START + wins + 45.0
    assert found.refused == 1


def test_a_guess_does_not_push_a_guess_away(pit: Pit, hands: Hands) -> None:
    limits.rest(pit, NAME, limited(kind="overloaded"))
    hands.now += 20.0
    limits.rest(pit, NAME, limited(kind="overloaded"))
    found = limits.resting(pit.config, NAME)
    assert found is not None and found.until == START + 300.0
    assert len(told(pit, "account.limited")) == 1


def test_a_person_wins_over_what_was_asked_before(pit: Pit, hands: Hands) -> None:
    limits.rest(pit, NAME, limited(START + 7200.0))
    hands.now += 10.0
    assert [rest.account for rest in limits.lift(pit, NAME)] == [NAME]
    assert limits.lift(pit, NAME) == []
    assert limits.resting(pit.config, NAME) is None
    hands.now += 10.0
    assert limits.rest(pit, NAME, limited(START + 7200.0), began=START + 5.0) is None
    assert limits.resting(pit.config, NAME) is None
    assert limits.rest(pit, NAME, limited(START + 7200.0), began=START + 15.0) is not None
    assert limits.resting(pit.config, NAME) is not None
    [event] = told(pit, "account.rested")
    assert event["reason"] == "lifted by hand"


def test_a_model_rests_alone(pit: Pit) -> None:
    limits.rest(pit, NAME, limited(START + 7200.0, scope="Opus"))
    assert (limits.limits_dir(pit.config) / f"{NAME}@opus.json").exists()
    assert limits.resting(pit.config, NAME, "claude-opus-5") is not None
    assert limits.resting(pit.config, NAME, "") is not None, "it may be opus"
    assert limits.resting(pit.config, NAME, "claude-sonnet-5") is None
    assert limits.resting(pit.config, "claude-111111", "claude-opus-5") is None
    limits.rest(pit, NAME, limited(START + 60.0))
    found = limits.resting(pit.config, NAME, "claude-sonnet-5")
    assert found is not None and found.scope == ""


@pytest.mark.parametrize("text", ["", "{", "[]", '{"until": "soon"}', '{"until": null}', "\0"])
def test_a_damaged_record_stops_nobody(pit: Pit, text: str) -> None:
    folder = limits.limits_dir(pit.config)
    folder.mkdir(parents=True)
    (folder / f"{NAME}.json").write_text(text)
    (folder / "@.json").write_text("{}")
    assert limits.records(pit.config) == []
    assert limits.rest(pit, NAME, limited()) is not None
    assert limits.resting(pit.config, NAME) is not None


# --- the gate


def test_nobody_pays_where_nothing_rests(pit: Pit, monkeypatch: pytest.MonkeyPatch) -> None:
    gate = account(pit, "mind")
    cook = account(pit, "cook")
    looked: list[object] = []
    really = os.stat

    def stat(path: "os.PathLike[str] | str") -> os.stat_result:
        looked.append(path)
        return really(path)

    with monkeypatch.context() as watched:
        watched.setattr(os, "stat", stat)
        watched.setattr(os, "listdir", lambda _: pytest.fail("the folder was listed"))
        assert gate.closed() == "" and cook.closed() == ""
    assert looked == [os.fspath(limits.limits_dir(pit.config))]


def test_the_files_are_read_again_only_after_a_change(pit: Pit, hands: Hands) -> None:
    limits.rest(pit, NAME, limited(START + 7200.0))
    folder = limits.limits_dir(pit.config)
    records = limits.Records(pit.config)
    hands.now = folder.stat().st_mtime + 0.05
    [first] = records.now()
    assert records.now()[0] is not first, "the folder may have changed in the same instant"
    hands.now += 1.0
    [second] = records.now()
    assert records.now()[0] is second
    limits.rest(pit, "other-000000", limited(START + 7200.0))
    assert len(records.now()) == 2


def test_every_snake_of_the_account_rests_and_no_other(pit: Pit, hands: Hands) -> None:
    mind, opus, cook = account(pit, "mind"), account(pit, "opus"), account(pit, "cook")
    began = hands.now
    hands.now += 1.0
    made = mind.ended(pit, limited(START + 7200.0), began=began)
    assert made is not None
    for gate in (mind, opus):
        assert "is at its 5-hour limit until" in gate.closed()
        assert mind.name.rpartition("-")[2] in gate.closed()
    assert cook.closed() == ""


def test_one_goes_first_and_the_rest_follow_when_it_was_answered(pit: Pit, hands: Hands) -> None:
    mind, opus, sonnet = (account(pit, name) for name in ("mind", "opus", "sonnet"))
    mind.ended(pit, limited(START + 3600.0), began=START)
    hands.now = START + 3644.0
    assert opus.closed().startswith("resting")
    hands.now = START + 3646.0
    assert opus.closed() == ""
    assert opus.closed() == "", "it still may"
    assert mind.closed() == sonnet.closed() != ""
    opus.stand_down()
    assert mind.closed() == "", "the other had no food"
    assert opus.closed() != ""
    began = hands.now
    hands.now += 5.0
    mind.ended(pit, Outcome(kind="ok"), began=began)
    assert opus.closed() == sonnet.closed() == ""
    assert limits.records(pit.config) == []
    assert [event["reason"] for event in told(pit, "account.rested")] == ["it answers again"]


def test_a_refused_canary_sends_all_back(pit: Pit, hands: Hands) -> None:
    mind, opus = account(pit, "mind"), account(pit, "opus")
    mind.ended(pit, limited(), began=START)
    hands.now = START + 301.0
    assert mind.closed() == ""
    hands.now += 2.0
    made = mind.ended(pit, limited(), began=hands.now - 1.0)
    assert made is not None and made.refused == 2
    assert mind.closed().startswith("resting") and opus.closed().startswith("resting")
    hands.now += 301.0
    assert opus.closed() == "", "the lock is free again"


@pytest.mark.parametrize("kind", ["interrupted", "timeout", "config"])
def test_a_run_without_an_answer_lets_the_next_try(pit: Pit, hands: Hands, kind: str) -> None:
    mind, opus = account(pit, "mind"), account(pit, "opus")
    mind.ended(pit, limited(), began=START)
    hands.now = START + 301.0
    assert mind.closed() == ""
    mind.ended(pit, Outcome(kind=kind), began=hands.now)
    assert len(limits.records(pit.config)) == 1
    assert opus.closed() == ""
    opus.ended(pit, Outcome(kind=kind, usage=Usage(output=3)), began=hands.now)
    assert limits.records(pit.config) == []


def test_who_works_long_was_not_refused(pit: Pit, hands: Hands) -> None:
    mind, opus = account(pit, "mind"), account(pit, "opus")
    mind.ended(pit, limited(), began=START)
    canary = limits.limits_dir(pit.config) / f".{mind.name}.canary"
    hands.now = START + 301.0
    assert mind.closed() == ""
    os.utime(canary, (hands.now, hands.now))
    hands.now += STAGGER_S - 1.0
    assert opus.closed() != ""
    hands.now += 2.0
    assert opus.closed() == ""


def test_after_a_lift_all_go_at_once(pit: Pit, hands: Hands) -> None:
    mind, opus = account(pit, "mind"), account(pit, "opus")
    mind.ended(pit, limited(START + 7200.0), began=START)
    assert mind.closed() != ""
    hands.now += 1.0
    limits.lift(pit, mind.name)
    assert mind.closed() == opus.closed() == ""


def test_the_longest_of_several_is_told() -> None:
    rests = [
        Rest(account=NAME, scope="", kind="limited", until=10.0, since=0.0),
        Rest(account=NAME, scope="opus", kind="limited", until=30.0, since=0.0),
        Rest(account="other-000000", scope="", kind="limited", until=90.0, since=0.0),
    ]
    found = limits.longest(rests, NAME, "claude-opus-5", lambda rest: not rest.is_over(5.0))
    assert found is rests[1]
    assert limits.longest(rests, NAME, "", lambda rest: not rest.is_over(40.0)) is None


@pytest.mark.parametrize("until", [1e30, float("inf"), -5.0])
def test_an_end_that_nobody_could_mean_is_a_guess(pit: Pit, hands: Hands, until: float) -> None:
    found = limits.rest(pit, NAME, limited(until), source=STRUCTURED)
    assert found is not None
    assert (found.until - hands.now, found.source) == (300.0, FALLBACK)


@pytest.mark.parametrize(
    "text",
    ["[" * 50_000, '{"until": 1e999}', '{"until": NaN}', '{"until": %s}' % ("9" * 400), "\xff"],
)
def test_a_damaged_record_rests_nobody(pit: Pit, text: str) -> None:
    folder = limits.limits_dir(pit.config)
    folder.mkdir(parents=True)
    (folder / f"{NAME}.json").write_text(text, encoding="latin-1")
    assert limits.records(pit.config) == []
    assert limits.resting(pit.config, NAME) is None
    assert limits.rest(pit, NAME, limited()) is not None
