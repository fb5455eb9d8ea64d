from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core.events import EVENTS
from snakepit.core.lifecycle import TRANSITIONS, State, advance, diagram
from snakepit.core.needs import find_cycle
from snakepit.errors import InvalidTransition


@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("event", [name for name in EVENTS if name.startswith("task.")])
def test_the_table_alone_decides(state: State, event: str) -> None:
    if (state, event) in TRANSITIONS:
        assert advance(state, event) is TRANSITIONS[state, event]
    else:
        with pytest.raises(InvalidTransition, match=f"{state} cannot see {event}"):
            advance(state, event)


def test_every_event_of_the_table_is_documented() -> None:
    assert {event for _, event in TRANSITIONS} <= EVENTS.keys()


def test_done_is_the_end_and_every_other_state_has_a_way_there() -> None:
    reached = {State.DONE}
    while more := {a for (a, _), b in TRANSITIONS.items() if b in reached} - reached:
        reached |= more
    assert reached == set(State)
    assert not [event for state, event in TRANSITIONS if state is State.DONE]


def test_nothing_is_settled_that_was_not_claimed() -> None:
    assert [a for (a, _), b in TRANSITIONS.items() if b is State.DONE] == [State.CLAIMED]


def test_the_diagram_shows_every_transition() -> None:
    shown = diagram()
    assert shown.startswith("stateDiagram-v2\n    [*] --> queued\n")
    for (state, event), after in TRANSITIONS.items():
        edge = next(line for line in shown.split("\n") if f"{state} --> {after}:" in line)
        assert event.removeprefix("task.") in edge


@pytest.mark.parametrize(
    ("graph", "cycle"),
    [
        ({}, None),
        ({"a": ("b",), "b": ("c",)}, None),
        ({"a": ("b", "c"), "b": ("d",), "c": ("d",)}, None),
        ({"a": ("a",)}, ["a", "a"]),
        ({"a": ("b",), "b": ("a",)}, ["a", "b", "a"]),
        ({"x": ("a",), "a": ("z", "b"), "b": ("c",), "c": ("a",)}, ["a", "b", "c", "a"]),
    ],
)
def test_a_circle_of_needs_is_found(
    graph: dict[str, tuple[str, ...]], cycle: list[str] | None
) -> None:
    assert find_cycle(graph) == cycle


NODES = st.sampled_from("abcdef")


@given(st.dictionaries(NODES, st.lists(NODES, max_size=3).map(tuple)))
def test_a_circle_found_is_a_circle_and_none_found_can_be_sorted(
    graph: dict[str, tuple[str, ...]],
) -> None:
    found = find_cycle(graph)
    if found:
        assert found[0] == found[-1]
        assert len(set(found)) == len(found) - 1
        assert all(after in graph[before] for before, after in pairwise(found))
        return
    left = dict(graph)
    while ready := [node for node, needs in left.items() if not left.keys() & set(needs)]:
        for node in ready:
            del left[node]
    assert left == {}


def test_a_long_chain_needs_no_deep_stack() -> None:
    count = 20_000
    graph = {f"t{n}": (f"t{n + 1}",) for n in range(count)}
    assert find_cycle(graph) is None
    graph[f"t{count}"] = ("t0",)
    assert len(find_cycle(graph) or []) == count + 2
