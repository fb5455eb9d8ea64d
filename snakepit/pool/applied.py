"""Owns the copy of agents.toml as `up` or `reload` last used it: its commands count until the next one.

A daemon that starts anew must not run a command that somebody has written into the file meanwhile.
"""

import os
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.config.loader import load, parse, read_file, try_load
from snakepit.pool.fleet import load_fleet
from snakepit.session.launchfile import write_private

if TYPE_CHECKING:
    from snakepit.config.model import Config

NAME = "applied.toml"
STATE = "SNAKEPIT_STATE"  # where the fleet of this process keeps its records
CONFIG = "SNAKEPIT_CONFIG"  # whose fleet that is
USUAL_LOG_DIR = ".snakepit"


def applied_path(config: "Config") -> Path:
    return config.state_dir / NAME


def keep_applied(config: "Config") -> None:
    """The file's text as it is now, private: it may hold values of `env`."""
    config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = applied_path(config)
    text = config.path.read_bytes()
    if kept.is_file() and kept.read_bytes() == text:
        return
    fresh = kept.with_name(f"{NAME}.{os.getpid()}")
    fresh.unlink(missing_ok=True)
    write_private(fresh, text)
    os.replace(fresh, kept)


def load_applied(state_dir: Path, path: Path, environ: Mapping[str, str]) -> "Config | None":
    """None where nothing was kept, or it reads no more."""
    try:
        text = (state_dir / NAME).read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError):
        return None
    return parse(text, path, environ=environ, flags={}).config


def load_in_use(path: Path, environ: Mapping[str, str]) -> "Config":
    """What counts for a process of the fleet; a file that reads no more leaves the one that did."""
    config = try_load(path, environ=environ).config
    if config is not None:
        return in_use(config, environ) if load_fleet(config).is_up else config
    return load_kept(path, environ) or load(path, environ=environ)


def load_kept(path: Path, environ: Mapping[str, str]) -> "Config | None":
    """What was applied last, where the file itself does not read; None where none is found."""
    real = Path(os.path.realpath(path))
    found = (load_applied(state, real, environ) for state in _states(real, environ))
    return next(filter(None, found), None)


def _states(path: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    """Where the records of that file's fleet may lie."""
    state, config = environ.get(STATE), environ.get(CONFIG)
    if state and (not config or os.path.realpath(config) == os.fspath(path)):
        yield Path(state)
    try:
        text = read_file(path).decode("utf-8", "replace")
    except (OSError, ValueError):
        text = ""
    for named in re.findall(r"""^\s*log_dir\s*=\s*["']([^"'\n]+)["']""", text, re.MULTILINE):
        yield path.parent / os.path.expanduser(named) / "state"
    yield path.parent / USUAL_LOG_DIR / "state"


def in_use(config: "Config", environ: Mapping[str, str]) -> "Config":
    """What counts while the fleet is up: the file's numbers, the commands of the last `reload`."""
    applied = load_applied(config.state_dir, config.path, environ)
    if applied is None or not is_same_place(applied, config):
        return config
    return applied._replace(
        watchdog=config.watchdog,
        pit=config.pit,
        script=config.script,
        anthropic=config.anthropic,
        events=config.events,
    )


def is_same_place(old: "Config", new: "Config") -> bool:
    """Whether both mean the same pit, logs and sessions: a running fleet cannot move."""
    return (old.pit_dir, old.log_dir, old.socket, old.defaults.session_prefix) == (
        new.pit_dir,
        new.log_dir,
        new.socket,
        new.defaults.session_prefix,
    )
