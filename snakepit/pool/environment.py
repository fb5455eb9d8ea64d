"""Owns which of a person's environment reaches a session, and keeps it for restarts by the daemon.

A session gets the short list below, its own `env`, and the names its backend and agent pass on.
A daemon that a worker started has none of the person's keys, so `up` keeps the allowed part in
a 0600 file.
"""

import os
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from snakepit.pool.statefile import read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Config

BASE = ("HOME", "USER", "LOGNAME", "SHELL", "PATH", "LANG", "LANGUAGE", "TZ", "TMPDIR")
NETWORK = (
    *(f"{kind}_proxy" for kind in ("http", "https", "ftp", "no", "all")),
    *(f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "FTP", "NO", "ALL")),
    "SSL_CERT_FILE",
    "SSL_CERT_DIR",
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "NODE_EXTRA_CA_CERTS",
    "GIT_SSL_CAINFO",
)
SETTING = "SNAKEPIT_SET_"
WHERE_TMUX_IS = "TMUX_TMPDIR"  # for whoever asks tmux; no session gets it
TERM = "screen-256color"
DEFAULT_PATH = "/usr/local/bin:/usr/bin:/bin"


def plain(environ: Mapping[str, str]) -> dict[str, str]:
    """What every session gets of the person's environment."""
    found = {
        name: value
        for name, value in environ.items()
        if name in BASE or name in NETWORK or name.startswith("LC_")
    }
    return {"PATH": DEFAULT_PATH, **found}


def passed(environ: Mapping[str, str], names: Iterable[str]) -> dict[str, str]:
    return {name: environ[name] for name in names if name in environ}


def session_environment(
    environ: Mapping[str, str], *, own: Mapping[str, str], names: Iterable[str]
) -> dict[str, str]:
    """The whole environment of one session's program; `own` wins."""
    return {"TERM": TERM, **plain(environ), **passed(environ, names), **own}


def without_identity(environ: Mapping[str, str]) -> dict[str, str]:
    """As a person's shell has it: no snake's identity, no tmux around it."""
    return {
        name: value
        for name, value in environ.items()
        if name not in ("TMUX", "TMUX_PANE")
        and (not name.startswith("SNAKEPIT_") or name.startswith(SETTING))
    }


def environ_path(config: "Config") -> "Path":
    return config.state_dir / "environ.json"


def keep_environment(config: "Config", environ: Mapping[str, str]) -> None:
    """Keep what sessions may need, for starts by processes that lack it."""
    names: set[str] = set()
    for backend in config.backends.values():
        names.update(backend.env_pass)
    for agent in config.agents:
        names.update(agent.env_pass)
    settings = {name: value for name, value in environ.items() if name.startswith(SETTING)}
    names.add(WHERE_TMUX_IS)
    kept = {**plain(environ), **passed(environ, names), **settings}
    if read_state(environ_path(config)) != kept:
        write_state(environ_path(config), kept)


def kept_environment(state_dir: "Path") -> dict[str, str]:
    """What `up` kept; this process's own environment where nothing was kept."""
    kept = read_state(state_dir / "environ.json")
    found = {name: value for name, value in kept.items() if isinstance(value, str)}
    return found or without_identity(os.environ)
