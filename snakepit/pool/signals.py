"""Owns what is known of each agent's program by its hooks: where that is kept, and the proof that a text arrived."""

import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snakepit.core.hooked import PROMPT, told
from snakepit.core.signals import Signals
from snakepit.pool.spool import parse, read_all, spool_path, status_path
from snakepit.pool.statefile import read_state

if TYPE_CHECKING:
    from snakepit.config.model import Backend, Config

PANE_TAIL = 256 * 1024
TAIL = 2 * 1024 * 1024  # bytes of a spool that are searched for a mark


class Window(NamedTuple):
    """A limit of the account: what is used of it in percent, and when it begins anew, unix seconds."""

    name: str
    used: float
    resets: float


class Status(NamedTuple):
    """What the program's status line last said; 0 and None for what it did not say."""

    at: float = 0.0
    session: str = ""
    model: str = ""
    cost_usd: float | None = None
    context_limit: int = 0
    context_used: float | None = None
    windows: tuple[Window, ...] = ()


def signals_path(config: "Config", worker: str) -> Path:
    return config.state_dir / "signals" / f"{worker}.json"


def signals(config: "Config", worker: str) -> Signals:
    """As the daemon last wrote it: a second behind the program at most, older while no daemon runs."""
    return Signals.from_json(read_state(signals_path(config, worker)))


def status(config: "Config", worker: str, backend: "Backend") -> Status:
    """Read by the paths of `[backend.NAME.hooks.status]`."""
    paths = backend.hooks.status
    if not paths:
        return Status()
    try:
        line = parse(status_path(config, worker).read_bytes())
    except OSError:
        line = None
    if line is None:
        return Status()
    found = {name: _at(line.said, path) for name, path in paths.items()}
    return Status(
        at=line.at,
        session=_word(found.get("session")),
        model=_word(found.get("model")),
        cost_usd=_number(found.get("cost_usd")),
        context_limit=int(_number(found.get("context_limit")) or 0),
        context_used=_number(found.get("context_used")),
        windows=tuple(_windows(found.get("windows"))),
    )


class HookProof:
    """The program's own hook for a prompt, read where it wrote it: it need not have been collected yet."""

    name = "hook"

    def __init__(self, config: "Config", worker: str, backend: "Backend") -> None:
        path = spool_path(config, worker)
        self._paths = (path, path.with_suffix(".jsonl.old"))
        self._names = backend.hooks.events
        self._known = signals(config, worker)

    @property
    def tells(self) -> bool:
        """Only once this program has told anything: it may have been started without hooks."""
        return PROMPT in self._names.values() and (self._known.last > 0 or self._wrote())

    def seen(self, mark: str, since: float) -> bool:
        for path in self._paths:
            for line in read_all(path, TAIL):
                found = told(line.said, self._names) if line.at >= since else None
                if found is not None and found.kind == PROMPT and _holds(line.said, mark):
                    return True
        return False

    def _wrote(self) -> bool:
        return any(path.exists() for path in self._paths)


def _holds(said: Mapping[str, object], mark: str) -> bool:
    return any(mark in str(value) for value in said.values())


def _at(said: object, path: str) -> object:
    for word in path.split("."):
        if not isinstance(said, Mapping):
            return None
        said = said.get(word)
    return said


def _windows(found: object) -> list[Window]:
    if not isinstance(found, Mapping):
        return []
    windows = []
    for name, value in found.items():
        used, resets = _number(_at(value, "used_percentage")), _number(_at(value, "resets_at"))
        if used is not None and resets is not None:
            windows.append(Window(str(name), used, resets))
    return windows


def _word(found: object) -> str:
    return found if isinstance(found, str) else ""


def _number(found: object) -> float | None:
    is_number = isinstance(found, int | float) and not isinstance(found, bool)
    return float(found) if is_number else None  # type: ignore[arg-type]


def pane_state(config: "Config", worker: str, backend: "Backend") -> str:
    """What the program last said of itself in its pane's bytes (`screen.osc`, its first group); "" for nothing."""
    pattern = backend.screen.osc
    if not pattern:
        return ""
    try:
        with open(config.log_dir / "raw" / f"{worker}.log", "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - PANE_TAIL))
            text = file.read().decode("utf-8", "replace")
    except OSError:
        return ""
    found = re.findall(pattern, text)
    return str(found[-1]) if found else ""
