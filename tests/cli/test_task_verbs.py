"""ls, show, retry, cancel, allow: where a task stands, and what a person decides about it."""

import os
import signal
import subprocess
import sys

from snakepit.system import process
from tests.cli.pits import Box
from tests.support.wait import wait_for


def test_ls_lists_every_state_in_order(box: Box) -> None:
    for name in ("one", "two", "three", "four"):
        box.fed(name, name)
    with box.living() as (snake, _):
        snake.ok("claim", "one")
        snake.ok("done", "-m", "1", "--task", "one")
        snake.ok("claim", "two")
        box.ok("cancel", "three")
        tasks = box.json("ls")["tasks"]
    assert isinstance(tasks, list)
    places = [(task["state"], task["name"], task["worker"]) for task in tasks]
    assert places == [
        ("food", "four.md", None),
        ("claimed", "two.md", "snake-1"),
        ("done", "one.md", None),
        ("scraps", "three.md", None),
    ]


def test_ls_of_one_state_in_a_pipe_is_tab_separated(box: Box) -> None:
    box.fed("x", "one")
    (line,) = box.ok("ls", "food").splitlines()
    assert line.split("\t")[:3] == ["food", "one.md", "-"]
    assert box.ok("ls", "done") == ""


def test_show_tells_how_it_was_read(box: Box) -> None:
    box.ok(
        "feed", "-", "--name", "t", stdin="---\npriority: 1\nneeds: [a]\ntimeout: 90s\n---\n# T\n"
    )
    said = box.ok("show", "t")
    assert "read as: for a worker snake, priority 1, needs a.md, timeout 1m30s" in said
    assert "waits: needs a.md" in said
    assert "task.queued" in said


def test_show_finds_by_the_beginning_of_a_name(box: Box) -> None:
    box.ok("feed", "-m", "# First meal")
    assert box.ok("show", "first").startswith("first-meal-")
    box.ok("feed", "-m", "# First meal")
    result = box.run("show", "first")
    assert result.exit_code == 1
    assert "begins the names of 2 tasks" in result.stderr


def test_an_exact_name_elsewhere_is_never_a_prefix(box: Box) -> None:
    box.fed("x", "one")
    box.ok("cancel", "one")
    box.fed("x", "one-more")
    refused = box.run("cancel", "one")
    assert refused.exit_code == 1
    assert "one is not in food/ or claimed/ but in scraps/" in refused.stderr
    assert box.names("food") == ["one-more.md"]


def test_a_prefix_counts_over_every_state(box: Box) -> None:
    box.fed("x", "first-a")
    box.ok("cancel", "first-a")
    refused = box.run("cancel", "first")
    assert "first is not in food/ or claimed/ but first-a.md is in scraps/" in refused.stderr
    box.fed("x", "first-b")
    refused = box.run("cancel", "first")
    assert "begins the names of 2 tasks" in refused.stderr
    assert "first-a (scraps/)" in refused.stderr
    assert box.names("food") == ["first-b.md"]


def test_show_counts_the_run_it_is_in(box: Box) -> None:
    box.fed("x", "one")
    assert "attempts: 0 of 3" in box.ok("show", "one")
    with box.living() as (snake, _):
        snake.ok("claim")
        assert "run 1 of 3" in box.ok("show", "one")
        snake.ok("done", "-m", "yes")
    assert "run 1 of 3" in box.ok("show", "one")


def test_show_prints_the_result(box: Box) -> None:
    box.fed("x", "one")
    with box.living() as (snake, _):
        snake.ok("claim")
        snake.ok("done", "-m", "the\nanswer")
    shown = box.json("show", "one")
    assert (shown["state"], shown["result"]) == ("done", "the\nanswer")


def test_show_tells_each_attempt(box: Box) -> None:
    box.fed("x", "one")
    with box.living() as (snake, _):
        snake.ok("claim")
        snake.ok("fail", "-m", "no luck")
    shown = box.json("show", "one")
    assert shown["attempt"] == 1
    attempts = shown["attempts"]
    assert isinstance(attempts, list)
    assert attempts[0]["n"] == "1"
    assert "no luck" in attempts[0]["text"]
    (line,) = [line for line in box.ok("show", "one").splitlines() if line.startswith("attempt 1")]
    assert line.startswith("attempt 1: snake-1, 2")
    assert line.endswith("Z: no luck")


def test_show_says_what_is_wrong_with_a_file(box: Box) -> None:
    box.fed("x", "one")
    (box.pit / "food" / "bad.md").write_text("---\npriority: [\n---\n")
    said = box.ok("show", "bad")
    assert "wrong: " in said


