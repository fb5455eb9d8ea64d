"""Owns the keys of what runs in a session: [backend.NAME], [[agent]], [[pool]] and [[service]]."""

from snakepit.config.key import NAME, VARIABLE, Key
from snakepit.config.wide_keys import WATCH

_FILLED = r"(?s).*\S.*"
_FILLED_DOC = "not empty"

_BACKEND = (
    Key(
        "backend",
        "bin",
        "text",
        None,
        'Program, or with `prompt_delivery = "exec"` a whole shell line. `{session}`, `{name}`, '
        "`{model}` and `{kickoff}` are filled in, escaped for the quotes they stand in.",
        pattern=_FILLED,
        pattern_doc=_FILLED_DOC,
        default_doc="the table's name",
    ),
    Key("backend", "flags", "text", "", "More arguments, split as a shell does."),
    Key(
        "backend",
        "remote_control",
        "flag",
        False,
        "Start with the program's remote control, where it has one.",
    ),
    Key(
        "backend",
        "supports_resume",
        "flag",
        False,
        "The program can take up an earlier conversation.",
    ),
    Key(
        "backend",
        "prompt_delivery",
        "text",
        "arg",
        "`arg`: the prompt is the last argument; `exec`: `bin` is a shell line that names "
        "`{kickoff}` itself.",
        allowed=("arg", "exec"),
    ),
    Key(
        "backend",
        "process_name",
        "text",
        None,
        "The program as the process list shows it.",
        default_doc="the last part of `bin`",
        applies="now",
    ),
    Key("backend", "submit_key", "text", "Enter", "tmux key that submits typed text.", "now"),
    Key(
        "backend",
        "stall_idle",
        "duration",
        300,
        "No change on the screen and no `active_re` for this long is a stall.",
        "now",
        above=0,
    ),
    Key("backend", "active_re", "regex", "", "The screen matches: it is working.", "now"),
    Key("backend", "limit_re", "regex", "", "The screen matches: the account is limited.", "now"),
    Key(
        "backend",
        "fatal_re",
        "regex",
        "",
        "The screen matches: this conversation can not go on; the next start is a fresh one.",
        "now",
    ),
    Key(
        "backend",
        "env_pass",
        "names",
        [],
        "Variables of yours that this program needs, keys included.",
        pattern=VARIABLE,
        pattern_doc="the name of an environment variable",
    ),
)

_AGENT = (
    Key(
        "agent",
        "name",
        "text",
        None,
        "Names the snake, its session and its folder in `claimed/`: a-z, 0-9 and -, at most 40.",
        pattern=NAME,
        pattern_doc="only a-z, 0-9 and -, and no - in front",
        most=40,
        required=True,
    ),
    Key(
        "agent",
        "kind",
        "text",
        "persistent",
        "`persistent`: always on. `loop` belongs to a phase machine that this program does "
        "not have.",
        allowed=("persistent", "loop"),
    ),
    Key(
        "agent",
        "backend",
        "text",
        None,
        "The program, a `[backend.NAME]`.",
        default_doc="`defaults.backend`",
    ),
    Key(
        "agent",
        "model",
        "text",
        None,
        "Model passed to the program.",
        default_doc="`defaults.model`",
    ),
    Key(
        "agent",
        "resume",
        "flag",
        True,
        "After a restart take up the conversation, where the program can and it was not at fault.",
    ),
    Key(
        "agent",
        "watch",
        "text",
        None,
        "`heal`, `observe` or `none`.",
        "now",
        allowed=WATCH,
        default_doc="`defaults.watch`",
    ),
    Key("agent", "prompt", "text", "", "What the snake is told at its start."),
    Key(
        "agent",
        "wake",
        "wake",
        None,
        '`{ interval = "30m", prompt_file = "prompts/keeper-survey.md" }`: told this again and '
        "again, only while idle.",
        "now",
        default_doc="none",
    ),
    Key(
        "agent",
        "species",
        "text",
        None,
        "What kind of snake it is: worker, planner, keeper, cleanup, script, or a word of yours.",
        pattern=NAME,
        pattern_doc="only a-z, 0-9 and -, and no - in front",
        most=40,
        default_doc=(
            "the name, where that is keeper, planner or cleanup; `script` for the script "
            "backend; else worker"
        ),
    ),
    Key(
        "agent",
        "eats",
        "eats",
        None,
        "Species of tasks it takes: a list, or `{ species = [...], labels = [...] }` to "
        "take only tasks with one of the labels.",
        "reload",
        default_doc="its own species",
    ),
    Key(
        "agent",
        "feed",
        "text",
        None,
        "`self`: the program claims its food; `task`: our worker claims and runs it.",
        allowed=("self", "task"),
        default_doc="`task` for the script backend, else `self`",
    ),
    Key("agent", "env", "environment", {}, "Variables it gets, beside HOME, PATH and the like."),
    Key(
        "agent",
        "env_pass",
        "names",
        [],
        "Variables of yours passed through, beside those of its backend.",
        pattern=VARIABLE,
        pattern_doc="the name of an environment variable",
    ),
    Key("agent", "dir", "path", ".", "Folder it works in."),
)

_POOL = (
    Key(
        "pool",
        "name",
        "text",
        None,
        "Members are `name-1` to `name-<count>`; in `prompt` `{name}` and `{id}` are the "
        "member's name and number.",
        pattern=NAME,
        pattern_doc="only a-z, 0-9 and -, and no - in front",
        most=36,
        required=True,
    ),
    Key(
        "pool",
        "count",
        "integer",
        None,
        "How many; `agents.py scale NAME=N` changes it without touching this file.",
        "reload",
        least=0,
        most=999,
        required=True,
    ),
)

_SERVICE = (
    Key(
        "service",
        "name",
        "text",
        None,
        "Names the service and its session.",
        pattern=NAME,
        pattern_doc="only a-z, 0-9 and -, and no - in front",
        most=40,
        required=True,
    ),
    Key(
        "service",
        "command",
        "text",
        None,
        "Any shell command. `snakepit …` is this program, with this config.",
        pattern=_FILLED,
        pattern_doc=_FILLED_DOC,
        required=True,
    ),
    Key("service", "dir", "path", ".", "Folder it runs in."),
)

SESSION_KEYS = (
    *_BACKEND,
    *_AGENT,
    *_POOL,
    *(key._replace(table="pool") for key in _AGENT if key.name != "name"),
    *_SERVICE,
)
