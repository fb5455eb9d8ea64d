"""Owns the keys of the tables below a [backend.NAME]; loaded only where one is read or explained."""

from snakepit.config.key import Key, Table

_T = "task"
NEEDS = ("nothing", "trust_workspace", "permissions", "api_key", "person")

DEEP: tuple[Table, ...] = (
    Table("start", "single", "The interactive start, after `bin` and `flags`."),
    Table("task", "single", 'One run without a person, for `kind = "task"`.'),
    Table(
        "stream",
        "named",
        "How one JSON line that such a run prints is read. Every rule that fits counts, in order.",
    ),
    Table(
        "trouble",
        "named",
        "What an error text means; the first rule that matches counts, yours before the built-in.",
    ),
    Table("dialogs", "named", "A question on the screen, and which answer the config allows."),
    Table("hooks", "single", "How hooks are given to the program, for one launch only."),
    Table("mcp", "single", "How an MCP server is given to the program, for one launch only."),
    Table("account", "single", "What tells one account from another; values are only hashed."),
    Table("screen", "single", "How its screen is read, where nothing better tells."),
    Table("typing", "single", "How text is typed into it."),
)


def _words(table: str, name: str, default: list[str], doc: str) -> Key:
    return Key(table, name, "texts", default, doc)


def _map(table: str, name: str, doc: str) -> Key:
    return Key(table, name, "map", {}, doc)


def _text(table: str, name: str, doc: str, default: str = "") -> Key:
    return Key(table, name, "text", default, doc)


def _regex(table: str, name: str, doc: str) -> Key:
    return Key(table, name, "regex", "", doc)


_START = (
    _words("start", "argv", [], "Arguments that are always given; `flags` are beside them."),
    _words("start", "model", ["--model", "{model}"], "Arguments that name the model."),
    _words("start", "fresh", [], "Arguments that give a new conversation the id we chose."),
    _words("start", "resume", ["--resume", "{session_id}"], "Arguments that take one up."),
    _words("start", "prompt", ["{kickoff}"], "The arguments of the first prompt."),
    _words("start", "remote_control", ["--remote-control", "{session}"], "With `remote_control`."),
    _map("start", "env", "Variables that keep it calm: no updates, no surveys."),
    _regex("start", "id_re", "Finds the conversation's id in what it prints at its end."),
)

_TASK = (
    _words(
        _T, "argv", [], "After `bin`; `{flags}` are `flags`. Without it there is no run per task."
    ),
    Key(_T, "prompt", "text", "stdin", "How the prompt arrives.", allowed=("stdin", "arg", "file")),
    _words(
        _T, "prompt_argv", ["{prompt}"], "For `arg` with `{prompt}`, for `file` `{prompt_file}`."
    ),
    _words(_T, "model", ["--model", "{model}"], "Arguments that name the model."),
    _words(_T, "fresh", [], "Arguments that give the run the `{session_id}` we chose."),
    _words(_T, "resume", [], "Arguments that take up `{session_id}` on a retry."),
    Key(
        _T,
        "format",
        "text",
        "jsonl",
        "`text`: all it prints is the answer.",
        allowed=("jsonl", "text"),
    ),
    _map(_T, "env", "More variables."),
)

_STREAM = (
    Key(
        "stream",
        "when",
        "rule",
        {},
        'Path = value, regular expression, `"*"` there, `"?"` not empty, `"!"` empty.',
    ),
    _map("stream", "take", "Field = path, `a | b`, `a - b`, `=word`; `+field` adds."),
    _text("stream", "show", "A line for who looks on: `{path}`, `{path:80}`."),
    _text("stream", "each", "A list in the line; paths with a dot in front start at its elements."),
    Key("stream", "off", "flag", False, "Leave the rule out."),
)

