"""Owns the names of tasks and workers: which are refused, ignored, numbered; it knows no disk."""

import re

NAME_BYTES = 200
WORKER_BYTES = 40
SUFFIX = ".md"

_NUMBERED = re.compile(r"~(?:[2-9]|[1-9][0-9]{1,5})$")
_WORKER = re.compile(r"[a-z0-9][a-z0-9-]*")
_PLAIN = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.~ -]{0,195}\.md")
_UNFINISHED = ("~", ".swp", ".tmp", ".part", ".draft.md")


def is_ignored(name: str) -> bool:
    """True for what editors, copiers and authors leave while a file is not food yet."""
    return name.startswith(".") or name.endswith(_UNFINISHED)


def problem_with(name: bytes | str) -> str | None:
    """Why a file of this name is refused as a task, or None. A `~n` is not counted as length."""
    if isinstance(name, bytes):
        try:
            name = name.decode()
        except UnicodeDecodeError:
            return "its name is not UTF-8"
    if _PLAIN.fullmatch(name):
        return None
    if not name.isprintable():
        return _unprintable_problem(name)
    if "/" in name:
        return "its name contains a slash"
    if name.startswith("-"):
        return "its name begins with a dash, which programs read as an option"
    if not name.endswith(SUFFIX) or name == SUFFIX:
        return "its name does not end in .md"
    size = len(root_of(name).encode())
    if size > NAME_BYTES:
        return f"its name is {size} bytes long; {NAME_BYTES} is the limit"
    return None


def _unprintable_problem(name: str) -> str:
    if any("\ud800" <= char <= "\udfff" for char in name):
        return "its name is not UTF-8"
    return "its name contains a control character or a line break"


def printable(raw: bytes | str) -> str:
    """The name as one safe line: what could hide, break a line or is not UTF-8 becomes %XX.

    Two different names never give the same text.
    """
    data = raw.encode("utf-8", "surrogateescape") if isinstance(raw, str) else raw
    text = data.decode("utf-8", "surrogateescape")
    return "".join(
        char if char.isprintable() and char not in "%/\\" else _percent(char) for char in text
    )


def _percent(char: str) -> str:
    return "".join(f"%{byte:02X}" for byte in char.encode("utf-8", "surrogateescape"))


def stem(name: str) -> str:
    return name[: -len(SUFFIX)] if name.endswith(SUFFIX) else name


def numbered(name: str, n: int) -> str:
    """x.md and 2 give x~2.md; a name that has a number gets the new one instead."""
    root = root_of(name)
    return f"{stem(root)}~{n}{root[len(stem(root)) :]}"


def root_of(name: str) -> str:
    """The name as its author gave it: x~2.md is x.md again."""
    base = stem(name)
    cut = _NUMBERED.search(base)
    return base[: cut.start()] + name[len(base) :] if cut and cut.start() else name


def task_name(reference: str) -> str:
    """How people write a task in `needs` or on a command line: with or without .md."""
    return reference if reference.endswith(SUFFIX) else reference + SUFFIX


def worker_problem(name: str) -> str | None:
    """Why this cannot name a worker (a directory, a session, an environment value), or None."""
    if len(name.encode("utf-8", "replace")) > WORKER_BYTES:
        return f"a worker's name has at most {WORKER_BYTES} characters"
    if not _WORKER.fullmatch(name):
        return "a worker's name has only a-z, 0-9 and -, and does not begin with -"
    return None
