"""Owns the list of programs that tests need, where they are, and the line that installs each."""

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
# The real agent programs come in known versions, from `scripts/install-clis` alone: whatever the
# machine has on its PATH by that name is not what the tests speak of.
CLIS = ("claude", "claude-2.1.197", "codex", "opencode", "gemini", "qwen", "pi", "aider")
INSTALL = {
    "tmux": "apt-get install tmux",
    "strace": "apt-get install strace",
    "git": "apt-get install git",
    "gcc": "apt-get install gcc",
    "openssl": "apt-get install openssl",
    "uv": "pip install uv",
    **{name: f"scripts/install-clis {name}" for name in CLIS},
}


def clis_folder() -> Path:
    return Path(os.environ.get("SNAKEPIT_CLIS") or ROOT / ".clis")


def find(program: str) -> str | None:
    if program not in CLIS:
        return shutil.which(program)
    found = clis_folder() / "bin" / program
    return str(found) if os.access(found, os.X_OK) else None


def is_present(program: str) -> bool:
    return find(program) is not None


def install_line(program: str) -> str:
    return INSTALL.get(program, f"install {program}")
