"""Owns the list of programs that tests need, and the line that installs each."""

import shutil

INSTALL = {
    "tmux": "apt-get install tmux",
    "strace": "apt-get install strace",
    "git": "apt-get install git",
    "gcc": "apt-get install gcc",
    "uv": "pip install uv",
}


def is_present(program: str) -> bool:
    return shutil.which(program) is not None


def install_line(program: str) -> str:
    return INSTALL.get(program, f"install {program}")
