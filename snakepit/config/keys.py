"""Owns the one table of keys: validation, defaults, JSON Schema, docs and the template read it."""

from snakepit.config.agent_keys import SESSION_KEYS
from snakepit.config.key import Key, Table
from snakepit.config.messages_keys import MESSAGES
from snakepit.config.wide_keys import POOL_WIDE

TABLES: tuple[Table, ...] = (
    Table("watchdog", "single", "How often the daemon looks, and how patient it is."),
    Table("defaults", "single", "What every agent has unless it says otherwise."),
    Table("pit", "single", "The folder of tasks and what happens to them."),
    Table("script", "single", "Tasks whose own code is run, without a model."),
    Table("anthropic", "single", 'Our own agent on the Messages API, `backend = "anthropic"`.'),
    Table("events", "single", "The record of what happened, `<log_dir>/events.jsonl`."),
    Table(
        "backend",
        "named",
        "An agent program. Many are built in; a table of the same name changes one key by key, any "
        "other name is a new program.",
    ),
    Table("agent", "array", "One snake in its own tmux session."),
    Table(
        "pool",
        "array",
        "Several snakes that differ only in their number: `name-1` to `name-<count>`. It takes "
        "every key of `[[agent]]`.",
    ),
    Table(
        "service",
        "array",
        "A helper that is not an agent, in its own session, restarted when it exits.",
    ),
)

KEYS: tuple[Key, ...] = (*POOL_WIDE, *MESSAGES, *SESSION_KEYS)
BY_TABLE: dict[str, dict[str, Key]] = {
    table.name: {key.name: key for key in KEYS if key.table == table.name} for table in TABLES
}
TABLE: dict[str, Table] = {table.name: table for table in TABLES}
