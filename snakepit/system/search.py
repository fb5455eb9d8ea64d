"""Owns finding a program on the search path, also for a shell line; it starts nothing."""

import os
import re
import shlex

OPERATORS = re.compile(r"[;&|<>()$`*?~\n]")
ASSIGNS = re.compile(r"\s*\w+=")
PLACEHOLDER = re.compile(r"(?<!\$)\{(session|kickoff|model|name|session_id)\}")


def which(program: str, path: str | None = None) -> str | None:
    """As shutil.which, without what that imports."""
    if os.sep in program:
        candidates = [os.path.expanduser(program)]
    else:
        folders = (os.environ.get("PATH", os.defpath) if path is None else path).split(os.pathsep)
        candidates = [os.path.join(folder or ".", program) for folder in folders]
    for candidate in candidates:
        if os.path.isfile(candidate) and os.access(candidate, os.X_OK):
            return candidate
    return None


def program_of(line: str) -> str:
    """The program that must be there for a line to work: `sh` where only a shell can read it; "" for none.

    Raises ValueError for quotes that do not close.
    """
    if OPERATORS.search(unquoted(line)):
        return "sh"
    return next((word for word in shlex.split(line) if not ASSIGNS.match(word)), "")


def unquoted(line: str) -> str:
    """The line without what stands in quotes or behind a backslash."""
    bare = re.sub(r"\\.|'[^']*'|\"(?:\\.|[^\"\\$`])*\"", "", line, flags=re.DOTALL)
    return PLACEHOLDER.sub("", bare)
