"""Owns what the tables below a [backend.NAME] mean: how its program is run, read, answered and told apart.

Only loaded when such a table is asked for: most verbs need none of it. Placeholders in argv, env and
files are words in braces; who uses a table says which it fills, and fills none twice.
"""

from collections.abc import Mapping
from typing import NamedTuple

from snakepit.core.stream import StreamRule


class Start(NamedTuple):
    """The interactive start, after `bin` and `flags`: {session_id} {model} {session} {kickoff}.

    `argv` always; the others when there is a model, an id to choose (`fresh`) or to take up (`resume`),
    remote control, a prompt. An empty `fresh` means that the program chooses the id itself.
    """

    argv: tuple[str, ...] = ()
    model: tuple[str, ...] = ("--model", "{model}")
    fresh: tuple[str, ...] = ()
    resume: tuple[str, ...] = ("--resume", "{session_id}")
    prompt: tuple[str, ...] = ("{kickoff}",)
    remote_control: tuple[str, ...] = ("--remote-control", "{session}")
    env: Mapping[str, str] = {}
    id_re: str = ""


class TaskRun(NamedTuple):
    """One run without a person: `bin`, `argv`, `model`, then `fresh` or `resume`, then the prompt.

    The word {flags} in a file's `argv` is the backend's flags; here they are already in their place.
    prompt: "stdin"; "arg": `prompt_argv` with {prompt} filled; "file": the same with {prompt_file}.
    `is_fresh_id`: we choose the session id (a UUID) with `fresh`; else read it from the stream, and
    `resume` needs it. format: "jsonl", read by `stream` (core/stream.py), or "text": all is the answer.
    `env` is added to the program's environment.
    """

    argv: tuple[str, ...]
    prompt: str = "stdin"
    prompt_argv: tuple[str, ...] = ("{prompt}",)
    model: tuple[str, ...] = ("--model", "{model}")
    fresh: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()
    format: str = "jsonl"
    env: Mapping[str, str] = {}
    stream: tuple[StreamRule, ...] = ()

    @property
    def is_fresh_id(self) -> bool:
        return any("{session_id}" in word for word in self.fresh)


class Dialog(NamedTuple):
    """A question that the program puts on the screen before or instead of working.

    All of `match` must be found on the screen. `mark` stands before the chosen row, `selected` is the row
    it stands at first. `choose` matches the whole label of the right answer (without number and mark), "" where
    only a person may answer; `key` is the key to press where there is nothing to choose.
    needs: "nothing", "trust_workspace", "permissions" (flags that skip them are consent), "api_key" (a key
    given in env is), or "person".
    """

    name: str
    match: tuple[str, ...]
    needs: str = "person"
    choose: str = ""
    selected: str = ""
    mark: str = ">"
    key: str = ""
    says: str = ""


class Way(NamedTuple):
    """Hooks or an MCP server given for one launch.

    {folder} holds `files` (name: text). {hook} is our command as one shell line, {hook_json} that line as a
    JSON string, {hook_list} its words as a JSON list; {mcp_command}, {mcp_args} and {mcp_list} are program,
    arguments and all words of our server, as JSON. {status} and its kin are the command of a status line. Files
    of the same name from both are joined as JSON. `events`: the program's own name of a hook: our name of it.
    `status`: what a status line is told: session, model, cost_usd, context_limit, context_used (percent) and
    windows (name: used_percentage, resets_at), each by its dotted path.
    """

    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = {}
    files: Mapping[str, str] = {}
    events: Mapping[str, str] = {}
    status: Mapping[str, str] = {}
    note: str = ""

    def __bool__(self) -> bool:
        return bool(self.argv or self.env or self.files)


class Account(NamedTuple):
    """Who pays and is limited. Two snakes share an account when `env` has the same values and `folder`
    (the first variable of `folder_env` that is set, else `folder`) is the same."""

    name: str = ""
    env: tuple[str, ...] = ()
    folder_env: tuple[str, ...] = ()
    folder: str = ""


class Screen(NamedTuple):
    """Regular expressions (multi-line) for the last rows of the screen, and for the title.

    `ready` alone does not mean idle: it counts where neither `working` nor `confirm` matches. `composer`
    has one group: what stands typed and not sent; `hint`: what it shows there by itself.
    """

    ready: str = ""
    working: str = ""
    confirm: str = ""
    limit: str = ""
    reset: str = ""
    fatal: str = ""
    transient: str = ""
    auth: str = ""
    composer: str = ""
    hint: str = ""
    title_working: str = ""
    title_ready: str = ""
    title_confirm: str = ""
    osc: str = ""


class Typing(NamedTuple):
    """`clear` empties a composer with one line in it. `gap_s` between a text and the key that sends it;
    `literal_most`: longer texts are pasted. `log`: globs of the files in which the program notes what it
    was told; {folder} is the account's, {dir} the agent's."""

    gap_s: float = 0.5
    paste: bool = True
    literal_most: int = 0
    interrupt: tuple[str, ...] = ("Escape",)
    clear: tuple[str, ...] = ()
    leave: tuple[str, ...] = ()
    log: tuple[str, ...] = ()
