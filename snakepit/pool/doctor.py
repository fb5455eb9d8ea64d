"""Owns the preconditions of a pool and the line that mends each; looks only, changes nothing."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from snakepit.agents.launchplan import find_program
from snakepit.config.model import AUTO
from snakepit.errors import SnakepitError
from snakepit.system.files import NETWORK_FILESYSTEMS, filesystem_type, free_bytes

if TYPE_CHECKING:
    from snakepit.config import Config

Level = Literal["ok", "warning", "problem"]
ASK_TIMEOUT = 5.0  # seconds for any program we ask
LEAST_TMUX = (3, 2)
LEAST_PYTHON = (3, 11)
LEAST_FREE = 1_000_000_000  # bytes; under this no task is claimed
LEAST_WATCHES = 8192
LEAST_INSTANCES = 64
INOTIFY = "/proc/sys/fs/inotify"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    check: str
    level: Level
    what: str
    fix: str = ""

    def to_json(self) -> dict[str, str]:
        return {"check": self.check, "level": self.level, "what": self.what, "fix": self.fix}


Ask = Callable[[list[str]], str]


def examine(
    config: "Config", *, environ: Mapping[str, str], ask: Ask | None = None
) -> list[Finding]:
    """Every precondition in a fixed order; what cannot be looked at is a warning."""
    question = ask or ask_program
    return [
        *_python(),
        *_tmux(question, environ),
        *_folders(config),
        *_permissions(config),
        *_disk(config),
        *_backends(config, environ),
        *_thinkers(config, environ),
        *_inotify(),
        *_linger(question, environ),
        *_locale(environ),
    ]


def without_config(
    error: SnakepitError, *, environ: Mapping[str, str], ask: Ask | None = None
) -> list[Finding]:
    """What can be said of the machine where agents.toml cannot be read."""
    question = ask or ask_program
    return [
        Finding(check="agents.toml", level="problem", what=error.message, fix=error.fix),
        *_python(),
        *_tmux(question, environ),
        *_inotify(),
        *_linger(question, environ),
        *_locale(environ),
    ]


def ask_program(argv: list[str]) -> str:
    """What the program printed, or "" when it is absent, fails or does not answer."""
    try:
        answer = subprocess.run(
            argv, capture_output=True, text=True, timeout=ASK_TIMEOUT, stdin=subprocess.DEVNULL
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return answer.stdout if answer.returncode == 0 else ""


def _python() -> Iterator[Finding]:
    version = sys.version.split()[0]
    if sys.version_info[:2] < LEAST_PYTHON:
        yield Finding(
            check="python",
            level="problem",
            what=f"Python {version}, 3.11 or newer is needed",
            fix="install Python 3.11 and run agents.py with it",
        )
    else:
        yield Finding(check="python", level="ok", what=f"Python {version}")


def _tmux(ask: Ask, environ: Mapping[str, str]) -> Iterator[Finding]:
    path = shutil.which("tmux", path=environ.get("PATH"))
    install = "apt-get install tmux, or brew install tmux"
    if path is None:
        yield Finding(check="tmux", level="problem", what="tmux is not on PATH", fix=install)
        return
    said = ask([path, "-V"]).strip()
    version = tmux_version(said)
    if version is None:
        what = f"{path} -V says {said!r}, which names no version"
        yield Finding(check="tmux", level="warning", what=what, fix=install)
    elif version < LEAST_TMUX:
        what = f"{said} is too old, tmux 3.2 or newer is needed"
        yield Finding(check="tmux", level="problem", what=what, fix=install)
    else:
        yield Finding(check="tmux", level="ok", what=f"{said} at {path}")


def tmux_version(said: str) -> tuple[int, int] | None:
    """(3, 4) from "tmux 3.4", "tmux 3.3a" and "tmux next-3.6"; None where no number is said."""
    found = re.search(r"(\d+)\.(\d+)", said)
    return (int(found[1]), int(found[2])) if found else None


def _folders(config: "Config") -> Iterator[Finding]:
    pit = str(config.pit_dir)
    parts = [os.path.join(pit, p) for p in ("food", "claimed", "done", "scraps", "waste", ".pit")]
    there = [path for path in [pit, *parts] if os.path.isdir(path)]
    if not there:
        parent = _nearest(pit)
        level: Level = "ok" if os.access(parent, os.W_OK | os.X_OK) else "problem"
        what = f"{pit} is not there yet; `up` makes it in {parent}"
        fix = "" if level == "ok" else f"chmod u+wx {parent}, or another [pit] path"
        yield Finding(check="pit", level=level, what=what, fix=fix)
        return
    yield from _one_filesystem(pit, there)
    locked = [path for path in there if not os.access(path, os.R_OK | os.W_OK | os.X_OK)]
    if locked:
        what = f"not readable and writable for you: {', '.join(locked)}"
        yield Finding(check="pit", level="problem", what=what, fix=f"chmod u+rwx {locked[0]}")


def _one_filesystem(pit: str, there: list[str]) -> Iterator[Finding]:
    devices = {path: _device(path) for path in there}
    strangers = [path for path in there if devices[path] != devices[there[0]]]
    if strangers:
        what = f"{', '.join(strangers)}: another filesystem than {there[0]}; rename cannot cross"
        fix = "put the whole pit on one filesystem: no mounts or links inside it"
        yield Finding(check="filesystem", level="problem", what=what, fix=fix)
        return
    kind = filesystem_type(there[0])
    if kind in NETWORK_FILESYSTEMS:
        what = f"{pit} is on {kind}, a network filesystem: locks and renames do not hold there"
        yield Finding(
            check="filesystem", level="problem", what=what, fix="[pit] path on a local disk"
        )
    else:
        yield Finding(
            check="filesystem", level="ok", what=f"one local filesystem ({kind or 'type unknown'})"
        )


def _device(path: str) -> int:
    return os.stat(path).st_dev


def _permissions(config: "Config") -> Iterator[Finding]:
    for path in (config.log_dir, config.pit_dir / "waste", config.pit_dir / ".pit"):
        if path.is_dir() and path.stat().st_mode & 0o077:
            what = f"{path} can be read by others on this machine; transcripts lie there"
            yield Finding(
                check="permissions", level="warning", what=what, fix=f"chmod -R go-rwx {path}"
            )
            return
    yield Finding(check="permissions", level="ok", what="logs, waste and state are yours alone")


def _disk(config: "Config") -> Iterator[Finding]:
    where = _nearest(str(config.pit_dir))
    free = free_bytes(where)
    what = f"{free / 1e9:.1f} GB free at {where}"
    if free < LEAST_FREE:
        fix = "agents.py clean, or free some space: under 1 GB nothing is claimed"
        yield Finding(check="disk", level="problem", what=what, fix=fix)
    else:
        yield Finding(check="disk", level="ok", what=what)


def _backends(config: "Config", environ: Mapping[str, str]) -> Iterator[Finding]:
    """One finding for each backend that an agent uses; script and demo need no program."""
    used: dict[str, list[str]] = {}
    for agent in config.agents:
        used.setdefault(agent.backend, []).append(agent.name)
    for name, agents in used.items():
        backend = config.backends.get(name)
        if backend is None or name == AUTO or backend.driver == "worker" or not backend.bin:
            continue
        program = backend.bin.split()[0]
        path = find_program(backend, environ.get("PATH"))
        if path:
            yield Finding(check=f"backend {name}", level="ok", what=f"{program} at {path}")
            continue
        what = f"{program} is not on PATH; not started: {', '.join(agents)}"
        fix = f"install {program} and log in, or set [backend.{name}] bin"
        yield Finding(check=f"backend {name}", level="warning", what=what, fix=fix)


def _thinkers(config: "Config", environ: Mapping[str, str]) -> Iterator[Finding]:
    """Where every snake only runs scripts, tasks for a model wait for ever."""
    from snakepit.config.auto import in_words, installed

    if any(agent.is_auto and agent.backend == AUTO for agent in config.agents):
        found = next(iter(installed(environ)), "")
        name = f', or name the one that is here: [defaults] backend = "{found}"' if found else ""
        fix = f"install one and log in, or set a key, then agents.py up{name}"
        what = f"{in_words()}: what needs a model waits"
        yield Finding(check="models", level="warning", what=what, fix=fix)
        return
    if any(config.backend_of(agent).thinks for agent in config.agents):
        return
    here = installed(environ)
    if here:
        what = f"{', '.join(here)} on PATH, and no snake in agents.toml uses it"
        fix = f'add to agents.toml: [[pool]] name = "snake", count = 3, backend = "{next(iter(here))}"'
    else:
        what = "no agent CLI on PATH: only tasks with a run block are eaten"
        fix = "install one and log in, then add a [[pool]] to agents.toml"
    yield Finding(check="models", level="warning", what=what, fix=fix)


def _inotify() -> Iterator[Finding]:
    for name, least in (
        ("max_user_watches", LEAST_WATCHES),
        ("max_user_instances", LEAST_INSTANCES),
    ):
        try:
            with open(f"{INOTIFY}/{name}", encoding="ascii") as file:
                limit = int(file.read())
        except (OSError, ValueError):
            continue  # not Linux
        if limit < least:
            what = f"{name} is {limit}; the scan every few seconds finds what events miss"
            fix = f"sudo sysctl fs.inotify.{name}={least * 2}"
            yield Finding(check="inotify", level="warning", what=what, fix=fix)
        else:
            yield Finding(check="inotify", level="ok", what=f"{name} {limit}")


def _linger(ask: Ask, environ: Mapping[str, str]) -> Iterator[Finding]:
    """Where systemd ends a user's processes at logout, the pool ends with the SSH session."""
    user = environ.get("USER") or environ.get("LOGNAME") or str(os.getuid())
    if not _has_logins():
        yield Finding(
            check="linger", level="ok", what="no systemd logins here: nothing ends at logout"
        )
        return
    said = ask(["loginctl", "show-user", user, "--property=Linger"]).strip()
    kills = ask(["loginctl", "show", "--property=KillUserProcesses"]).strip()
    if said == "Linger=yes" or kills.endswith("=no"):
        yield Finding(check="linger", level="ok", what=said or kills)
    else:
        what = "systemd may end the pool when you log out"
        yield Finding(
            check="linger", level="warning", what=what, fix=f"loginctl enable-linger {user}"
        )


def _has_logins() -> bool:
    return os.path.isdir("/run/systemd/system") and shutil.which("loginctl") is not None


def _locale(environ: Mapping[str, str]) -> Iterator[Finding]:
    value = environ.get("LC_ALL") or environ.get("LC_CTYPE") or environ.get("LANG") or ""
    if re.search(r"utf-?8", value, re.IGNORECASE):
        yield Finding(check="locale", level="ok", what=value)
    else:
        what = f"locale {value or 'not set'}: agents' screens may show _ for letters beyond ASCII"
        yield Finding(check="locale", level="warning", what=what, fix="export LANG=C.UTF-8")


def _nearest(path: str) -> str:
    """The path, or the nearest folder above it that exists."""
    while not os.path.isdir(path):
        path = os.path.dirname(path) or "."
    return path
