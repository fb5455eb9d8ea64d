"""Owns running git: quietly, without hooks, prompts or locks that could stand in a person's way."""

import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from snakepit.errors import AgentError, EnvironmentMissing

PATIENCE = 120.0  # seconds; a worktree of a large repository takes a while
CALM = (
    "-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "commit.gpgSign=false",
    "-c", "gc.auto=0", "-c", "maintenance.auto=false", "-c", "advice.detachedHead=false",
)  # fmt: skip


def git(folder: Path, *arguments: str, stdin: bytes = b"", fails: Sequence[int] = ()) -> bytes:
    """What it printed. AgentError with git's own words, unless the exit status is in `fails`."""
    return run(folder, *arguments, stdin=stdin, fails=fails)[1]


def run(
    folder: Path, *arguments: str, stdin: bytes = b"", fails: Sequence[int] = ()
) -> tuple[int, bytes]:
    """The exit status, 0 or one of `fails`, and what git printed."""
    try:
        done = subprocess.run(
            ["git", *CALM, *arguments],
            cwd=folder,
            env=_environment(),
            input=stdin,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )
    except FileNotFoundError as error:
        msg = f"git cannot be run in {folder}: {error.strerror}"
        raise EnvironmentMissing(msg, fix='install git, or set workspace = "shared"') from error
    except subprocess.TimeoutExpired as error:
        msg = f"git {arguments[0]} in {folder} did not end within {PATIENCE:.0f} s"
        raise AgentError(msg, fix='look at the disk, or set workspace = "shared"') from error
    if done.returncode and done.returncode not in fails:
        words = " ".join(done.stderr.decode("utf-8", "replace").split()) or "no reason given"
        msg = f"git {arguments[0]} in {folder}: {words}"
        raise AgentError(msg, fix=f"try it there: git {arguments[0]}")
    return done.returncode, done.stdout


def line(folder: Path, *arguments: str) -> str:
    """The one line it printed, "" where git refused."""
    status, told = run(folder, *arguments, fails=(1, 128, 129))
    return "" if status else os.fsdecode(told).strip("\n")


def _environment() -> dict[str, str]:
    """A person's own settings count; what another git told its children does not."""
    own = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    return {
        **own,
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_EDITOR": "true",
        "LC_ALL": "C",
    }
