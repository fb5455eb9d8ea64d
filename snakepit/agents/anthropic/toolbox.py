"""Owns what a tool is and the agent's own six: bash, read, write, edit, glob, grep; it runs none by itself."""

import shutil
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from snakepit.agents.anthropic.files import Files, FileTrouble
from snakepit.agents.anthropic.shell import Output, Shell
from snakepit.core.conversation import Ending
from snakepit.core.duration import format_duration

LONGEST_COMMAND = 600.0  # seconds
GREP_TIME = 30.0  # seconds

Given = Mapping[str, Any]


class ToolResult(NamedTuple):
    """`ending`: the conversation is over with it."""

    text: str
    is_error: bool = False
    ending: Ending | None = None


class Tool(NamedTuple):
    """`schema` is a JSON Schema of an object. `is_pure`: a call that was cut off may simply run again.
    `ends`: the conversation is over with it, if it succeeds."""

    name: str
    description: str
    schema: Mapping[str, object]
    run: Callable[[Given], ToolResult]
    is_pure: bool = False
    ends: bool = False

    def definition(self) -> dict[str, object]:
        return {"name": self.name, "description": self.description, "input_schema": self.schema}


class Toolbox:
    def __init__(self, tools: Iterable[Tool]) -> None:
        self._tools = {tool.name: tool for tool in tools}

    @property
    def names(self) -> list[str]:
        return list(self._tools)

    def is_pure(self, name: str) -> bool:
        return name in self._tools and self._tools[name].is_pure

    def ends(self, name: str) -> bool:
        return name in self._tools and self._tools[name].ends

    def definitions(self) -> list[dict[str, object]]:
        return [tool.definition() for tool in self._tools.values()]

    def run(self, name: str, given: object) -> ToolResult:
        """What the model did wrong is told to it; `Stopped` and a full disk are not its concern and pass."""
        tool = self._tools.get(name)
        if tool is None:
            return ToolResult(f"there is no tool {name}; there are {', '.join(self._tools)}", True)
        problem = problem_with(tool.schema, given)
        if problem:
            return ToolResult(f"{name}: {problem}", True)
        assert isinstance(given, Mapping)
        try:
            return tool.run(given)
        except (FileTrouble, FileNotFoundError, NotADirectoryError, PermissionError) as trouble:
            return ToolResult(str(trouble), True)
        except UnicodeError as error:
            return ToolResult(f"{name}: text that cannot be written: {error}", True)


_TYPES: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def problem_with(schema: Mapping[str, Any], given: object) -> str:
    """Why the input does not fit, "" when it does: names and types, as far as our schemas go."""
    if not isinstance(given, Mapping):
        return "the input is no object"
    properties = schema["properties"]
    missing = [name for name in schema.get("required", ()) if name not in given]
    if missing:
        return f"{', '.join(missing)} is missing"
    for name, value in given.items():
        if name not in properties:
            return f"unknown key {name}; known are {', '.join(properties)}"
        kind = properties[name].get("type", "string")
        is_flag = isinstance(value, bool)
        if not isinstance(value, _TYPES[kind]) or (is_flag and kind != "boolean"):
            return f"{name} must be of type {kind}"
    return ""


def shape(required: str = "", /, **properties: Mapping[str, object]) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": required.split(),
        "additionalProperties": False,
    }


def text(doc: str) -> dict[str, object]:
    return {"type": "string", "description": doc}


def number(doc: str) -> dict[str, object]:
    return {"type": "integer", "description": doc}


def flag(doc: str) -> dict[str, object]:
    return {"type": "boolean", "description": doc}


