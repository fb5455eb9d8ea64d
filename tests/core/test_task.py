from datetime import datetime
from typing import NamedTuple

import pytest

from snakepit.core.task import KNOWN_KEYS, Task, make_task
from snakepit.errors import TaskError


def test_nothing_said_gives_the_defaults() -> None:
    task = make_task("x.md", {}, "do it")
    assert task == Task(name="x.md", title="x")
    assert (task.priority, task.attempt, task.attempts, task.labels) == (5, 0, None, ())


class Read(NamedTuple):
    key: str
    written: object
    field: str
    value: object


READ = [
    Read("id", "a-1", "id", "a-1"),
    Read("priority", 0, "priority", 0),
    Read("priority", "High", "priority", 2),
    Read("priority", "normal", "priority", 5),
    Read("priority", "low", "priority", 8),
    Read("species", "keeper", "species", "keeper"),
    Read("big", True, "big", True),
    Read("labels", ["a", "b c"], "labels", ("a", "b c")),
    Read("labels", "a, b", "labels", ("a", "b")),
    Read("needs", "a", "needs", ("a.md",)),
    Read("needs", ["a.md", "b"], "needs", ("a.md", "b.md")),
    Read("not_before", "1970-01-01T00:01:00Z", "not_before", 60.0),
    Read("not_before", "1970-01-01T01:01:00+01:00", "not_before", 60.0),
    Read("not_before", "2026-11-21 09:00", "not_before", datetime(2026, 11, 21, 9).timestamp()),  # noqa: DTZ001
    Read("timeout", "30m", "timeout_s", 1800.0),
    Read("timeout", 90, "timeout_s", 90.0),
    Read("attempts", 1, "attempts", 1),
    Read("attempt", 0, "attempt", 0),
    Read("artefacts", ["out/*.txt"], "artefacts", ("out/*.txt",)),
    Read("parent", "p", "parent", "p.md"),
    Read("parts", ["a.md"], "parts", ("a.md",)),
    Read("join", False, "join", False),
    Read("reason", "a\nb", "reason", "a\nb"),
    Read("to", "snake-1", "to", "snake-1"),
    Read("allowed", True, "allowed", True),
    Read("model", None, "model", None),
]


@pytest.mark.parametrize("case", READ, ids=lambda case: f"{case.key}={case.written}")
def test_a_key_is_read(case: Read) -> None:
    assert getattr(make_task("x.md", {case.key: case.written}, ""), case.field) == case.value


WRONG = [
    ("id", 5),
    ("title", ["a"]),
    ("title", "a\nb"),
    ("title", ""),
    ("priority", 10),
    ("priority", -1),
    ("priority", True),
    ("priority", "urgent"),
    ("priority", 2.5),
    ("species", "Not A Species"),
    ("species", 3),
    ("big", "yes please"),
    ("big", 1),
    ("labels", {"a": 1}),
    ("labels", [1]),
    ("labels", [""]),
    ("labels", "a,,b"),
    ("needs", 7),
    ("needs", ["../x"]),
    ("needs", ["-x.md"]),
    ("not_before", "tomorrow"),
    ("not_before", 5),
    ("not_before", "99999-01-01"),
    ("timeout", "long"),
    ("timeout", 0),
    ("timeout", True),
    ("timeout", [1]),
    ("attempts", 0),
    ("attempts", 1001),
    ("attempts", "3"),
    ("attempt", -1),
    ("attempt", True),
    ("dir", 5),
    ("workspace", "elsewhere"),
    ("base", 5),
    ("artefacts", 5),
    ("model", "--flag"),
    ("parent", ["p"]),
    ("join", "no way"),
    ("by", "a\x1b[2J"),
    ("to", "*"),
    ("to", "Snake 1"),
    ("allowed", "true"),
]


@pytest.mark.parametrize(("key", "written"), WRONG, ids=lambda value: repr(value))
def test_a_mistyped_key_is_refused_with_an_example(key: str, written: object) -> None:
    with pytest.raises(TaskError, match=f"`{key}` must be") as caught:
        make_task("x.md", {key: written}, "")
    assert caught.value.key == key
    assert f"`{key}: " in caught.value.fix


@pytest.mark.parametrize("key", ["check", "budget", "repo"])
def test_a_key_whose_feature_is_not_there_is_never_ignored(key: str) -> None:
    with pytest.raises(TaskError, match=f"`{key}` is not understood") as caught:
        make_task("x.md", {key: None if key == "repo" else "x"}, "")
    assert caught.value.key == key


def test_every_wrong_key_has_a_case() -> None:
    absent = {"check", "budget", "repo"}
    tried = {key for key, _ in WRONG} | {case.key for case in READ} | absent
    assert tried == KNOWN_KEYS


def test_unknown_keys_are_kept_as_they_are() -> None:
    task = make_task("x.md", {"ticket": 5, "deep": {"a": [1]}}, "")
    assert task.extra == {"ticket": 5, "deep": {"a": [1]}}


@pytest.mark.parametrize(
    ("header", "body", "kind"),
    [
        ({}, "prose", "worker"),
        ({"big": True}, "prose", "planner"),
        ({}, "```bash run\nx\n```\n", "script"),
        ({"big": True}, "```bash run\nx\n```\n", "script"),
        ({"species": "keeper", "big": True}, "```bash run\nx\n```\n", "keeper"),
        ({}, "```bash\nx\n```\n", "worker"),
        ({}, "t\n\n## Result <!-- snakepit g -->\n```bash run\nx\n```\n", "worker"),
    ],
)
def test_the_kind_is_what_it_names_or_what_its_text_asks_for(
    header: dict[str, object], body: str, kind: str
) -> None:
    assert make_task("x.md", header, body).kind == kind


@pytest.mark.parametrize(
    ("header", "body", "title"),
    [
        ({"title": "Mine"}, "# Heading\n", "Mine"),
        ({}, "# \x1b]0;pwn\x07Head\x9bing\n", "]0;pwnHeading"),
        ({}, "\n\n# Heading #\r\nmore", "Heading"),
        ({}, "## Deeper\n", "Deeper"),
        ({}, "text\n# Heading\n", "x"),
        ({}, "#\n", "x"),
        ({}, "", "x"),
    ],
)
def test_a_title_is_given_or_the_heading_or_the_name(
    header: dict[str, object], body: str, title: str
) -> None:
    assert make_task("x.md", header, body).title == title


def test_unmarked_code_of_a_script_task_is_code_too() -> None:
    """It will be run, so a worker that feeds it needs a person's consent as for marked code."""
    body = "```bash\ntrue\n```\n"
    assert make_task("x.md", {"species": "script"}, body).runs
    assert not make_task("x.md", {"species": "worker"}, body).runs
    assert not make_task("x.md", {}, body).runs
