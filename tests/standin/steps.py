"""Owns what a stand-in can be told to do with one request, whoever's API it speaks."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from tests.standin.space import Asked


class Call(NamedTuple):
    """A tool call of the model, with the tool's own name and arguments."""

    name: str
    input: Mapping[str, Any]


class Fault(NamedTuple):
    """An error answer: a body that is text goes out as it is."""

    status: int
    body: Mapping[str, Any] | str
    headers: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """`shell` and `write` become calls of whatever tool the client offers for that."""

    name: str = ""
    text: str = ""
    thinking: str = ""
    calls: tuple[Call, ...] = ()
    shell: str = ""
    write: tuple[str, str] | None = None  # path, content
    stop: str = ""  # the stop reason, in the words of the Messages API
    usage: Mapping[str, int] = field(default_factory=dict)  # as the Messages API counts
    fault: str = ""  # a name in the dialect's table of faults
    reset_s: int | None = None  # of a limit: seconds until it is over
    retry_s: int | None = None  # of a rate limit: what retry-after says
    headers: Mapping[str, str] = field(default_factory=dict)
    hang: str = ""  # "connect": read and answer nothing, "headers": nothing after them
    close: bool = False  # hang up without an answer
    first_delay: float = 0.0
    chunk_delay: float = 0.0
    chunk: int = 24  # characters of a delta
    hang_after: int | None = None  # deltas
    drop_after: int | None = None
    garbage_after: int | None = None
    error_after: int | None = None
    times: int = 1  # -1: for ever

    def but(self, **changes: Any) -> "Step":
        return replace(self, **changes)


Model = Callable[["Asked"], Step]
Given = str | Step | Mapping[str, Any] | Model  # a preset's name, a step, its JSON, a program


def step_from_json(given: Mapping[str, Any], presets: Mapping[str, Step]) -> Step:
    """`{"preset": NAME, ...changes}` or the fields of a step."""
    changes = dict(given)
    base = presets[str(changes.pop("preset"))] if "preset" in changes else Step()
    unknown = set(changes) - {known.name for known in fields(Step)}
    if unknown:
        msg = f"a step has no {', '.join(sorted(unknown))}"
        raise ValueError(msg)
    if "calls" in changes:
        changes["calls"] = tuple(Call(call["name"], call["input"]) for call in changes["calls"])
    if changes.get("write"):
        path, content = changes["write"]
        changes["write"] = (str(path), str(content))
    return replace(base, **changes)


def say(text: str, **more: Any) -> Step:
    return Step(text=text, **more)


def shell(command: str, **more: Any) -> Step:
    return Step(shell=command, **more)


def write(path: str, content: str, **more: Any) -> Step:
    return Step(write=(path, content), **more)


def tool(name: str, arguments: Mapping[str, Any], **more: Any) -> Step:
    return Step(calls=(Call(name, arguments),), **more)
