"""Owns what of a text may go into a pane, and how it is recognised there again; types nothing.

A control character is a key: an escape could end the bracketed paste and press anything after it. So
none goes in, by what a character is, not by a list of sequences.
"""

import re
import unicodedata
from collections.abc import Sequence

LONG = 2048  # bytes; more goes by a file
STRANGE = "!#&$@/"  # before a line that a program does not take for words: ! is a shell's
PASTED = "[past"  # how programs show a paste that they fold
SEEN = 24  # characters by which a text is recognised

_COMMAND = re.compile(r"/[a-z][\w:-]*(?: .*)?")  # of the program itself; a path is none
_DROPPED = frozenset(("Cc", "Cf", "Cs", "Co", "Cn"))
_KEPT = "\u200d\ufe0f"  # inside emoji
_LINES = "\r\n\v\f\x85\u2028\u2029"


def clean(text: str) -> str:
    """Words, blanks and line ends only; ends of lines are \\n, and none at either end."""
    lines = text.replace("\r\n", "\n")
    one = "".join("\n" if char in _LINES else _blank(char) for char in lines)
    kept = (char for char in one if char == "\n" or _is_harmless(char))
    return "\n".join(line.rstrip() for line in "".join(kept).split("\n")).strip()


def as_words(text: str) -> str:
    """The same as words where its first character would make it something else."""
    is_strange = text[:1] in tuple(STRANGE) and not is_command(text)
    return f"Message: {text}" if is_strange else text


def is_command(text: str) -> bool:
    return _COMMAND.fullmatch(text) is not None


def tagged(text: str, nonce: str) -> str:
    """With a mark at its end that nothing else bears."""
    return f"{text}\n[{nonce}]" if "\n" in text else f"{text} [{nonce}]"


def is_long(text: str) -> bool:
    return len(text.encode()) > LONG


def pointer(path: str) -> str:
    return f"Read {path} now and do what it says."


def stands_in(draft: str, text: str) -> bool:
    """Whether what stands typed is this text, whole or folded, and not something before it."""
    shown, wanted = _bare(draft), _bare(text)
    if shown.lower().startswith(PASTED):
        return True
    return bool(shown) and shown[:SEEN] == wanted[: len(shown[:SEEN])] and len(shown) <= len(wanted)


def is_folded(rows: Sequence[str]) -> bool:
    """Whether a paste stands on the screen that the program does not show whole."""
    return PASTED in "".join(rows).lower()


def row_of(rows: Sequence[str], mark: str) -> int:
    """Where a text's mark stands lowest; -1 where it does not."""
    return max((index for index, row in enumerate(rows) if mark in row), default=-1)


def shows(rows: Sequence[str], text: str) -> bool:
    """Whether the rows show the text's beginning or its mark anywhere."""
    screen, wanted = _bare("".join(rows)), _bare(text)
    return bool(wanted) and (wanted[:SEEN] in screen or wanted[-10:] in screen)


def _bare(text: str) -> str:
    return "".join(char for char in text if not char.isspace() and char not in "\u200b\u2502\u2503")


def _blank(char: str) -> str:
    return " " if char == "\t" or unicodedata.category(char) == "Zs" else char


def _is_harmless(char: str) -> bool:
    return char in _KEPT or unicodedata.category(char) not in _DROPPED
