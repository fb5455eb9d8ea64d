"""Owns the text of a fresh agents.toml: the table of keys as comments, and blocks to take up."""

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

PROGRAMS = """\
# Agent programs. `script`, `demo` and `claude` are built in; a table changes them key by key, and
# any other name is a program of your own.
#
#[backend.claude]
#flags = "--dangerously-skip-permissions"   # nobody is there to answer its questions
#
#[backend.other]
#bin = "exec other-agent --model {model} --message {kickoff}"
#prompt_delivery = "exec"                   # a whole shell line; placeholders are escaped
#env_pass = ["OTHER_API_KEY"]               # snakes get no other variables of yours

# The snake that needs no model: it runs the blocks marked `run` of tasks that have some.
[[agent]]
name = "script-1"
backend = "script"

# Snakes that think. They are commented out so that nothing calls a model, or costs anything,
# before you say so. Such a snake claims its own food and calls its model also to look for some.
#
#[[agent]]
#name = "keeper"                            # your counterpart: surveys the pit, writes tasks
#prompt = "Read prompts/keeper-survey.md, do what it says once, then wait for me."
#wake = { interval = "30m", prompt_file = "prompts/keeper-survey.md" }
#
#[[agent]]
#name = "planner"                           # eats what says `big: true`, splits it
#prompt = "/loop Follow prompts/planner.md. You are planner."
#
#[[agent]]
#name = "cleanup"                           # reads waste/ and scraps/, reports what repeats
#prompt = "/loop 30m Follow prompts/cleanup.md. You are cleanup."
#
#[[pool]]
#name = "snake"                             # snake-1, snake-2, snake-3
#count = 3                                  # later: agents.py scale snake=5
#prompt = "/loop Follow prompts/snake.md. You are {name}."

# Turns what the panes showed into text one can read.
[[service]]
name = "cleanlogs"
command = "snakepit log follow-all"
"""


def page(*, schema: str = "") -> str:
    """`schema`: where editors find the JSON Schema, as seen from the file."""
    head = f"#:schema {schema}\n{HEAD}" if schema else HEAD
    tables = [table for table in TABLES if table.shape == "single"]
    tables.sort(key=lambda table: table.name == "watchdog")
    single = [
        "\n".join([f"# {table.doc}".replace("`", ""), table.header, *_lines(table.name)]) + "\n"
        for table in tables
    ]
    return "\n".join([head, *single, PROGRAMS])


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
