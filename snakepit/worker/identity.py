"""Owns what a program is told about who it is, and how it finds our own command."""

import os
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from snakepit.config.model import Config

OURS_ALONE = ("SNAKEPIT_GUARD", "SNAKEPIT_ASIDE")
SESSION = "SNAKEPIT_SESSION"


def identity(config: "Config", worker: str, generation: str) -> dict[str, str]:
    """How the verbs know which life calls them; inherited by all that it starts."""
    return {
        "SNAKEPIT_PIT": str(config.pit_dir),
        "SNAKEPIT_CONFIG": str(config.path),
        "SNAKEPIT_WORKER": worker,
        "SNAKEPIT_GENERATION": generation,
    }


def with_own_command(env: Mapping[str, str]) -> dict[str, str]:
    """The folder of the command `snakepit` at the end of the search path: it shadows nothing."""
    found = dict(env)
    folder = os.path.dirname(os.path.abspath(sys.executable))
    if os.path.exists(os.path.join(folder, "snakepit")):
        folders = found.get("PATH", os.defpath).split(os.pathsep)
        if folder not in folders:
            found["PATH"] = os.pathsep.join([*folders, folder])
    return found