def test_show_of_an_empty_file_and_of_a_link(box: Box) -> None:
    box.fed("x", "one")
    (box.pit / "food" / "empty.md").touch()
    (box.pit / "food" / "link.md").symlink_to("/etc/hostname")
    assert "waits: it is empty" in box.ok("show", "empty")
    assert "1 waits: it is empty" in box.ok("status")
    refused = box.run("show", "link.md")
    assert refused.exit_code == 1
    assert "no regular file" in refused.stderr


def test_show_of_scraps_prints_a_reason_of_several_lines(box: Box) -> None:
    box.fed("x", "one")
    box.ok("cancel", "one", "-m", "first\nsecond")
    assert "  reason: first\n    second\n" in box.ok("show", "one")


def test_show_of_nothing_says_so(box: Box) -> None:
    result = box.run("show", "ghost")
    assert result.exit_code == 1
    assert "snakepit ls" in result.stderr


def test_show_takes_a_path_as_a_name(box: Box) -> None:
    box.fed("x", "one")
    assert box.ok("show", str(box.pit / "food" / "one.md")).startswith("one.md: food")


def test_cancel_and_retry_of_waiting_food(box: Box) -> None:
    box.fed("x", "one")
    assert box.json("cancel", "one", "-m", "changed my mind") == {
        "name": "one.md",
        "state": "scraps",
    }
    assert box.json("show", "one")["reason"] == "changed my mind"
    assert box.json("retry", "one") == {"name": "one.md", "state": "food"}
    shown = box.json("show", "one")
    assert (shown["state"], shown["attempt"], shown["reason"]) == ("food", 0, None)
    kinds = [line.split("  ")[2] for line in box.ok("events", "--task", "one").splitlines()]
    assert kinds == ["task.queued", "task.cancelled", "task.retried"]


def test_a_cancel_from_inside_names_the_snake(box: Box) -> None:
    box.fed("x", "one")
    box.fed("x", "two")
    with box.living() as (snake, _):
        snake.ok("cancel", "one", "-m", "not needed")
    box.ok("cancel", "two")
    assert box.json("show", "one")["reason"] == "not needed (by snake-1)"
    assert box.json("show", "two")["reason"] == "cancelled"
    events = box.json("events", "--type", "task.cancelled")["events"]
    assert isinstance(events, list)
    assert [event["by"] for event in events] == ["snake-1", "person"]


def test_retry_of_a_note_is_refused(box: Box) -> None:
    box.fed("x", "one")
    (box.pit / "scraps" / "link.md").write_text("---\nrefused: true\n---\n# Refused: link.md\n")
    assert box.run("retry", "link").exit_code == 1
    assert "Refused: link.md" in str(box.json("show", "link")["reason"])


def test_cancel_of_several(box: Box) -> None:
    box.fed("x", "one")
    box.fed("x", "two")
    assert box.json("cancel", "one", "two")["names"] == ["one.md", "two.md"]


def test_retry_of_food_says_where_it_is(box: Box) -> None:
    box.fed("x", "one")
    result = box.run("retry", "one")
    assert result.exit_code == 1
    assert "not in scraps/ but in food/" in result.stderr


def test_cancel_of_a_claimed_task_takes_the_claim_and_ends_its_run(box: Box) -> None:
    box.fed("x", "one")
    with box.living() as (snake, life):
        snake.ok("claim")
        marks = {"SNAKEPIT_GENERATION": life.generation, "SNAKEPIT_TASK": "one.md"}
        run = subprocess.Popen(
            [sys.executable, "-c", "import signal; signal.pause()"],
            env={**os.environ, **marks},
        )
        try:
            wait_for(lambda: process.pids_with_mark("SNAKEPIT_TASK", "one.md"), what="the run")
            box.ok("cancel", "one", "-m", "enough")
            assert run.wait(timeout=10) == -signal.SIGKILL
        finally:
            run.kill()
            run.wait()
        late = snake.run("done", "-m", "too late", "--task", "one")
    assert late.exit_code == 6
    shown = box.json("show", "one")
    assert (shown["state"], shown["reason"], shown["attempt"]) == ("scraps", "enough", 0)


def test_cancel_of_a_task_held_by_a_person_is_refused(box: Box) -> None:
    box.fed("x", "one")
    mine = box.pit / "claimed" / "me"
    mine.mkdir()
    (box.pit / "food" / "one.md").rename(mine / "one.md")
    result = box.run("cancel", "one")
    assert result.exit_code == 1
    assert (mine / "one.md").exists()


def test_allow_is_refused_from_inside(box: Box) -> None:
    with box.living() as (snake, _):
        snake.ok("feed", "-", "--name", "code", stdin="```bash run\necho hi\n```\n")
        refused = snake.run("allow", "code")
        assert refused.exit_code == 2
        assert "--from-inside" in refused.stderr
        assert "agents.py allow" in str(box.json("show", "code")["waits_for"])
    box.ok("allow", "code")
    assert "agents.py allow" not in str(box.json("show", "code")["waits_for"])