_TROUBLE = (
    Key(
        "trouble",
        "kind",
        "text",
        "failed",
        "What it is.",
        allowed=(
            "failed",
            "limited",
            "overloaded",
            "auth",
            "billing",
            "context_full",
            "poisoned",
            "config",
            "interrupted",
        ),
    ),
    _regex("trouble", "match", "Searched in the error text on one line, case ignored."),
    _regex("trouble", "reset", "Finds the words that say until when."),
    _text("trouble", "scope", "The model it is about; empty: the whole account."),
    Key("trouble", "within", "duration", 0, "How far away the reset can be; 0: not known."),
    Key("trouble", "off", "flag", False, "Leave the rule out."),
)

_DIALOGS = (
    _words("dialogs", "match", [], "Regular expressions; all must be found on the screen."),
    Key("dialogs", "needs", "text", "person", "The consent that answering needs.", allowed=NEEDS),
    _regex("dialogs", "choose", "Matches the label to choose; empty: never answered by us."),
    _text("dialogs", "selected", "The label that is preselected, where that was seen."),
    _text("dialogs", "mark", "What stands before the chosen row.", ">"),
    _text("dialogs", "key", "The key to press where there is nothing to choose."),
    _text("dialogs", "says", "The question in plain words, for `status`."),
    Key("dialogs", "off", "flag", False, "Leave the rule out."),
)


def _way(table: str) -> tuple[Key, ...]:
    return (
        _words(table, "argv", [], "Arguments; `{folder}` holds the files."),
        _map(table, "env", "Variables."),
        _map(table, "files", "File name = text, written into `{folder}`."),
        _map(table, "events", "The program's name of an event = ours."),
        _map(table, "status", "What its status line is told = the dotted path to it."),
        _text(table, "note", "What was not verified."),
    )


_ACCOUNT = (
    _text("account", "name", "Names the account in `status`."),
    _words("account", "env", [], "Variables whose values tell accounts apart."),
    _words("account", "folder_env", [], "Variables that may name the folder of the login."),
    _text("account", "folder", "The folder of the login without them."),
)

_SCREEN = tuple(
    _regex("screen", name, doc)
    for name, doc in (
        ("ready", "It takes a prompt."),
        ("working", "It is at work."),
        ("confirm", "It asks something."),
        ("limit", "The account is limited."),
        ("reset", "Until when; the first group."),
        ("fatal", "The conversation cannot go on."),
        ("transient", "It tries again by itself."),
        ("auth", "The login is refused."),
        ("composer", "One group: what stands typed and not sent."),
        ("hint", "What the composer shows by itself."),
        ("title_working", "The pane's title while at work."),
        ("title_ready", "The pane's title while idle."),
        ("title_confirm", "The pane's title while it asks."),
        ("osc", "The state in an escape sequence of the pane; one group."),
    )
)

_TYPING = (
    Key("typing", "gap", "duration", 0.5, "Time between a text and the key that sends it."),
    Key("typing", "paste", "flag", True, "It knows bracketed paste."),
    Key("typing", "literal_most", "integer", 0, "Longer texts are pasted; 0: all are.", least=0),
    _words("typing", "interrupt", ["Escape"], "tmux keys that end a turn."),
    _words("typing", "clear", [], "tmux keys that empty a composer with one line in it."),
    _words("typing", "leave", [], "Keys or a command that end the program."),
    _words("typing", "log", [], "Files it notes its prompts in: globs; `{folder}` is the login's."),
)

DEEP_KEYS: tuple[Key, ...] = (
    *_START,
    *_TASK,
    *_STREAM,
    *_TROUBLE,
    *_DIALOGS,
    *_way("hooks"),
    *_way("mcp"),
    *_ACCOUNT,
    *_SCREEN,
    *_TYPING,
)
DEEP_TABLE: dict[str, Table] = {table.name: table for table in DEEP}
BY_DEEP: dict[str, dict[str, Key]] = {
    table.name: {key.name: key for key in DEEP_KEYS if key.table == table.name} for table in DEEP
}
