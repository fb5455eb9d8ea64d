"""Agents' verbs act for one life of one snake; the wrong owner, an old life or a second time is exit 6."""

import json
import os
from pathlib import Path

import pytest

from snakepit.cli.parts import read_parts
from snakepit.errors import UsageProblem
from tests.cli.pits import Box

LOST = 6
NOTHING = 5
USAGE = 2


def test_claim_prints_where_it_is_and_its_text(box: Box) -> None:
    box.fed("count the stars", "stars")
    with box.living() as (snake, _):
        claimed = snake.json("claim")
    assert claimed["name"] == "stars.md"
    assert claimed["attempt"] == 1
    assert "count the stars" in str(claimed["text"])
    assert Path(str(claimed["path"])) == box.pit / "claimed" / "snake-1" / "stars.md"


def test_claim_again_gives_the_same_until_it_is_settled(box: Box) -> None:
    box.fed("one", "one")
    box.fed("two", "two")
    with box.living() as (snake, _):
        first = snake.json("claim")
        second = snake.json("claim")
        more = snake.json("claim", "--more")
    assert (second["name"], second["again"]) == (first["name"], True)
    assert more["name"] != first["name"]


def test_claim_of_nothing_is_exit_5(box: Box) -> None:
    with box.living() as (snake, _):
        assert snake.run("claim").exit_code == NOTHING


def test_claim_while_paused_is_exit_5(box: Box) -> None:
    box.fed("one", "one")
    with box.living() as (snake, _):
        box.ok("pause", "snake-1")
        assert snake.run("claim").exit_code == NOTHING
        assert snake.run("wait", "--seconds", "0.1").exit_code == NOTHING
        box.ok("resume", "snake-1")
        snake.ok("wait", "--seconds", "0.1")
        with box.opened() as pit:
            pit.store.set_paused(True)
        assert snake.run("claim").exit_code == NOTHING
    assert box.names("food") == ["one.md"]


def test_a_snake_that_thinks_cannot_claim_code_to_run(box: Box) -> None:
    box.fed("```bash run\necho hi\n```", "code")
    with box.living() as (snake, _):
        result = snake.run("claim", "code")
    assert result.exit_code == USAGE
    assert "script snake" in result.stderr
    assert box.names("food") == ["code.md"]


def test_done_writes_the_result_and_is_told_once(box: Box) -> None:
    box.fed("one", "one")
    with box.living() as (snake, _):
        snake.ok("claim")
        told = snake.json("done", "-m", "forty-two")
        again = snake.run("done", "-m", "forty-three", "--task", "one")
    assert told == {
        "name": "one.md",
        "state": "done",
        "path": str(box.pit / "done" / "one.md"),
    }
    assert again.exit_code == LOST
    text = (box.pit / "done" / "one.md").read_text()
    assert "forty-two" in text
    assert "forty-three" not in text
    completed = box.json("events", "--type", "task.completed")["events"]
    assert isinstance(completed, list)
    assert len(completed) == 1


def test_done_by_another_snake_is_exit_6(box: Box) -> None:
    box.fed("one", "one")
    with box.living("snake-1") as (snake, _), box.living("snake-2") as (other, _):
        snake.ok("claim")
        result = other.run("done", "-m", "mine", "--task", "one")
    assert result.exit_code == LOST
    assert "snake-2 does not hold one.md" in result.stderr
    assert box.names("done") == []


def test_done_of_another_life_is_exit_6(box: Box) -> None:
    box.fed("one", "one")
    with box.living() as (old, _):
        old.ok("claim")
    with box.living() as (_, life):
        result = old.run("done", "-m", "late", "--task", "one")
        assert life.generation not in result.output
    assert result.exit_code == LOST
    assert box.names("done") == []


def test_done_takes_a_file_and_stdin(box: Box) -> None:
    box.fed("one", "one")
    box.fed("two", "two")
    answer = box.root / "answer.txt"
    answer.write_text("from a file")
    with box.living() as (snake, _):
        snake.ok("claim", "one")
        snake.ok("done", str(answer))
        snake.ok("claim", "two")
        snake.ok("done", stdin="from stdin")
    assert "from a file" in (box.pit / "done" / "one.md").read_text()
    assert "from stdin" in (box.pit / "done" / "two.md").read_text()


def test_done_keeps_a_copy_of_files(box: Box) -> None:
    box.fed("one", "one")
    made = box.root / "made"
    made.mkdir()
    (made / "plot.svg").write_text("<svg/>")
    with box.living() as (snake, _):
        snake.ok("claim")
        snake.ok("done", "-m", "see plot", "--keep", str(made))
    assert (box.pit / "done" / "one" / "plot.svg").read_text() == "<svg/>"
    assert (made / "plot.svg").exists()


