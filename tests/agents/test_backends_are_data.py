"""Proves that no Python knows an agent program by its name: what they are stands in agents/backends/*.toml."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from snakepit.config import tables

REPOSITORY = Path(__file__).parents[2]
OURS = {"script", "demo", "anthropic"}  # not programs of others
SHORT = {"pi"}  # a name only where it is all of a text
NAMES = sorted(set(tables.names()) - OURS - SHORT)
NAMED = re.compile(rf"\b(?:{'|'.join(NAMES)})\b", re.IGNORECASE)


def named(tree: ast.AST) -> Iterator[str]:
    """Every program in a text that is no docstring, and every comparison with one of our own names."""
    docs = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            if NAMED.search(node.value) or node.value in SHORT:
                yield f"{node.lineno}: {node.value[:60]!r}"
        elif isinstance(node, ast.Compare) and "backend" in ast.unparse(node):
            words = {c.value for c in ast.walk(node) if isinstance(c, ast.Constant)}
            yield from (f"{node.lineno}: {ast.unparse(node)}" for _ in words & OURS)


def test_no_module_names_an_agent_program() -> None:
    files = [REPOSITORY / "agents.py", *sorted((REPOSITORY / "snakepit").rglob("*.py"))]
    found = {
        str(path.relative_to(REPOSITORY)): lines
        for path in files
        if (lines := list(named(ast.parse(path.read_text()))))
    }
    assert found == {}


def test_the_test_sees_one() -> None:
    for line in ('x = "Claude said"', 'run(["codex"])', 'a = b == "pi"'):
        assert list(named(ast.parse(line)))
    assert list(named(ast.parse('agent.backend == "script"')))
    assert not list(named(ast.parse('"""Claude."""\nx = "spin"\n')))
