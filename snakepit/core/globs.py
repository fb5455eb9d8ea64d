"""Owns what a glob of path names means: `*` and `?` inside one name, `**` over any number of folders."""

import re


def compiled(pattern: str) -> re.Pattern[str]:
    """Matches whole relative paths with `/` between names. A pattern without `/` matches in any folder."""
    plain = pattern.removeprefix("./")
    wanted = plain if "/" in plain else f"**/{plain}"
    return re.compile("".join(_pieces(wanted)), re.DOTALL)


def _pieces(pattern: str) -> list[str]:
    found = [r"\A"]
    at = 0
    while at < len(pattern):
        if pattern.startswith("**/", at):
            found.append(r"(?:[^/]+/)*")
            at += 3
        elif pattern.startswith("**", at):
            found.append(r".*")
            at += 2
        else:
            piece, at = _piece(pattern, at)
            found.append(piece)
    return [*found, r"\Z"]


def _piece(pattern: str, at: int) -> tuple[str, int]:
    char = pattern[at]
    if char == "*":
        return r"[^/]*", at + 1
    if char == "?":
        return r"[^/]", at + 1
    if char == "{":
        end = pattern.find("}", at)
        if end > 0:
            choices = pattern[at + 1 : end].split(",")
            bodies = ("".join(_pieces(choice)[1:-1]) for choice in choices)
            return f"(?:{'|'.join(bodies)})", end + 1
    if char == "[":
        end = pattern.find("]", at + 2)
        if end > 0:
            body = pattern[at + 1 : end].replace("\\", r"\\")
            negated = f"^{body[1:]}" if body[0] in "!^" else body
            return f"[{negated}]", end + 1
    return re.escape(char), at + 1
