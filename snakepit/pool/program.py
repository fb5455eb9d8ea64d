"""Owns the command lines of our own programs: the same code as this process, in any folder."""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# Not `-m` from a checkout: that looks for modules in the agent's folder first.
BOOT = (
    "import runpy,sys;sys.path.insert(0,sys.argv[1]);del sys.argv[:2];"
    "runpy.run_module(sys.argv[0],run_name='__main__',alter_sys=True)"
)


def module_argv(module: str, *arguments: str) -> list[str]:
    """The argv that runs one of our modules as a program."""
    if ROOT.name == "site-packages":
        return [sys.executable, "-P", "-m", module, *arguments]
    return [sys.executable, "-P", "-c", BOOT, str(ROOT), module, *arguments]


def with_own_command(path: str) -> str:
    """The search path with our command at its end: found by agents, hiding no program of theirs."""
    folder = os.path.dirname(sys.executable)
    if folder in path.split(os.pathsep) or not os.access(os.path.join(folder, "snakepit"), os.X_OK):
        return path
    return f"{path}{os.pathsep}{folder}"
