"""Owns the shape of needs between tasks: circles in them."""

from collections.abc import Mapping


def find_cycle(graph: Mapping[str, tuple[str, ...]]) -> list[str] | None:
    """The first circle found, its first member repeated at the end; None where there is none."""
    finished: set[str] = set()
    for start in graph:
        path: list[str] = []
        stack: list[tuple[str, int]] = [(start, 0)]
        while stack:
            node, at = stack.pop()
            if at == 0:
                if node in path:
                    return [*path[path.index(node) :], node]
                if node in finished:
                    continue
                path.append(node)
            needs = graph.get(node, ())
            if at < len(needs):
                stack.append((node, at + 1))
                stack.append((needs[at], 0))
            else:
                path.pop()
                finished.add(node)
    return None
