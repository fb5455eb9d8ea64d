"""Owns the command lines of our own programs: the same code as this process, in any folder."""

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
