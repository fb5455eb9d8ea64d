"""Owns one test's part of the stand-in: what it will answer, and what it was asked."""

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.standin.dialect import Talk
from tests.standin.presets import PRESETS
from tests.standin.steps import Given, Model, Step, step_from_json

NO_TALK = Talk("", (), (), (), {})


@dataclass(slots=True, kw_only=True)
class Asked:
    """One request. `kind`: main (carries tools, takes a step), side (titles, probes), other."""

    at: float
    path: str
    kind: str
    dialect: str = ""
    model: str = ""
    stream: bool = False
    talk: Talk = NO_TALK
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    size: int = 0
    answered: str = ""  # the name of the step, or of what it did
    status: int = 0
    gone: bool = False  # the client hung up before the end

    @property
    def user(self) -> str:
        """What the user's side said last."""
        return self.talk.users[-1] if self.talk.users else ""

    @property
    def result(self) -> str:
        """What the last tool call gave, when the model is asked to go on from it."""
        return self.talk.results[-1] if self.talk.results else ""

    def to_json(self) -> dict[str, Any]:
        return {
            "at": round(self.at, 3),
            "path": self.path,
            "kind": self.kind,
            "dialect": self.dialect,
            "model": self.model,
            "stream": self.stream,
            "user": self.user[-2000:],
            "result": self.result[-2000:],
            "tools": len(self.talk.tools),
            "size": self.size,
            "agent": self.headers.get("user-agent", ""),
            "answered": self.answered,
            "status": self.status,
            "gone": self.gone,
        }


class Space:
    """Steps are taken first in, first out; when none is left, `default` answers."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.side: str = "canned"  # "main": requests without tools take a step too
        self._lock = threading.Lock()
        self._steps: list[Step | Model] = []
        self._default: Step | Model = PRESETS["text"]
        self._asked: list[Asked] = []
        self._released = threading.Event()

    def then(self, *steps: Given) -> "Space":
        with self._lock:
            self._steps += [resolve(step) for step in steps]
        return self

    def always(self, step: Given) -> "Space":
        """Answer with this whenever no step is left."""
        with self._lock:
            self._default = resolve(step)
        return self

    def clear(self) -> "Space":
        with self._lock:
            self._steps.clear()
        return self

    def left(self) -> int:
        with self._lock:
            return len(self._steps)

    def take(self, asked: Asked) -> Step:
        with self._lock:
            step = self._take()
        return step if isinstance(step, Step) else step(asked)

    def _take(self) -> Step | Model:
        if not self._steps:
            return self._default
        step = self._steps[0]
        if not isinstance(step, Step) or step.times == 1:
            return self._steps.pop(0)
        if step.times > 1:
            self._steps[0] = step.but(times=step.times - 1)
        return step

    def note(self, asked: Asked) -> None:
        with self._lock:
            self._asked.append(asked)

    @property
    def asked(self) -> list[Asked]:
        """Every request so far, oldest first."""
        with self._lock:
            return list(self._asked)

    @property
    def main(self) -> list[Asked]:
        return [asked for asked in self.asked if asked.kind == "main"]

    @property
    def calls(self) -> int:
        """How often a model was called, side questions included."""
        return sum(asked.kind in ("main", "side") for asked in self.asked)

    def users(self) -> list[str]:
        """Every different text that came from the user's side, in order."""
        return list(dict.fromkeys(text for asked in self.main for text in asked.talk.users))

    @property
    def released(self) -> threading.Event:
        with self._lock:
            return self._released

    def release(self) -> None:
        """Let every hanging answer end."""
        with self._lock:
            self._released.set()
            self._released = threading.Event()


def resolve(given: Given) -> Step | Model:
    if isinstance(given, str):
        return PRESETS[given]
    if isinstance(given, Mapping):
        return step_from_json(given, PRESETS)
    return given


def steps_of(given: Iterable[Given]) -> list[Step | Model]:
    return [resolve(step) for step in given]
