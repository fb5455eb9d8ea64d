"""Owns what a program is given for one launch: arguments, variables and files for hooks and our MCP server.

All of it lies in a folder of the launch and in the launch's own command; nothing of a person's is changed.
"""

import json
import os
import re
import shlex
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple, Protocol

_PLACE = re.compile(
    r"\{(folder|hook|hook_json|hook_list|status|status_json|status_list|mcp_command|mcp_args|mcp_list)\}"
)


class Way(Protocol):
    """What is read of `[backend.NAME.hooks]` and `[backend.NAME.mcp]`."""

    @property
    def argv(self) -> Sequence[str]: ...
    @property
    def env(self) -> Mapping[str, str]: ...
    @property
    def files(self) -> Mapping[str, str]: ...


class Given(NamedTuple):
    argv: tuple[str, ...] = ()
    env: Mapping[str, str] = {}


def give(
    ways: Iterable[Way],
    folder: Path,
    *,
    hook: Sequence[str] = (),
    status: Sequence[str] = (),
    server: Sequence[str] = (),
) -> Given:
    """Write the files into the folder, which is made where missing; files of the same name become one."""
    values = {
        "folder": str(folder),
        **_words("hook", hook),
        **_words("status", status),
        "mcp_list": json.dumps(list(server)),
        "mcp_command": json.dumps(server[0] if server else ""),
        "mcp_args": json.dumps(list(server[1:])),
    }
    argv: list[str] = []
    env: dict[str, str] = {}
    files: dict[str, str] = {}
    for way in ways:
        argv += [_fill(word, values) for word in way.argv]
        env |= {name: _fill(text, values) for name, text in way.env.items()}
        for name, text in way.files.items():
            filled = _fill(text, values)
            files[name] = _joined(files[name], filled) if name in files else filled
    for name, text in files.items():
        write_anew(folder / name, text)
    return Given(tuple(argv), env)


def write_anew(path: Path, text: str) -> None:
    """Private, whole or not at all, in place of an earlier one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(hidden, flags, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        os.replace(hidden, path)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise


def _words(name: str, words: Sequence[str]) -> dict[str, str]:
    line = shlex.join(words)
    return {name: line, f"{name}_json": json.dumps(line), f"{name}_list": json.dumps(list(words))}


def _fill(text: str, values: Mapping[str, str]) -> str:
    return _PLACE.sub(lambda found: values[found[1]], text)


def _joined(first: str, second: str) -> str:
    """Two JSON objects as one, the keys of both at every depth; the second wins where both say something."""
    return json.dumps(_merged(json.loads(first), json.loads(second)), indent=1)


def _merged(first: object, second: object) -> object:
    if not isinstance(first, dict) or not isinstance(second, dict):
        return second
    both = {key: _merged(first[key], second[key]) for key in first.keys() & second.keys()}
    return {**first, **second, **both}
