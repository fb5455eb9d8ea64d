"""status, events, doctor, fsck: they look, and only `fsck --fix` changes anything."""

import json
import os
import signal

import pytest

from snakepit.core.lifecycle import State
from tests.cli.pits import Box
from tests.support.wait import wait_for


def test_status_of_a_pit_that_was_never_started_makes_nothing(box: Box) -> None:
    before = sorted(os.listdir(box.root))
    seen = box.json("status")
    assert sorted(os.listdir(box.root)) == before
    assert seen["daemon"] == "not running"
    assert seen["counts"] == {"food": 0, "claimed": 0, "done": 0, "scraps": 0}


def test_status_says_who_is_there_and_what_is_held(box: Box) -> None:
    box.fed("x", "one")
    with box.living() as (snake, _):
        snake.ok("claim")
        said = box.ok("status")
    assert "tasks  food 0  claimed 1  done 0  scraps 0" in said
    assert "snake snake-1  working  one.md" in said
    assert "snake snake-2  no model  no-such-agent-cli is not on PATH" in said
    assert "snake chef  stopped" in said


def test_status_says_in_plain_words_why_food_waits(box: Box) -> None:
    box.fed("think", "one")
    box.fed("think", "two")
    box.fed("```bash run\necho hi\n```", "code")
    said = box.ok("status")
    assert (
        "2 wait for a snake that can think: no-such-agent-cli is not on PATH; "
        f"see `snakepit doctor --config {box.root / 'agents.toml'}`" in said
    )
    assert "1 waits: the pool is not running; `snakepit up --config" in said


def test_status_follow_draws_again_when_something_happens(box: Box) -> None:
    box.fed("x", "one")
    with box.start("status", "--follow", "--json") as following:
        assert following.stdout is not None
        first = json.loads(following.stdout.readline())
        box.fed("x", "two")
        second = json.loads(following.stdout.readline())
        following.send_signal(signal.SIGINT)
        assert following.wait(timeout=20) == 130
    assert (first["counts"]["food"], second["counts"]["food"]) == (1, 2)


def test_events_since_and_by_type(box: Box) -> None:
    for name in ("one", "two", "three"):
        box.fed("x", name)
    box.ok("cancel", "two")
    events = box.json("events", "--since", "2")["events"]
    assert isinstance(events, list)
    assert [(event["seq"], event["type"]) for event in events] == [
        (3, "task.queued"),
        (4, "task.cancelled"),
    ]
    assert len(box.ok("events", "--type", "task.").splitlines()) == 4
    assert box.ok("events", "--type", "task.cancelled", "--task", "two").split()[2:4] == [
        "task.cancelled",
        "two.md",
    ]
    assert len(box.ok("events", "-n", "1").splitlines()) == 1


def test_events_refuses_a_type_that_never_comes(box: Box) -> None:
    result = box.run("events", "--type", "task.eaten")
    assert result.exit_code == 2
    assert "docs/events.md" in result.stderr


def test_events_follow_prints_what_comes(box: Box) -> None:
    box.fed("x", "one")
    with box.start("events", "-f", "--json") as following:
        assert following.stdout is not None
        assert json.loads(following.stdout.readline())["task"] == "one.md"
        box.fed("x", "two")
        assert json.loads(following.stdout.readline())["task"] == "two.md"


def test_doctor_names_each_precondition_with_a_fix(box: Box) -> None:
    answer = json.loads(box.run("doctor", "--json").stdout)
    checks = {finding["check"] for finding in answer["findings"]}
    assert {"python", "tmux", "pit", "disk", "linger", "backend thinker"} <= checks
    for finding in answer["findings"]:
        assert finding["level"] == "ok" or finding["fix"], finding


def test_doctor_looks_at_the_machine_where_the_config_is_bad(box: Box) -> None:
    (box.root / "agents.toml").write_text("nonsense = ")
    result = box.run("doctor")
    assert result.exit_code == 4
    assert "problem  agents.toml" in result.stdout
    assert "python: Python" in result.stdout


def test_fsck_of_a_good_pit(box: Box) -> None:
    box.fed("x", "one")
    assert box.json("fsck") == {"ok": True, "violations": [], "recovered": []}


def test_fsck_finds_a_dead_claim_and_fix_gives_it_back(box: Box) -> None:
    box.fed("x", "one")
    with box.living() as (snake, _):
        snake.ok("claim")
    result = box.run("fsck", "--json")
    assert result.exit_code == 1
    (violation,) = json.loads(result.stdout)["violations"]
    assert violation["rule"] == "no orphan claim"
    fixed = box.json("fsck", "--fix")
    assert fixed["ok"] is True
    recovered = fixed["recovered"]
    assert isinstance(recovered, list)
    assert [item["name"] for item in recovered] == ["one.md"]
    assert box.names("food") == ["one.md"]
    assert box.json("show", "one")["attempt"] == 1


def test_fsck_fix_is_refused_from_inside(box: Box) -> None:
    with box.living() as (snake, _):
        assert snake.run("fsck", "--fix").exit_code == 2
        assert snake.run("fsck", "--fix", "--from-inside").exit_code == 0
        assert snake.run("fsck").exit_code == 0


def test_a_snake_of_another_pit_is_a_person_here(
    box: Box, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = {"SNAKEPIT_WORKER": "far", "SNAKEPIT_PIT": str(tmp_path_factory.mktemp("far"))}
    stranger = Box(root=box.root, identity=other)
    stranger.fed("x", "one")
    assert stranger.run("fsck", "--fix").exit_code == 0
    with box.opened() as pit:
        (entry,) = pit.store.entries(State.QUEUED)
        assert b"by:" not in pit.store.read(entry)


def test_completion_of_a_verb_needs_no_pit(box: Box) -> None:
    (box.root / "agents.toml").unlink()
    assert "complete" in box.ok("completion", "bash")
    wait_for(lambda: not (box.root / "pit").exists(), what="nothing made")
