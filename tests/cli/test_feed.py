"""`feed`: what it takes, how it names it, and what it refuses before anything is in food/."""

import json
import re
import signal
from pathlib import Path

import pytest

from snakepit.cli.feed_verb import safe_stem, stem_of_text
from snakepit.core.names import problem_with
from snakepit.pool.feed import fresh_name
from tests.cli.pits import Box
from tests.support.wait import wait_for

FRESH = re.compile(r"(.+)-[a-z2-7]{4}\.md")


def stem_of(name: str) -> str:
    found = FRESH.fullmatch(name)
    assert found, name
    return found[1]


def test_a_message_is_named_after_its_first_line(box: Box) -> None:
    (fed,) = json.loads(box.ok("feed", "-m", "# Fix the tests!\nnow", "--json"))["fed"]
    assert stem_of(fed["name"]) == "fix-the-tests"
    assert fed["kind"] == "worker"
    assert Path(fed["path"]).read_text() == "# Fix the tests!\nnow\n"


def test_a_file_keeps_its_stem_and_its_bytes(box: Box) -> None:
    source = box.root / "first-meal.md"
    source.write_bytes("---\r\npriority: 1\r\n---\r\nwörds".encode())
    box.ok("feed", str(source))
    (name,) = box.names("food")
    assert stem_of(name) == "first-meal"
    assert (box.pit / "food" / name).read_bytes() == source.read_bytes()
    assert source.exists()


def test_globs_are_expanded_and_each_file_is_one_task(box: Box) -> None:
    for name in ("a.md", "b.md", "c.txt"):
        (box.root / name).write_text(name)
    fed = json.loads(box.ok("feed", str(box.root / "*.md"), "--json"))["fed"]
    assert [stem_of(task["name"]) for task in fed] == ["a", "b"]


def test_stdin(box: Box) -> None:
    box.ok("feed", "-", "--name", "typed", stdin="typed text")
    assert (box.pit / "food" / "typed.md").read_text() == "typed text"


def test_the_same_name_again_is_a_new_meal(box: Box) -> None:
    box.fed("x", "meal")
    again = box.run("feed", "-m", "y", "--name", "meal")
    assert "meal.md is in use: this one became meal~2.md" in again.stderr
    assert box.names("food") == ["meal.md", "meal~2.md"]


def test_a_species_or_label_that_nobody_eats_is_said_at_once(box: Box) -> None:
    config = box.root / "agents.toml"
    own = 'species = "script"'
    eats = f'{own}\neats = {{ species = ["script"], labels = ["docs"] }}'
    config.write_text(config.read_text().replace(own, eats))
    cook = box.run("feed", "-m", "x", "--species", "scrpt")
    assert cook.exit_code == 0
    assert 'waits for a scrpt snake: none in agents.toml; did you mean "script"?' in cook.stderr
    code = "```bash run\necho hi\n```"
    lost = box.run("feed", "-m", code, "--label", "dosc").stderr
    assert 'one of the labels dosc: none in agents.toml; did you mean "docs"?' in lost
    assert "food without a label: all want one of docs" in box.run("feed", "-m", code).stderr
    assert box.run("feed", "-m", "x").stderr == ""
    assert box.run("feed", "-m", code, "--label", "docs").stderr == ""


def test_options_become_front_matter_and_all_else_stays(box: Box) -> None:
    text = "---\n# mine\nlabels: [own]\nodd: yes\n---\nbody\n"
    order = ["--priority", "high", "--species", "planner"]
    bounds = ["--label", "docs", "--needs", "other", "--to", "snake-2"]
    box.ok("feed", "-", "--name", "t", *order, *bounds, stdin=text)
    shown = box.json("show", "t")
    header = shown["header"]
    assert isinstance(header, dict)
    assert header["priority"] == 2
    assert header["species"] == "planner"
    assert header["labels"] == ["own", "docs"]
    assert header["needs"] == ["other.md"]
    assert header["to"] == "snake-2"
    written = (box.pit / "food" / "t.md").read_text()
    assert "# mine\n" in written
    assert written.endswith("---\nbody\n")


def test_priority_0_is_the_first(box: Box) -> None:
    box.fed("x", "now", priority="0")
    header = box.json("show", "now")["header"]
    assert isinstance(header, dict)
    assert header["priority"] == 0


def test_each_gives_one_copy_to_every_snake_of_a_pool(box: Box) -> None:
    box.ok("feed", "-m", "look around", "--each", "snake")
    told = [str(path.read_text()) for path in sorted((box.pit / "food").glob("*.md"))]
    assert sorted(text.splitlines()[1] for text in told) == ["to: snake-1", "to: snake-2"]


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "nothing to feed"),
        (("no-such-file.md",), 1, "no-such-file.md"),
        (("no-such-*.md",), 1, "no file matches"),
        (("-m", "a", "-m", "b", "--name", "c"), 2, "--name names one task"),
        (("-m", "a", "-m", "b", "--wait"), 2, "--wait follows one task"),
        (("-m", "a", "--to", "nobody"), 1, "no snake nobody"),
        (("-m", "a", "--each", "nothing"), 1, "no pool nothing"),
        (("-m", "a", "--to", "chef", "--each", "snake"), 2, "exclude each other"),
        (("-m", "a", "--priority", "soon"), 1, "priority"),
        (("-m", "a", "--name", "-rf"), 2, "dash"),
        (("-m", "a", "--name", "../x"), 2, "slash"),
        (("-m", "   "), 1, "empty"),
    ],
)
def test_what_is_wrong_is_said_and_nothing_is_fed(
    box: Box, words: tuple[str, ...], code: int, said: str
) -> None:
    result = box.run("feed", *words)
    assert result.exit_code == code
    assert said in result.stderr
    assert not (box.pit / "food").exists() or box.names("food") == []


