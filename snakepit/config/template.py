"""Owns the text of a fresh agents.toml: the table of keys as comments, and blocks to take up."""

import os
import textwrap
from collections.abc import Iterator

from snakepit.config.key import Key
from snakepit.config.keys import BY_TABLE, TABLES
from snakepit.config.reference import literal

WIDTH = 96

HEAD = """\
# What this pool is told. A line `#key = value` shows a default; take the # away to change it.
# `agents.py check` tells every mistake, `agents.py schema` helps editors, and every key is
# explained in snakepit's docs/configuration.md. A saved change of a number counts at once; a
# change of a command, or of who runs, waits for `agents.py reload`.
"""

EXAMPLE = {
    "tmux_socket": '"snakepit-1a2b3c"',
    "tmux_conf": '"tmux.conf"',
}

PROGRAMS = os.path.join(os.path.dirname(__file__), "programs.txt")  # names programs: data


def page(*, schema: str = "") -> str:
    """`schema`: where editors find the JSON Schema, as seen from the file."""
    head = f"#:schema {schema}\n{HEAD}" if schema else HEAD
    tables = [table for table in TABLES if table.shape == "single"]
    tables.sort(key=lambda table: table.name == "watchdog")
    single = [
        "\n".join([f"# {table.doc}".replace("`", ""), table.header, *_lines(table.name)]) + "\n"
        for table in tables
    ]
    with open(PROGRAMS, encoding="utf-8") as file:
        return "\n".join([head, *single, file.read()])


def _lines(table: str) -> Iterator[str]:
    for key in BY_TABLE[table].values():
        yield from textwrap.wrap(_comment(key), WIDTH, initial_indent="# ", subsequent_indent="# ")
        value = EXAMPLE[key.name] if key.default is None else literal(key.default)
        yield f"#{key.name} = {value}"


def _comment(key: Key) -> str:
    named = all(f"`{word}`" in key.doc for word in key.allowed)
    choice = "" if named else f" One of {', '.join(key.allowed)}."
    default = f" Default: {key.default_doc}." if key.default_doc else ""
    return key.doc.replace("`", "") + choice + default.replace("`", "")
