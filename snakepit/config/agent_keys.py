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
    Key(
        "backend",
        "like",
        "text",
        "",
        "A built-in program whose keys and tables this one has where it says nothing else.",
    ),
    Key(
        "backend",
        "runner",
        "text",
        "program",
        "`program`: an agent program; `script`: the task's own code; `conversation`: our own agent, "
        "with a server that speaks the Messages API.",
        allowed=("program", "script", "conversation"),
    ),
    Key("backend", "thinks", "flag", True, "It calls a model."),
    Key("backend", "model", "text", "", "Model of agents that name none."),
    Key("backend", "seen", "texts", [], "Oldest and newest version that this was tried with."),
    Key("backend", "version_argv", "texts", ["--version"], "Arguments that print the version."),
    Key("backend", "version_re", "regex", "", "Finds it there; empty: the first 1.2.3."),
    Key(
        "backend",
        "recovery",
        "duration",
        300,
        "It may be silent for this long while it mends a connection by itself.",
        "now",
    ),
    Key("backend", "feeds", "texts", ["self"], "How it can be fed: `self`, `push`, `task`."),
    Key("backend", "unverified", "texts", [], "What nobody tried yet, for `agents.py backends`."),
    Key("backend", "needs_env", "texts", [], "One of these variables must be set."),
    Key(
        "backend",
        "asks_nothing",
        "texts",
        [],
        "Arguments that make it act without asking a person.",
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
        "`persistent`: always on; `task`: the program is run once for each task, by our worker. "
        "`loop` belongs to a phase machine that this program does not have.",
        allowed=("persistent", "task", "loop"),
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
        "start",
        "text",
        "up",
        "`up`: it runs as long as the pool; `demand`: its session starts when there is food for it "
        "or somebody attaches, and is not started again when it ends.",
        allowed=("up", "demand"),
    ),
    Key(
        "agent",
        "prompt_file",
        "path",
        None,
        "A file whose text comes before `prompt`, read at each start.",
        "now",
        default_doc="none",
    ),
    Key(
        "agent",
        "wake",
        "wake",
        None,
        '`{ interval = "30m", prompt_file = "prompts/keeper-survey.md" }`: told this again and '
        'again, only while idle; a snake with `kind = "task"` gets it as a task. With '
        '`grown = ["waste", "scraps"]` only when one of these grew since the last time.',
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
        "`self`: the program claims its food; `push`: the daemon claims for it and tells it; "
        "`task`: our worker claims and runs it.",
        allowed=("self", "push", "task"),
        default_doc='`task` with `kind = "task"` or our own runners, else `self`',
    ),
    Key(
        "agent",
        "workspace",
        "text",
        None,
        "`worktree`: each task in its own git worktree, where `dir` is in a repository; `shared`: "
        "in `dir` itself.",
        allowed=("worktree", "shared"),
        default_doc='`worktree` with `kind = "task"`, else `shared`',
    ),
    Key("agent", "base", "text", "", "Branch or commit that worktrees start from; empty: HEAD."),
    Key(
        "agent",
        "trust_workspace",
        "flag",
        None,
        "Answer the program's question whether it may trust the folder it works in.",
        default_doc="`defaults.trust_workspace`",
    ),
    Key("agent", "hooks", "flag", True, "Give it hooks at its start, where it can have some."),
    Key("agent", "mcp", "flag", True, "Give it our verbs as an MCP server, where it can have one."),
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
