"""Owns docs/configuration.md: the table of keys as a page for people, between fixed paragraphs."""

from collections.abc import Iterator

from snakepit.config.builtin import BACKENDS
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
| `SNAKEPIT_SET_BACKEND_CLAUDE_BIN=/opt/claude` | `[backend.claude] bin` |
| `SNAKEPIT_SET_AGENT_SNAKE_1_MODEL=…` | `model` of the `[[agent]]` named snake-1 |
| `SNAKEPIT_SET_POOL_SNAKE_COUNT=5` | `count` of the `[[pool]]` named snake |

Lists are written as in TOML (`["a", "b"]`) or with commas (`a,b`), tables as in TOML
(`{ NAME = "value" }`), switches as `true` or `false`.
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
    words = f" One of {', '.join(f'`{word}`' for word in key.allowed)}." if key.allowed else ""
    says_it = all(f"`{word}`" in key.doc for word in key.allowed)
    doc = f"{key.doc}{'' if says_it else words}".replace("|", "\\|")
    return f"| `{key.name}` | {_default(key)} | {APPLIES[key.applies]} | {doc} |"


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
    lines = ["Built in, each key open to change:", ""]
    for name, keys in BACKENDS.items():
        given = [f"{key} = {literal(value)}" for key, value in keys.items() if value != ""]
        if given:
            lines += [f"```toml\n[backend.{name}]", *given, "```", ""]
    lines.append(
        "`script` runs a task's own code in our worker and has no program; only `stall_idle`, "
        "`env_pass` and the patterns mean something there.\n"
    )
    return "\n".join(lines)