def own_tools(shell: Shell, files: Files, *, command_timeout: float) -> list[Tool]:
    def bash(given: Given) -> ToolResult:
        wanted = float(given.get("timeout", 0)) or command_timeout
        timeout_s = min(wanted, max(LONGEST_COMMAND, command_timeout))
        return _told(shell.run(given["command"], timeout_s), timeout_s)

    def read(given: Given) -> ToolResult:
        offset, limit = given.get("offset", 1), given.get("limit", 2000)
        return ToolResult(files.read(given["path"], offset, limit))

    def write(given: Given) -> ToolResult:
        return ToolResult(files.write(given["path"], given["content"]))

    def edit(given: Given) -> ToolResult:
        replace_all = given.get("replace_all", False)
        old, new = given["old_string"], given["new_string"]
        return ToolResult(files.edit(given["path"], old, new, replace_all=replace_all))

    def glob(given: Given) -> ToolResult:
        return ToolResult(files.glob(given["pattern"], given.get("path", ".")))

    def grep(given: Given) -> ToolResult:
        target = files.resolved(given.get("path", "."))
        argv = _grep(given, str(target) if given.get("path") else ".")
        output = shell.once(argv, GREP_TIME)
        if output.status == 1:
            return ToolResult("nothing matches")
        if output.is_over_time:
            return ToolResult(f"{output.text}\n[ended after {GREP_TIME:.0f} s]", True)
        return ToolResult(output.text or "nothing matches", output.status not in (0, None))

    return [
        Tool(
            "bash",
            "Run a command in a bash that stays: its folder, variables and background processes "
            "are there for the next one. No terminal, no input. A long output is cut in its middle "
            "and kept in a file. On a timeout everything it started is killed and the shell is new.",
            shape(
                "command",
                command=text("The command or script."),
                timeout=number(f"Seconds, at most {LONGEST_COMMAND:.0f}."),
            ),
            bash,
        ),
        Tool(
            "read",
            "Read a text file with line numbers.",
            shape(
                "path",
                path=text("Relative to your folder, or absolute."),
                offset=number("First line, 1 if not given."),
                limit=number("Number of lines."),
            ),
            read,
        ),
        Tool(
            "write",
            "Write a whole file; folders are made, what was there is replaced.",
            shape("path content", path=text("The file."), content=text("All of its text.")),
            write,
        ),
        Tool(
            "edit",
            "Replace a text in a file. It must be there exactly once, or replace_all is true.",
            shape(
                "path old_string new_string",
                path=text("The file."),
                old_string=text("The text as it stands there, without line numbers."),
                new_string=text("What takes its place."),
                replace_all=flag("Replace every occurrence."),
            ),
            edit,
        ),
        Tool(
            "glob",
            "List files whose path matches: * in a name, ** over folders, {a,b}.",
            shape("pattern", pattern=text("As src/**/*.py."), path=text("Folder to look in.")),
            glob,
        ),
        Tool(
            "grep",
            "Search files for an extended regular expression; gives path:line:text.",
            shape(
                "pattern",
                pattern=text("The expression."),
                path=text("File or folder."),
                include=text("Only files of this name, as *.py."),
                ignore_case=flag("Upper and lower case are the same."),
            ),
            grep,
        ),
    ]


def _grep(given: Given, target: str) -> list[str]:
    program = shutil.which("rg")
    ignore = ["-i"] if given.get("ignore_case") else []
    include = given.get("include")
    if program:
        only = ["-g", include] if include else []
        head = [program, "-n", "--no-heading", "--color=never", "-M", "400", *ignore, *only]
    else:
        only = [f"--include={include}"] if include else []
        head = ["grep", "-rnIE", "--exclude-dir=.git", "--color=never", *ignore, *only]
    return [*head, "-e", given["pattern"], "--", target]


def _told(output: Output, timeout_s: float) -> ToolResult:
    said = output.text or "(no output)"
    if output.is_over_time:
        spent = format_duration(timeout_s)
        return ToolResult(
            f"{said}\n[killed after {spent}; the next command gets a new shell]", True
        )
    if output.status is None:
        return ToolResult(said, True)
    if output.status:
        return ToolResult(f"{said}\n[exit {output.status}]", True)
    return ToolResult(said)
