"""Proves which change of agents.toml counts at once, and which waits."""

from typing import NamedTuple

import pytest

from snakepit.config import Config
from snakepit.config.changes import DERIVED, RENAMED, compare
from snakepit.config.keys import BY_TABLE
from tests.config.conftest import Read

BASE = """\
[defaults]
model = "m"
[pit]
attempts = 3
[backend.x]
bin = "x"
[[agent]]
name = "a"
[[pool]]
name = "p"
count = 1
[[service]]
name = "s"
command = "c"
"""


class Edit(NamedTuple):
    before: str
    after: str
    now: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()


EDITS = [
    Edit("attempts = 3", "attempts = 4", now=("pit.attempts",)),
    Edit("attempts = 3", 'timeout = "5m"\nsettle = 3', now=("pit.settle", "pit.timeout")),
    Edit("attempts = 3", 'path = "other"', waiting=("pit.path (after down and up)",)),
    Edit('bin = "x"', 'bin = "y"\nprocess_name = "x"', waiting=("backend x: bin",)),
    Edit('bin = "x"', 'bin = "x"\nlimit_re = "no"', now=("backend x: limit_re",)),
    Edit('bin = "x"', 'bin = "x"\nflags = "-v"', waiting=("backend x: flags",)),
    Edit('bin = "x"', 'bin = "x"\nenv_pass = ["K"]', waiting=("backend x: env_pass",)),
    Edit('model = "m"', 'model = "n"', waiting=("agent a: model", "agent p-1: model")),
    Edit('model = "m"', 'watch = "none"\nmodel = "m"', now=("agent a: watch", "agent p-1: watch")),
    Edit('model = "m"', 'session_prefix = "z"\nmodel = "m"', waiting=("defaults.session_prefix (after down and up)",)),
    Edit('name = "a"', 'name = "a"\nenv = { A = "1" }', waiting=("agent a: env",)),
    Edit('name = "a"', 'name = "a"\nmodel = "m"'),
    Edit('name = "a"', 'name = "a"\nwake = { interval = 1, prompt_file = "x" }', now=("agent a: wake",)),
    Edit('name = "a"', 'name = "b"', waiting=("agent a: gone", "agent b: new")),
    Edit("count = 1", "count = 2", waiting=("agent p-2: new", "pool p: count")),
    Edit('command = "c"', 'command = "d"', waiting=("service s: command",)),
    Edit('name = "s"', 'name = "t"', waiting=("service s: gone", "service t: new")),
    Edit("[pit]", "[backend.new]\n[pit]", waiting=("backend new: new",)),
    Edit("[pit]", '# nothing\n[script]\naccept = "all"\n[pit]', now=("script.accept",)),
    Edit("[pit]", "[watchdog]\nstall_grace = 1\n[events]\nkeep_days = 1\n[pit]",
         now=("watchdog.stall_grace", "events.keep_days")),
]  # fmt: skip


def load(text: str, read: Read) -> Config:
    found = read(text).config
    assert found is not None
    return found


@pytest.mark.parametrize("edit", EDITS, ids=lambda edit: edit.after[:40])
def test_what_a_change_means(edit: Edit, read: Read) -> None:
    assert BASE.count(edit.before) == 1
    old = load(BASE, read)
    new = load(BASE.replace(edit.before, edit.after), read)
    assert compare(old, new) == (edit.now, edit.waiting)


def test_nothing_changed_is_no_change(read: Read) -> None:
    assert compare(load(BASE, read), load("# a comment\n" + BASE, read)) == ((), ())


def test_every_field_of_a_record_has_its_key(read: Read) -> None:
    found = load(BASE, read)
    for table, record in (
        ("watchdog", found.watchdog),
        ("defaults", found.defaults),
        ("pit", found.pit),
        ("script", found.script),
        ("events", found.events),
        ("backend", found.backends["x"]),
        ("agent", found.agents[0]),
        ("service", found.services[0]),
    ):
        keys = {RENAMED.get(name, name) for name in record._fields} - DERIVED
        assert keys - {"name"} == set(BY_TABLE[table]) - {"name"}
