"""Owns masking secrets in a stream that arrives in pieces; reads and writes nothing itself.

A secret cut in two has no shape, so only whole lines leave at once. A line without an end (a
prompt, a screen being redrawn) leaves when the stream is quiet, except for a tail that may be the
beginning of a secret: that is held a little longer. Whatever has left of a line is remembered, so
that the rest of a secret is masked however late it comes.
"""

import re
from collections.abc import Iterable

from snakepit.core.redact import SHORTEST, Redactor

LONGEST_LINE = 16_384  # bytes held for the end of a line
LONGEST_KEY = 65_536  # bytes held for the end of a private key
SHORTEST_PREFIX = 4  # bytes of a value that make a tail suspicious
LONGEST_TAIL = 2_048  # bytes of a line that are looked at again
PATIENCE = 6  # calls of `settle`, without bytes between them, until a suspicious tail leaves

_KEY_BEGINS = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_KEY_ENDS = re.compile(rb"-----END [A-Z ]*PRIVATE KEY-----")
_BREAK = re.compile(rb"[\x00-\x20](?=[^\x00-\x20]*\Z)")
_WORDS = (
    *("sk-", "sk_", "rk_", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "npm_"),
    *("AKIA", "ASIA", "AIza", "xox", "hf_", "pypi-", "eyJ"),
)
_BEGUN = "|".join(
    sorted({re.escape(word[:size]) for word in _WORDS for size in range(2, len(word))}, key=len)
)
_TAIL = re.compile(  # what core/redact.py would mask if more of it came
    rf"(?:{'|'.join(map(re.escape, _WORDS))})[A-Za-z0-9._-]*+\Z"
    rf"|(?:{_BEGUN})\Z"
    r"|-----[A-Z ]*-{0,4}\Z"
    r"|://[^/\s@\"']*+\Z"
    r"|(?i:\b(?:bearer|basic)\s++[^\s\"']*+\Z)"
    r"|(?i:(?<![A-Z0-9_-])(?=[A-Z0-9_-]*?"
    r"(?:key|token|secret|passw(?:or)?d|passphrase|credentials?))[A-Z0-9_-]++"
    r"\\?[\"']?\s*+[=:]\s*+\\?[\"']?[^\s\"']*+\Z)".encode()
)


class MaskingStream:
    """Bytes in, bytes without secrets out."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = [value for value in values if len(value) >= SHORTEST]
        self._redactor = Redactor(known)
        self._values = [value.encode() for value in known]
        self._held = b""
        self._shown = b""  # the end of what has left, back to the last line end, unmasked
        self._settled = 0

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take what arrived; give back the whole lines there are now."""
        self._held += data
        self._settled = 0
        key = self._open_key()
        cut = min(self._held.rfind(b"\n") + 1, key)
        if len(self._held) - cut > (LONGEST_KEY if cut == key else LONGEST_LINE):
            found = _BREAK.search(self._held, cut)
            cut = found.end() if found else len(self._held)
        return self._release(cut)

    def settle(self) -> bytes:
        """The stream is quiet: give back all but what may be the beginning of a secret.

        Called again and again, all: nobody who looks on waits for what never comes.
        """
        self._settled += 1
        if self._settled > PATIENCE:
            return self.close()
        return self._release(min(self._open_key(), self._open_tail()))

    def close(self) -> bytes:
        """Give back all there is."""
        return self._release(len(self._held))

    def _release(self, cut: int) -> bytes:
        if not cut:
            return b""
        ready, self._held = self._held[:cut], self._held[cut:]
        before = self._shown
        whole = before + ready
        self._shown = whole[max(whole.rfind(b"\n") + 1, len(whole) - LONGEST_TAIL) :]
        if not before:
            return self._redactor.clean_bytes(ready)
        seen = self._redactor.clean_bytes(before)
        now = self._redactor.clean_bytes(whole)
        return now[_common(seen, now) :]

    def _open_key(self) -> int:
        """Where a private key begins that has no end yet; the length of all when there is none."""
        begins = [found.start() for found in _KEY_BEGINS.finditer(self._held)]
        if not begins or _KEY_ENDS.search(self._held, begins[-1]):
            return len(self._held)
        return begins[-1]

    def _open_tail(self) -> int:
        """Where a tail begins that a known value, or the shape of a secret, may begin with."""
        begin = max(self._held.rfind(b"\n") + 1, len(self._held) - LONGEST_TAIL)
        found = _TAIL.search(self._held, begin)
        shape = found.start() if found else len(self._held)
        return min(shape, len(self._held) - self._prefix())

    def _prefix(self) -> int:
        """The length of the longest tail that a known value begins with."""
        longest = 0
        for value in self._values:
            for size in range(min(len(value) - 1, len(self._held)), SHORTEST_PREFIX - 1, -1):
                if self._held.endswith(value[:size]):
                    longest = max(longest, size)
                    break
        return longest


def _common(one: bytes, other: bytes) -> int:
    """How many bytes both begin with."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((place for place, (a, b) in pairs if a != b), min(len(one), len(other)))
