"""Owns cutting a terminal's bytes into text, controls and escape sequences; acts on none of them.

By ECMA-48, so that a sequence nobody knows is still skipped whole.
"""

import codecs
import re
from collections.abc import Iterator

LONGEST_SEQUENCE = 65_536  # characters; a longer one is no sequence

_TOKEN = re.compile(
    r"(?P<text>[^\x00-\x1f\x7f-\x9f]+)"
    r"|\x1b\[(?P<params>[0-?]*)(?P<between>[ -/]*)(?P<final>[@-~])"
    r"|\x1b\[[0-?]*[ -/]*[\x18\x1a]"
    r"|\x1b[\]PX^_][^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c|(?=\x1b[^\\]))"
    r"|\x1b(?P<kind>[ -/]*)(?P<escape>[0-OQ-WYZ\\`-~])"
    r"|(?P<control>[\x00-\x1a\x1c-\x1f\x7f-\x9f])"
)
_UNFINISHED = re.compile(r"\x1b(?:\[[0-?]*[ -/]*|[\]PX^_][^\x07\x1b\x9c]*\x1b?|[ -/]*)?\Z")


class EscapeReader:
    """Remembers half a character or half a sequence for the next bytes."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._pending = ""

    def read(self, data: bytes) -> Iterator[re.Match[str]]:
        """Give matches whose `lastgroup` is text, control, final, escape, or None to skip."""
        text = self._pending + self._decoder.decode(data)
        self._pending = ""
        position, match = 0, _TOKEN.match
        while position < len(text):
            found = match(text, position)
            if found is not None:
                yield found
                position = found.end()
            elif len(text) - position < LONGEST_SEQUENCE and _UNFINISHED.match(text, position):
                self._pending = text[position:]
                return
            else:
                position += 1


def numbers_in(params: str) -> list[int]:
    """Read `4;2` (and the first of `38:2:…`); what is no number is 0."""
    numbers = []
    for part in params.split(";"):
        digits = part.split(":")[0]
        numbers.append(min(int(digits), 9999) if digits.isdigit() and digits.isascii() else 0)
    return numbers
