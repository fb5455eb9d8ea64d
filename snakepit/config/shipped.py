"""Owns finding the files that a new folder gets a copy of, in a checkout or in an installed package."""

from collections.abc import Iterator
from pathlib import Path

_INSTALLED = Path(__file__).parent / "shipped"
_CHECKOUT = Path(__file__).parents[2]


def shipped_files() -> Iterator[tuple[str, bytes]]:
    """Every prompt and the pit's README, with the path each has in a folder."""
    root = _INSTALLED if _INSTALLED.is_dir() else _CHECKOUT
    for path in (*sorted(root.glob("prompts/*.md")), root / "pit" / "README.md"):
        yield path.relative_to(root).as_posix(), path.read_bytes()
