"""Owns masking secrets in a stream that arrives in pieces; reads and writes nothing itself.

A secret cut in two has no shape, so only whole lines leave at once. A line without an end (a
prompt, a screen being redrawn) leaves when the stream is quiet, except for a tail that may be the
beginning of a secret, which the caller releases a little later.
"""

import re
from collections.abc import Iterable

from snakepit.core.redact import SHORTEST, Redactor

LONGEST_LINE = 16_384  # bytes held for the end of a line
LONGEST_KEY = 65_536  # bytes held for the end of a private key
SHORTEST_PREFIX = 4  # bytes of a value that make a tail suspicious

_KEY_BEGINS = re.compile(rb"-----BEGIN [A-Z ]*PRIVATE KEY-----")
_KEY_ENDS = re.compile(rb"-----END [A-Z ]*PRIVATE KEY-----")
_BREAK = re.compile(rb"[\x00-\x20](?=[^\x00-\x20]*\Z)")


class MaskingStream:
    """Bytes in, bytes without secrets out."""

    def __init__(self, values: Iterable[str] = ()) -> None:
        known = [value for value in values if len(value) >= SHORTEST]
        self._redactor = Redactor(known)
        self._values = [value.encode() for value in known]
        self._held = b""

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def feed(self, data: bytes) -> bytes:
        """Take what arrived; give back the whole lines there are now."""
        self._held += data
        key = self._open_key()
        cut = min(self._held.rfind(b"\n") + 1, key)
        if len(self._held) - cut > (LONGEST_KEY if cut == key else LONGEST_LINE):
            found = _BREAK.search(self._held, cut)
            cut = found.end() if found else len(self._held)
        return self._release(cut)

    def settle(self) -> bytes:
        """The stream is quiet: give back all but what may be the beginning of a secret."""
        return self._release(min(self._open_key(), len(self._held) - self._prefix()))

    def close(self) -> bytes:
        """Give back all there is."""
        return self._release(len(self._held))

    def _release(self, cut: int) -> bytes:
        if not cut:
            return b""
        ready, self._held = self._held[:cut], self._held[cut:]
        return self._redactor.clean_bytes(ready)

    def _open_key(self) -> int:
        """Where a private key begins that has no end yet; the length of all when there is none."""
        begins = [found.start() for found in _KEY_BEGINS.finditer(self._held)]
        if not begins or _KEY_ENDS.search(self._held, begins[-1]):
            return len(self._held)
        return begins[-1]

    def _prefix(self) -> int:
        """The length of the longest tail that a known value begins with."""
        longest = 0
        for value in self._values:
            for size in range(min(len(value) - 1, len(self._held)), SHORTEST_PREFIX - 1, -1):
                if self._held.endswith(value[:size]):
                    longest = max(longest, size)
                    break
        return longest
