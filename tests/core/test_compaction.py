"""How a conversation is made smaller, by the numbers of the reference."""

from typing import NamedTuple

import pytest

from snakepit.core.compaction import (
    Message,
    calls_listed,
    estimate,
    marks_passed,
    shorten,
    summarised,
    summary_cut,
    text_block,
)

LONG = "x" * 5000


def conversation(turns: int, result: str = LONG, tool: str = "bash") -> list[Message]:
    messages: list[Message] = [{"role": "user", "content": [text_block("the task")]}]
    for number in range(turns):
        call = {"type": "tool_use", "id": f"c{number}", "name": tool, "input": {"n": number}}
        answer = {"type": "tool_result", "tool_use_id": f"c{number}", "content": result}
        messages += [
            {"role": "assistant", "content": [call]},
            {"role": "user", "content": [answer]},
        ]
    return messages


def result_at_age(messages: list[Message], age: int) -> str:
    content = messages[len(messages) - age]["content"]
    assert isinstance(content, list)
    return str(content[0]["content"])


class Age(NamedTuple):
    age: int
    kept: int


@pytest.mark.parametrize(
    "case", [Age(1, 5000), Age(9, 5000), Age(11, 1000), Age(19, 1000), Age(21, 500), Age(39, 500)]
)
def test_a_result_is_cut_by_its_age(case: Age) -> None:
    cut = shorten(conversation(40)).messages
    assert result_at_age(cut, case.age).count("x") == case.kept


@pytest.mark.parametrize("case", [Age(41, 200), Age(59, 200), Age(61, 100), Age(79, 100)])
def test_the_oldest_keep_least(case: Age) -> None:
    assert result_at_age(shorten(conversation(40)).messages, case.age).count("x") == case.kept


def test_what_was_cut_says_so_and_names_the_tool_that_gives_it_again() -> None:
    cut = result_at_age(shorten(conversation(10, tool="read")).messages, 11)
    assert cut.endswith("4000 characters left out to save room; call read again if you need it]")
    assert "again" not in result_at_age(shorten(conversation(10)).messages, 11)


def test_cutting_twice_counts_what_is_gone_once() -> None:
    messages = conversation(10)
    once = shorten(messages).messages
    grown = [*once, *conversation(10)[1:]]
    again = result_at_age(shorten(grown).messages, 31)
    assert again.count("x") == 500
    assert "4500 characters left out" in again
    assert shorten(once).changed == 0


def test_nothing_is_changed_in_place() -> None:
    messages = conversation(20)
    shorten(messages)
    assert messages == conversation(20)


def test_a_smaller_circle_of_recent_ones_cuts_more() -> None:
    messages = conversation(10)
    assert shorten(messages, 2).changed > shorten(messages, 10).changed


def test_a_summary_keeps_the_task_and_whole_turns() -> None:
    messages = conversation(30)
    cut = summary_cut(messages, 20)
    assert cut is not None
    made = summarised(messages, cut, "I did much.")
    assert made[1]["role"] == "assistant"
    first = made[0]["content"]
    assert isinstance(first, list)
    assert first[0] == text_block("the task")
    assert "I did much." in first[1]["text"]
    assert len(made) <= 21
    again = summarised(made, 3, "More.")
    second = again[0]["content"]
    assert isinstance(second, list)
    assert len(second) == 2, "a new summary takes the place of the old one"


def test_there_is_nothing_to_summarise_in_one_turn() -> None:
    assert summary_cut(conversation(0), 2) is None
    assert summary_cut(conversation(1), 2) is None


def test_the_list_of_calls_names_each() -> None:
    assert calls_listed(conversation(3)).count("- bash") == 3


@pytest.mark.parametrize(
    ("before", "now", "passed"),
    [(0.0, 0.59, []), (0.0, 0.6, [60]), (0.6, 0.79, []), (0.5, 0.96, [60, 80, 90, 95])],
)
def test_a_mark_is_passed_once(before: float, now: float, passed: list[int]) -> None:
    assert marks_passed(before, now) == passed


def test_an_estimate_counts_other_letters_dearer() -> None:
    assert 20 <= estimate("a" * 100) <= 30
    assert estimate("語" * 100) >= 100
