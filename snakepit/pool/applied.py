"""Owns the copy of agents.toml as `up` or `reload` last used it: its commands count until the next one.

A daemon that starts anew must not run a command that somebody has written into the file meanwhile.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.config.loader import parse
from snakepit.session.launchfile import write_private

if TYPE_CHECKING:
    from snakepit.config.model import Config

NAME = "applied.toml"


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


def is_same_place(old: "Config", new: "Config") -> bool:
    """Whether both mean the same pit, logs and sessions: a running fleet cannot move."""
    return (old.pit_dir, old.log_dir, old.socket, old.defaults.session_prefix) == (
        new.pit_dir,
        new.log_dir,
        new.socket,
        new.defaults.session_prefix,
    )