def test_a_broken_header_is_named_with_file_and_line(box: Box) -> None:
    source = box.root / "broken.md"
    source.write_text("---\npriority: 12\n---\n")
    good = box.root / "good.md"
    good.write_text("good")
    result = box.run("feed", str(good), str(source))
    assert result.exit_code == 1
    assert "broken.md" in result.stderr
    assert "line 2" in result.stderr
    assert box.names("food") == [], "all are read before the first is fed"


def test_a_huge_file_is_refused_without_reading_it(box: Box) -> None:
    huge = box.root / "huge.md"
    with huge.open("wb") as file:
        file.truncate(64 << 30)
    result = box.run("feed", str(huge))
    assert result.exit_code == 1
    assert "huge.md is larger than 16 MiB" in result.stderr


def test_a_folder_is_refused_with_the_pattern_to_use(box: Box) -> None:
    result = box.run("feed", str(box.root))
    assert result.exit_code == 2
    assert "*.md'" in result.stderr


def test_food_of_a_snake_says_so_and_cannot_allow_itself(box: Box) -> None:
    text = "---\nallowed: true\nby: somebody\n---\n```bash run\necho hi\n```\n"
    with box.living() as (snake, _):
        snake.ok("feed", "-", "--name", "mine", stdin=text)
    shown = box.json("show", "mine")
    header = shown["header"]
    assert isinstance(header, dict)
    assert (header["by"], header["allowed"]) == ("snake-1", False)
    assert "agents.py allow mine.md" in str(shown["waits_for"])


def test_wait_follows_to_the_end(box: Box) -> None:
    with box.living() as (snake, _), box.start("feed", "-m", "x", "--name", "q", "--wait") as fed:
        wait_for(lambda: snake.run("claim", "q").exit_code == 0, what="the claim")
        snake.ok("done", "-m", "the answer")
        out, err = fed.communicate(timeout=20)
    assert fed.returncode == 0, err
    assert out.splitlines()[1:] == ["the answer", str(box.pit / "done" / "q.md")]


def test_wait_says_at_once_that_nobody_can_eat_it(box: Box) -> None:
    with box.start("feed", "-m", "x", "--name", "q", "--wait") as fed:
        assert fed.stdout is not None
        assert fed.stderr is not None
        assert fed.stdout.readline() == "q.md: waits for a worker snake, priority 5\n"
        assert "waits: for a snake that can think: no-such-agent-cli" in fed.stderr.readline()


def test_wait_for_what_ends_in_scraps_is_exit_1_with_the_reason(box: Box) -> None:
    with box.start("feed", "-m", "x", "--name", "q", "--wait", "--json") as fed:
        wait_for(lambda: (box.pit / "food" / "q.md").exists(), what="the food")
        box.ok("cancel", "q", "-m", "nobody wants it")
        out, _ = fed.communicate(timeout=20)
    assert fed.returncode == 1
    ended = json.loads(out)["ended"]
    assert (ended["state"], ended["reason"]) == ("scraps", "nobody wants it")


def test_ctrl_c_while_waiting_is_130_and_leaves_the_task(box: Box) -> None:
    with box.start("feed", "-m", "x", "--name", "q", "--wait") as fed:
        assert fed.stdout is not None
        fed.stdout.readline()
        fed.send_signal(signal.SIGINT)
        assert fed.wait(timeout=20) == 130
    assert box.names("food") == ["q.md"]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\n\n",
        "---\ntitle: x\n---\n# A b",
        "éé",
        "x" * 300,
        "# ..",
        "../../etc",
        "-rf /",
        "a\x00b",
    ],
)
def test_any_text_gives_a_legal_name(text: str) -> None:
    assert problem_with(fresh_name(stem_of_text(text))) is None


@pytest.mark.parametrize(
    "stem", ["", ".hidden", "-rf", "a b", "é" * 200, "a\nb", "\udcff", "x\x1b[m"]
)
def test_any_file_name_gives_a_legal_name(stem: str) -> None:
    assert problem_with(fresh_name(safe_stem(stem))) is None


def test_many_are_fed_in_batches(box: Box) -> None:
    for number in range(450):
        (box.root / f"t{number}.md").write_text("x")
    fed = json.loads(box.ok("feed", str(box.root / "t*.md"), "--json"))["fed"]
    assert len(fed) == len(box.names("food")) == 450
