"""What a glob matches."""

import pytest

from snakepit.core.globs import compiled


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("*.py", "a.py", True),
        ("*.py", "deep/er/a.py", True),
        ("*.py", "a.pyc", False),
        ("src/*.py", "src/a.py", True),
        ("src/*.py", "src/b/a.py", False),
        ("src/**/*.py", "src/a.py", True),
        ("src/**/*.py", "src/b/c/a.py", True),
        ("src/**", "src/b/c", True),
        ("./src/?.md", "src/a.md", True),
        ("src/?.md", "src/ab.md", False),
        ("*.{md,txt}", "a.txt", True),
        ("*.{md,txt}", "a.rst", False),
        ("[ab]*.py", "beta.py", True),
        ("[!ab]*.py", "beta.py", False),
        ("a+b.py", "a+b.py", True),
        ("a[.py", "a[.py", True),
        ("a{.py", "a{.py", True),
    ],
)
def test_a_pattern(pattern: str, path: str, matches: bool) -> None:
    assert bool(compiled(pattern).search(path)) is matches
