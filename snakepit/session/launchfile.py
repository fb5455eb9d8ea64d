"""Owns the launch file: how a program's environment reaches its pane without being seen.

The file holds {argv, env, cwd} as JSON, mode 0600. `worker/guard.py`, the first process of every
pane, reads it, unlinks it and runs argv with exactly env. So a key is never in an argv, never in
tmux, and on disk only for the moment in between.
"""

import json
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from snakepit.errors import SessionError

GUARD = Path(__file__).parent.parent / "worker" / "guard.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    argv: tuple[str, ...]
    env: Mapping[str, str]
    cwd: str


def write(
    folder: Path, session: str, argv: Sequence[str], env: Mapping[str, str], cwd: Path
) -> Path:
    """Write the launch file of a session and return its path; what earlier starts left is removed.

    The name appears only when the file is whole.
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    discard(folder, session)
    path = folder / f"{session}-{os.urandom(6).hex()}.json"
    text = json.dumps({"argv": list(argv), "env": dict(env), "cwd": str(cwd)})
    write_private(path, text.encode())
    return path


def write_private(path: Path, data: bytes) -> None:
    """Write a new file that only we can read, whole or not at all."""
    hidden = path.with_name(f".{path.name}")
    descriptor = os.open(hidden, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(data)
        os.rename(hidden, path)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise


def write_new(path: Path, data: bytes) -> bool:
    """The same under a name that must be free; False when it is taken."""
    hidden = path.with_name(f".{path.name}-{os.urandom(6).hex()}")
    write_private(hidden, data)
    try:
        os.link(hidden, path)
    except FileExistsError:
        return False
    finally:
        hidden.unlink()
    return True


def read(path: Path) -> Launch:
    """Read without unlinking."""
    try:
        fields = json.loads(path.read_bytes())
        return Launch(argv=tuple(fields["argv"]), env=dict(fields["env"]), cwd=fields["cwd"])
    except (OSError, ValueError, KeyError, TypeError) as exc:
        msg = f"{path}: not a launch file: {exc}"
        raise SessionError(msg) from exc


def discard(folder: Path, session: str) -> None:
    """Remove the files of starts that never came to read theirs: they hold keys."""
    own = re.compile(rf"\.?{re.escape(session)}-[0-9a-f]{{12}}\.json")
    for entry in folder.iterdir():
        if own.fullmatch(entry.name):
            entry.unlink(missing_ok=True)


def pane_command(launch: Path) -> list[str]:
    """Return the argv of every pane of ours: the guard, isolated from the person's Python."""
    return [sys.executable, "-I", "-S", str(GUARD), str(launch)]


def launch_of(command: Sequence[str]) -> Path | None:
    """The launch file in such an argv; None of any other."""
    if len(command) != 5 or list(command[1:3]) != ["-I", "-S"]:
        return None
    is_guard = Path(command[3]).parts[-2:] == GUARD.parts[-2:]
    return Path(command[4]) if is_guard else None


def session_of(launch: Path) -> str:
    """The session that a launch file was written for."""
    return launch.stem.rpartition("-")[0]
