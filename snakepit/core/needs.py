"""Owns the shape of needs between tasks: circles in them."""

from collections.abc import Mapping


def find_cycle(graph: Mapping[str, tuple[str, ...]]) -> list[str] | None:
    """The first circle found, its first member repeated at the end; None where there is none."""
    finished: set[str] = set()
    for start in graph:
        if start not in finished:
            found = _cycle_from(start, graph, finished)
            if found:
                return found
    return None


def _cycle_from(
    start: str, graph: Mapping[str, tuple[str, ...]], finished: set[str]
) -> list[str] | None:
    path = {start: 0}  # in the order walked; each with how many of its needs were looked at
    stack = [start]
    while stack:
        node = stack[-1]
        needs = graph.get(node, ())
        if path[node] == len(needs):
            finished.add(node)
            del path[node]
            stack.pop()
            continue
        need = needs[path[node]]
        path[node] += 1
        if need in path:
            return [*stack[stack.index(need) :], need]
        if need not in finished:
            path[need] = 0
            stack.append(need)
    return None
