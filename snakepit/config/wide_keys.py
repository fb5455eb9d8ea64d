"""Owns the keys of the pool as a whole: [watchdog], [defaults], [pit], [script] and [events]."""

from snakepit.config.key import Key

WATCH = ("heal", "observe", "none")
_SESSION = r"[A-Za-z0-9_-]{0,40}"
_SESSION_DOC = "only letters, digits, _ and -, at most 40"
_SOCKET = r"[A-Za-z0-9][A-Za-z0-9_.-]{0,59}"
_SOCKET_DOC = "only letters, digits, _, . and -, at most 60"

_WATCHDOG = (
    Key(
        "watchdog",
        "signal_interval",
        "duration",
        30,
        "Time between two cheap looks at every session.",
        "now",
        above=0,
    ),
    Key(
        "watchdog",
        "heavy_interval",
        "duration",
        300,
        "Time between two thorough looks: stalls, healing, resources, wake timers.",
        "now",
        above=0,
    ),
    Key(
        "watchdog",
        "limit_probe_fallback",
        "duration",
        300,
        "How often a limited snake is tried again when its message names no reset time.",
        "now",
        above=0,
    ),
    Key(
        "watchdog",
        "limit_reset_slack",
        "duration",
        45,
        "Added to a reset time that was read, before the snake is woken.",
        "now",
    ),
    Key(
        "watchdog",
        "stall_grace",
        "duration",
        180,
        "After a start, a nudge or a healing step nothing counts as a stall for this long.",
        "now",
    ),
)

_DEFAULTS = (
    Key(
        "defaults",
        "session_prefix",
        "text",
        "snakepit-",
        "tmux session names are this and the agent's name.",
        "restart",
        pattern=_SESSION,
        pattern_doc=_SESSION_DOC,
    ),
    Key(
        "defaults",
        "log_dir",
        "path",
        ".snakepit",
        "Folder of logs, events and `state/`.",
        "restart",
    ),
    Key(
        "defaults",
        "backend",
        "text",
        "auto",
        "The `[backend.NAME]` of agents that name none. `auto` takes the first agent program that "
        "is found; `demo` shows the mechanics without any.",
    ),
    Key(
        "defaults",
        "consent",
        "flag",
        False,
        "What `auto` found may run without permission prompts; without this `up` asks once. A "
        "backend that is named here is consent.",
    ),
    Key(
        "defaults",
        "trust_workspace",
        "flag",
        False,
        "Answer a program's question whether it may trust the folder it works in.",
    ),
    Key(
        "defaults",
        "model",
        "text",
        "",
        "Model passed to the program; empty: the program's own choice.",
    ),
    Key(
        "defaults",
        "watch",
        "text",
        "heal",
        "`heal` keeps the snake alive and working, `observe` only reports, `none` does not look.",
        "now",
        allowed=WATCH,
    ),
    Key(
        "defaults",
        "tmux_socket",
        "text",
        None,
        "tmux server of this pool (`tmux -L`); `default` joins your own server.",
        "restart",
        pattern=_SOCKET,
        pattern_doc=_SOCKET_DOC,
        default_doc="`snakepit-` and 6 hex digits of the config's real path",
    ),
    Key(
        "defaults",
        "tmux_conf",
        "path",
        None,
        "tmux configuration for this pool's server; without it your own is not read.",
        "restart",
        default_doc="none",
    ),
)

_PIT = (
    Key(
        "pit",
        "path",
        "path",
        "pit",
        "The folder with `food/`, `claimed/`, `done/`, `scraps/` and `waste/`.",
        "restart",
    ),
    Key(
        "pit",
        "settle",
        "duration",
        1,
        "How long a dropped file must rest to count as whole, where the system cannot tell "
        "that it is being written.",
        "now",
    ),
    Key(
        "pit",
        "attempts",
        "integer",
        3,
        "Runs of a task before it goes to `scraps/`, unless the task says otherwise.",
        "now",
        least=1,
        most=1000,
    ),
    Key(
        "pit",
        "timeout",
        "duration",
        "60m",
        "A run longer than this is ended and counted, unless the task says otherwise.",
        "now",
        above=0,
    ),
    Key(
        "pit",
        "durable",
        "text",
        "power",
        "`power`: what was acknowledged survives a power loss; `kill`: it survives the "
        "death of any process, and is faster.",
        "reload",
        allowed=("power", "kill"),
    ),
    Key(
        "pit",
        "keep_waste_days",
        "number",
        14,
        "`waste/` older than this is removed.",
        "now",
        least=0,
    ),
    Key(
        "pit",
        "keep_waste_gb",
        "number",
        5,
        "Above this size the oldest of `waste/` is removed first.",
        "now",
        least=0,
    ),
    Key("pit", "roots", "paths", ["."], "Folders inside which a task's own `dir:` may lie.", "now"),
)

_OTHER = (
    Key(
        "script",
        "accept",
        "text",
        "person",
        "Whose `run` fences are run: a person's only, what snakes write waiting for "
        "`agents.py allow TASK`, or `all`.",
        "now",
        allowed=("person", "all"),
    ),
    Key(
        "events",
        "keep_days",
        "number",
        30,
        "Old segments of events.jsonl are kept this long.",
        "now",
        least=0,
    ),
)

POOL_WIDE = (*_WATCHDOG, *_DEFAULTS, *_PIT, *_OTHER)
