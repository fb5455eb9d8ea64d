"""Owns what every vendor's API has in common, as the stand-in sees it."""

import json
import secrets
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, ClassVar, NamedTuple

from tests.standin.steps import Call, Fault, Step

Json = dict[str, Any]


class Talk(NamedTuple):
    """A request's conversation, the same shape for every vendor."""

    system: str
    users: tuple[str, ...]  # each block of text that came from the user's side
    results: tuple[str, ...]  # of the tool calls since the user last spoke
    calls: tuple[Call, ...]  # every call that the model is said to have made
    tools: Mapping[str, Mapping[str, Any]]  # name -> JSON schema of the arguments


class Frame(NamedTuple):
    data: bytes
    is_delta: bool = False


class Dialect(ABC):
    name: ClassVar[str]

    @abstractmethod
    def read(self, body: Json) -> Talk: ...

    @abstractmethod
    def whole(self, step: Step, model: str) -> Json: ...

    @abstractmethod
    def frames(self, step: Step, model: str) -> Iterator[Frame]: ...

    @abstractmethod
    def faults(self, now: int, step: Step) -> Mapping[str, Fault]:
        """Its own error answers; `now` is in unix seconds."""

    def fault(self, now: int, step: Step) -> Fault:
        known = self.faults(now, step)
        found = known.get(step.fault) or known.get(step.fault.partition("_")[0])
        return found or known["500"]

    def error_frame(self) -> Frame:
        """An error in the middle of a stream."""
        return sse({"error": {"message": "Overloaded", "type": "overloaded_error"}})

    def garbage(self) -> Frame:
        return Frame(b'data: {"type":"content_block_del\n\nevent: ???\ndata: <html>502</html>\n\n')


def sse(data: Mapping[str, Any] | str, event: str = "", *, is_delta: bool = False) -> Frame:
    text = data if isinstance(data, str) else json.dumps(data)
    head = f"event: {event}\n" if event else ""
    return Frame(f"{head}data: {text}\n\n".encode(), is_delta)


def new_id(prefix: str) -> str:
    return prefix + secrets.token_hex(11)


def pieces(text: str, size: int) -> list[str]:
    return [text[at : at + size] for at in range(0, len(text), size)]


def texts(content: object) -> list[str]:
    """The blocks of text in a message's content, in any dialect."""
    if isinstance(content, str):
        return [content]
    if not isinstance(content, list):
        return []
    found = [part.get("text") for part in content if isinstance(part, dict)]
    return [text for text in found if isinstance(text, str)]


SHELLS = (
    *("Bash", "bash", "exec_command", "shell_command", "shell", "local_shell", "container.exec"),
    *("run_shell_command", "terminal", "execute_command"),
)
WRITERS = ("Write", "write", "write_file", "write_to_file")
COMMANDS = ("command", "cmd", "script")
PATHS = ("file_path", "filePath", "path", "absolute_path")
CONTENTS = ("content", "contents", "text")


def with_calls(step: Step, tools: Mapping[str, Mapping[str, Any]]) -> Step:
    """`shell` and `write` as calls of the tools that the client offers."""
    calls = list(step.calls)
    if step.write is not None:
        calls.append(_write(step.write, tools))
    if step.shell:
        calls.append(_shell(step.shell, tools))
    return step.but(calls=tuple(calls), shell="", write=None)


def _shell(command: str, tools: Mapping[str, Mapping[str, Any]]) -> Call:
    name = _first(SHELLS, tools)
    schema = tools[name]
    key = _first(COMMANDS, schema.get("properties") or {"command": {}})
    wants_list = _type(schema.get("properties", {}).get(key, {})) == "array"
    given: object = ["bash", "-lc", command] if wants_list else command
    return Call(name, {**_required(schema), key: given})


def _write(file: tuple[str, str], tools: Mapping[str, Mapping[str, Any]]) -> Call:
    if not set(WRITERS) & set(tools):
        path, content = file
        return _shell(f"cat > '{path}' <<'STANDIN'\n{content}\nSTANDIN", tools)
    name = _first(WRITERS, tools)
    schema = tools[name]
    properties = schema.get("properties", {})
    named = {_first(PATHS, properties): file[0], _first(CONTENTS, properties): file[1]}
    return Call(name, {**_required(schema), **named})


def _first(wanted: Sequence[str], offered: Mapping[str, Any]) -> str:
    found = next((name for name in wanted if name in offered), "")
    if not found:
        msg = f"the client offers none of {', '.join(wanted)}, only {', '.join(offered)}"
        raise LookupError(msg)
    return found


def _required(schema: Mapping[str, Any]) -> Json:
    """Some value of the right type for every argument that must be there."""
    values: Json = {"boolean": False, "number": 10000, "integer": 10000, "array": [], "object": {}}
    properties = schema.get("properties", {})
    return {
        name: values.get(_type(properties.get(name, {})), "stand-in")
        for name in schema.get("required", ())
    }


def _type(schema: Mapping[str, Any]) -> str:
    kind = schema.get("type")
    return str(kind[0] if isinstance(kind, list) and kind else kind).lower()
