"""Owns docs/configuration.md: the table of keys as a page for people, between fixed paragraphs."""

from collections.abc import Iterator

from snakepit.config import tables
from snakepit.config.deep_keys import BY_DEEP, DEEP
from snakepit.config.key import Key, Table
from snakepit.config.keys import BY_TABLE, TABLES

APPLIES = {"now": "at once", "reload": "on `reload`", "restart": "after `down`, `up`"}

INTRODUCTION = """\
# agents.toml

Everything the pool is told stands in one file, `agents.toml`. `agents.py init` writes a commented
one, `agents.py check` tells all its mistakes at once, `agents.py schema` prints a JSON Schema for
editors ([agents.schema.json](agents.schema.json)). This page is made from the same table of keys.

- **Unknown keys and wrong types are refused**, each with its table, key and line.
- **Paths** start from the folder of agents.toml; `~` is your home.
- **Durations** are seconds, or text: `"90s"`, `"30m"`, `"2h"`, `"1d"`, `"1h30m"`.
- **What wins**: a flag, then a `SNAKEPIT_SET_…` variable, then the file, then the default.
- **A saved file is read at once.** The column *counts* says when a change does: numbers and
  patterns at once; what changes a command, its environment or who runs, on `agents.py reload`
  (running meals end first); where things lie, after `down` and `up`. A file with mistakes changes
  nothing, and `status` says so.
- The file is never rewritten. `scale` and `pause` live in `<log_dir>/state/overrides.toml`.
- Only `[[agent]]` or `[[pool]]` is needed. `session_prefix` and `log_dir`, which other programs
  that read such files demand, have defaults here.
"""

ENVIRONMENT = """\
## Variables instead of the file

`SNAKEPIT_SET_<TABLE>_<KEY>` sets one key for one command or for the daemon that it starts; `-` in a
name becomes `_`. A variable that names no key of this config is refused like a misspelt key.

| variable | sets |
|---|---|
| `SNAKEPIT_SET_PIT_ATTEMPTS=5` | `[pit] attempts` |
| `SNAKEPIT_SET_DEFAULTS_LOG_DIR=/var/log/pit` | `[defaults] log_dir` |
| `SNAKEPIT_SET_BACKEND_DEMO_BIN="sleep 9"` | `[backend.demo] bin` |
| `SNAKEPIT_SET_AGENT_SNAKE_1_MODEL=…` | `model` of the `[[agent]]` named snake-1 |
| `SNAKEPIT_SET_POOL_SNAKE_COUNT=5` | `count` of the `[[pool]]` named snake |

Lists are written as in TOML (`["a", "b"]`) or with commas (`a,b`), tables as in TOML
(`{ NAME = "value" }`), switches as `true` or `false`.
"""

BUILT_IN = """\
Built in: {names}. Each is a file in `snakepit/agents/backends/`, with the versions it was seen with;
`agents.py backends` tells what is found here. A table of the same name in agents.toml changes it key
by key, and so do the tables below it: `[backend.NAME.task]` with `argv` alone leaves the rest of the
built-in `task` as it is, and a table within (`env`, `files`, `events`, `when`, `take`) is again
changed key by key. Rules have names for that: `[backend.NAME.trouble.WORD]` with the name of a
built-in rule changes it, with a new name it comes before the built-in ones, and `off = true` leaves
one out. `like = "…"` takes everything from a built-in program under a new name, for a second account
or a wrapper.

`backend = "auto"` is the first of {order} that is found (the last when a key or a server is set).
"""

SCRIPT = """\
`script` runs a task's own code in our worker and has no program; only `stall_idle`, `env_pass` and
the patterns mean something there.
"""

SERVICES = """\
A command that begins with `snakepit` or `agents.py` is this program itself, started with this
config. `agent-log.py follow-all`, the log helper of older setups, means `snakepit log follow-all`
where that file does not exist; `check` says so.
"""


def page() -> str:
    """The whole page; a test holds the file in docs/ to it."""
    parts = [INTRODUCTION]
    for table in TABLES:
        parts.extend(_section(table))
    parts.append(ENVIRONMENT)
    return "\n".join(parts)


def _section(table: Table) -> Iterator[str]:
    yield f"## `{table.header}`\n\n{table.doc}\n"
    keys = list(BY_TABLE[table.name].values())
    if table.name == "pool":
        keys = [key for key in keys if key.name in ("name", "count")]
    rows = [_row(key) for key in keys]
    yield "\n".join(["| key | default | counts | meaning |", "|---|---|---|---|", *rows]) + "\n"
    if table.name == "backend":
        yield _built_in()
    if table.name == "service":
        yield SERVICES


def _row(key: Key) -> str:
    return f"| `{key.name}` | {_default(key)} | {APPLIES[key.applies]} | {_doc(key)} |"


def _doc(key: Key) -> str:
    words = f" One of {', '.join(f'`{word}`' for word in key.allowed)}." if key.allowed else ""
    says_it = all(f"`{word}`" in key.doc for word in key.allowed)
    return f"{key.doc}{'' if says_it else words}".replace("|", "\\|")


def _default(key: Key) -> str:
    if key.required:
        return "required"
    return key.default_doc if key.default is None else f"`{literal(key.default)}`"


def literal(value: object) -> str:
    """A default as TOML writes it."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        quote = "'" if "\\" in value or '"' in value else '"'
        return f"{quote}{value}{quote}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(literal(item) for item in value)}]"
    return "{}" if isinstance(value, dict) else str(value)


def _built_in() -> str:
    built_in = ", ".join(f"`{name}`" for name in tables.names())
    order = ", ".join(f"`{name}`" for name in tables.order())
    lines = [BUILT_IN.format(names=built_in, order=order)]
    for table in DEEP:
        name = "NAME." + table.name + (".WORD" if table.shape == "named" else "")
        keys = BY_DEEP[table.name].values()
        rows = [f"| `{key.name}` | {_default(key)} | {_doc(key)} |" for key in keys]
        lines += [f"### `[backend.{name}]`\n\n{table.doc}\n", "| key | default | meaning |"]
        lines += ["|---|---|---|", *rows, ""]
    lines.append(SCRIPT)
    return "\n".join(lines)
