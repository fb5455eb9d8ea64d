"""Owns state/overrides.toml: what people told the running pool; agents.toml itself is never rewritten.

Read without a lock, since the file is replaced by one rename; changed under a lock of its own.
"""

import fcntl
import os
import tomllib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

FILE = "overrides.toml"
ALL = "*"
HEAD = "# Written by `scale`, `pause` and `resume`; remove the file to undo them all.\n"


class Overrides(NamedTuple):
    """`paused` holds agents' names, or "*" for all; `problem` tells of a file that was set aside."""

    scale: Mapping[str, int] = {}
    paused: frozenset[str] = frozenset()
    problem: str = ""

    def is_paused(self, name: str) -> bool:
        return ALL in self.paused or name in self.paused


def load_overrides(path: Path) -> Overrides:
    """A missing file is empty, a broken one is set aside as .broken and said: it never raises."""
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return Overrides()
    except OSError as exc:
        return Overrides(
            problem=f"{path} cannot be read: {exc.strerror}; nothing is scaled or paused"
        )
    try:
        return parse(data)
    except (ValueError, RecursionError) as exc:
        return Overrides(problem=_set_aside(path, data, exc))


def parse(data: bytes) -> Overrides:
    """ValueError says what is wrong with the text."""
    raw = tomllib.loads(data.decode())
    scale, paused = raw.pop("scale", {}), raw.pop("paused", {})
    if raw:
        message = f"unknown table [{next(iter(raw))}]"
        raise ValueError(message)
    if not isinstance(scale, dict) or not all(type(n) is int and n >= 0 for n in scale.values()):
        message = "[scale] must hold numbers of 0 or more"
        raise ValueError(message)
    if not isinstance(paused, dict) or not all(type(on) is bool for on in paused.values()):
        message = "[paused] must hold true or false"
        raise ValueError(message)
    return Overrides(scale=scale, paused=frozenset(name for name, on in paused.items() if on))


def _set_aside(path: Path, broken: bytes, exc: Exception) -> str:
    aside = path.with_name(path.name + ".broken")
    reason = str(exc) or "nested too deeply"
    try:
        with _locked(path):
            if path.read_bytes() == broken:
                os.replace(path, aside)
    except OSError:
        return f"{path} is broken ({reason}) and was ignored; remove it"
    return f"{path} was broken ({reason}) and is now {aside.name}; nothing is scaled or paused"


def change_overrides(path: Path, change: Callable[[Overrides], Overrides]) -> Overrides:
    """Read, change, write and return, as one step against every other process."""
    load_overrides(path)
    with _locked(path):
        new = change(_reread(path))
        _save(path, new)
    return new


def _reread(path: Path) -> Overrides:
    try:
        return parse(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return Overrides()


def set_scale(path: Path, pool: str, count: int | None) -> Overrides:
    """None takes the scale back: the file's own count counts again."""

    def change(old: Overrides) -> Overrides:
        scale = {name: number for name, number in old.scale.items() if name != pool}
        if count is not None:
            scale[pool] = count
        return old._replace(scale=scale)

    return change_overrides(path, change)


def set_paused(path: Path, name: str = ALL, *, paused: bool) -> Overrides:
    """Resuming all forgets every name; resuming one of a paused pool changes nothing for the rest."""

    def change(old: Overrides) -> Overrides:
        if paused:
            return old._replace(paused=old.paused | {name})
        return old._replace(paused=frozenset() if name == ALL else old.paused - {name})

    return change_overrides(path, change)


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
    fd = os.open(path.with_name(path.name + ".lock"), flags, 0o600)
    try:
        fcntl.flock(fd, fcntl.LOCK_EX)
        yield
    finally:
        os.close(fd)


def _save(path: Path, overrides: Overrides) -> None:
    import tomli_w

    tables: dict[str, object] = {}
    if overrides.scale:
        tables["scale"] = dict(sorted(overrides.scale.items()))
    if overrides.paused:
        tables["paused"] = dict.fromkeys(sorted(overrides.paused), True)
    hidden = path.with_name(f".{path.name}.{os.getpid()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC | os.O_NOFOLLOW
    with os.fdopen(os.open(hidden, flags, 0o600), "w", encoding="utf-8") as file:
        file.write(HEAD + tomli_w.dumps(tables))
        file.flush()
        os.fsync(file.fileno())
    os.replace(hidden, path)
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