def test_done_keeps_no_link_and_no_special_file(box: Box) -> None:
    box.fed("one", "one")
    made = box.root / "made"
    (made / "deep").mkdir(parents=True)
    (made / "plot.svg").write_text("<svg/>")
    (made / "deep" / "away").symlink_to("/etc/passwd")
    os.mkfifo(made / "pipe")
    with box.living() as (snake, _):
        snake.ok("claim")
        snake.ok("done", "-m", "see plot", "--keep", str(made))
    kept = box.pit / "done" / "one"
    assert sorted(path.name for path in kept.rglob("*")) == ["deep", "plot.svg"]
    assert "pipe (a FIFO), deep/away (a link)" in (box.pit / "done" / "one.md").read_text()


def test_fail_counts_and_after_the_last_attempt_is_dead(box: Box) -> None:
    box.ok("feed", "-", "--name", "hard", stdin="---\nattempts: 1\n---\nhard\n")
    with box.living() as (snake, _):
        snake.ok("claim")
        told = snake.json("fail", "-m", "cannot reach the moon")
    assert told["state"] == "scraps"
    assert "cannot reach the moon" in (box.pit / "scraps" / "hard.md").read_text()


def test_release_gives_it_back_uncounted(box: Box) -> None:
    box.fed("one", "one")
    before = (box.pit / "food" / "one.md").read_bytes()
    with box.living() as (snake, _):
        snake.ok("claim")
        assert snake.json("release", "-m", "later")["state"] == "food"
    assert (box.pit / "food" / "one.md").read_bytes() == before


def test_split_from_stdin_puts_all_parts_and_the_parent_waits(box: Box) -> None:
    box.fed("big", "big")
    parts = "--- part: first.md ---\nbegin\n--- part: last ---\n---\nneeds: [first]\n---\nend\n"
    with box.living() as (snake, _):
        snake.ok("claim")
        told = snake.json("split", stdin=parts)
    assert told == {"name": "big.md", "parts": ["first.md", "last.md"]}
    assert box.names("food") == ["big.md", "first.md", "last.md"]
    assert "needs first.md" in str(box.json("show", "last")["waits_for"])
    header = box.json("show", "first")["header"]
    assert isinstance(header, dict)
    assert (header["by"], header["parent"]) == ("snake-1", "big.md")


def test_split_from_files(box: Box) -> None:
    box.fed("big", "big")
    for name in ("a.md", "b.md"):
        (box.root / name).write_text(f"part {name}")
    with box.living() as (snake, _):
        snake.ok("claim")
        snake.ok("split", str(box.root / "a.md"), str(box.root / "b.md"))
    assert box.names("food") == ["a.md", "b.md", "big.md"]


def test_a_part_cannot_allow_itself_to_run_code(box: Box) -> None:
    box.fed("big", "big")
    part = "--- part: evil.md ---\n---\nallowed: true\n---\n```bash run\necho evil\n```\n"
    with box.living() as (snake, _):
        snake.ok("claim")
        snake.ok("split", stdin=part)
    shown = box.json("show", "evil")
    assert "agents.py allow evil.md" in str(shown["waits_for"])
    box.ok("allow", "evil")
    assert "allow" not in str(box.json("show", "evil")["waits_for"])


def test_wait_gives_up_with_exit_5_and_returns_when_there_is_food(box: Box) -> None:
    with box.living() as (snake, _):
        assert snake.run("wait", "--seconds", "0.1").exit_code == NOTHING
        box.fed("one", "one")
        assert snake.json("wait", "--seconds", "5") == {"waits": True}


def test_wait_is_not_woken_by_food_for_others(box: Box) -> None:
    box.fed("```bash run\necho hi\n```", "code")
    with box.living() as (snake, _):
        assert snake.run("wait", "--seconds", "0.1").exit_code == NOTHING


def test_beat_is_an_event_and_proves_nothing(box: Box) -> None:
    box.fed("one", "one")
    with box.living() as (snake, _):
        snake.ok("claim")
        snake.ok("beat", "-m", "3 of 8")
        assert snake.run("beat").exit_code == 2
        assert snake.run("beat", "4", "-m", "5").exit_code == 2
    (event,) = json.loads(box.ok("events", "--type", "worker.beat", "--json"))["events"]
    assert (event["task"], event["worker"], event["message"]) == ("one.md", "snake-1", "3 of 8")


def test_without_identity_it_is_a_wrong_command_line(box: Box) -> None:
    result = box.run("done", "-m", "x")
    assert result.exit_code == USAGE
    assert "SNAKEPIT_WORKER" in result.stderr


def test_identity_may_come_as_options(box: Box) -> None:
    box.fed("one", "one")
    with box.living() as (_, life):
        owner = ("--worker", "snake-1", "--generation", life.generation)
        assert "claimed: one.md" in box.ok("claim", *owner)


def test_read_parts_keeps_front_matter_lines_of_parts() -> None:
    data = b"\n--- part: a.md ---\n---\npriority: 1\n---\ntext\n--- part: b ---\nmore"
    assert list(read_parts(data)) == [
        ("a.md", b"---\npriority: 1\n---\ntext\n"),
        ("b.md", b"more"),
    ]


@pytest.mark.parametrize("data", [b"no part at all\n", b"text\n--- part: a.md ---\nx\n", b""])
def test_read_parts_refuses_what_has_no_name(data: bytes) -> None:
    with pytest.raises(UsageProblem):
        list(read_parts(data))
