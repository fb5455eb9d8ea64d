"""Owns masking secrets in text that is about to be kept: given values and the known shapes of keys.

A text already masked stays as it is. Text inside JSON stays JSON: no shape reaches over a quote. Streams must be
cleaned by whole lines, since a secret cut in two has no shape.
"""

import re
from collections.abc import Iterable
from json.encoder import encode_basestring, encode_basestring_ascii

MASK = "[redacted]"
SHORTEST = 8  # characters; a shorter value would mask half the words of a log

_KEPT = rf"\g<1>{MASK}"
_NAME = r"(?:api[_-]?key|[_-]key|access[_-]?key|token(?!s)|secret|passw(?:or)?d|passphrase|credentials?)"
_SHAPES: tuple[tuple[tuple[str, ...], re.Pattern[str], str], ...] = (
    (("sk-",), re.compile(r"sk-(?<![A-Za-z0-9]sk-)[A-Za-z0-9_-]{16,}"), MASK),
    (("k_live_", "k_test_"), re.compile(r"\b[rs]k_(?:live|test)_[A-Za-z0-9]{10,}"), MASK),
    (
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        re.compile(r"gh[pousr]_[A-Za-z0-9]{20,}"),
        MASK,
    ),
    (("github_pat_",), re.compile(r"github_pat_[A-Za-z0-9_]{20,}"), MASK),
    (("AKIA", "ASIA"), re.compile(r"(?<![A-Z0-9])A(?:KI|SI)A[A-Z0-9]{16}"), MASK),
    (("xox",), re.compile(r"xox[abeoprs]-[A-Za-z0-9-]{10,}"), MASK),
    (("glpat-",), re.compile(r"glpat-[A-Za-z0-9_-]{16,}"), MASK),
    (("AIza",), re.compile(r"AIza[A-Za-z0-9_-]{30,}"), MASK),
    (("hf_",), re.compile(r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{20,}"), MASK),
    (("npm_",), re.compile(r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{30,}"), MASK),
    (("pypi-",), re.compile(r"pypi-[A-Za-z0-9_-]{30,}"), MASK),
    (
        ("eyJ",),
        re.compile(
            r"(?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]++\.eyJ)([A-Za-z0-9_-]*?)"
            r"eyJ[A-Za-z0-9_-]{8,}\.eyJ[A-Za-z0-9_-]{4,}\.[A-Za-z0-9_-]*"
        ),
        _KEPT,
    ),
    (
        ("PRIVATE KEY",),
        re.compile(
            r"-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=:,\s-]|\\[nr])*?"
            r"(?:-----END [A-Z ]*PRIVATE KEY-----|(?![A-Za-z0-9+/=:,\s\\-]))"
            r"|-----BEGIN [A-Z ]*PRIVATE KEY-----(?:[A-Za-z0-9+/=:,\s-]|\\[nr])*"
        ),
        MASK,
    ),
    (("://",), re.compile(r"(://[^/\s:@\"'\\]*:)[^@\s/\"'\\]+(?=@)"), _KEPT),
    (
        ("earer", "EARER", "asic "),
        re.compile(r"(?i)\b((?:bearer|authorization: basic)\s+)[A-Za-z0-9._~+/=-]{12,}"),
        _KEPT,
    ),
)
_ASSIGNED = re.compile(
    # One try a word, and no way back into it: else a line of "key-key-key…" takes minutes.
    rf"(?i)((?<![A-Za-z0-9_-])(?=[A-Za-z0-9_-]*?{_NAME})[A-Za-z0-9_-]++"
    r"\\?[\"']?\s*+[=:]\s*+\\?[\"']?)"
    r"(?!\d+\b(?![\w.])|true\b|false\b|null\b)[A-Za-z0-9_./+=:@~$%^*!#&?-]{8,}"
)
_ASSIGNED_HINTS = ("key", "token", "secret", "passw", "passphrase", "credential")
_HINTS = tuple(hint for hints, _, _ in _SHAPES for hint in hints)
_ANY_HINT = re.compile("|".join(map(re.escape, _HINTS)))
_SHORT = 500  # characters; one pass for all hints is faster up to here, one search for each beyond


class Redactor:
    """Masks the given values (those of 8 characters and more) wherever they stand, and the known shapes."""

    __slots__ = ("_values",)

    def __init__(self, values: Iterable[str] = ()) -> None:
        forms = {form for value in values for form in _forms(value)}
        self._values = tuple(sorted(forms, key=lambda form: (-len(form), form)))

    def clean(self, text: str) -> str:
        for value in self._values:
            if value in text:
                text = text.replace(value, MASK)
        if _ANY_HINT.search(text) if len(text) < _SHORT else any(map(text.__contains__, _HINTS)):
            text = _without_shapes(text)
        if "=" in text or ":" in text:
            lowered = text.lower()
            for hint in _ASSIGNED_HINTS:
                if hint in lowered:
                    return _ASSIGNED.sub(_KEPT, text)
        return text

    def clean_bytes(self, data: bytes) -> bytes:
        """The same for bytes of unknown encoding; what is no secret stays byte for byte."""
        return self.clean(data.decode("utf-8", "surrogateescape")).encode(
            "utf-8", "surrogateescape"
        )


def _without_shapes(text: str) -> str:
    for hints, shape, kept in _SHAPES:
        if any(hint in text for hint in hints):
            text = shape.sub(kept, text)
    return text


def _forms(value: str) -> Iterable[str]:
    """The value as it is, line by line, and as it would stand inside JSON."""
    lines = value.splitlines() if "\n" in value.strip() else []
    for text in (value, value.strip(), *lines):
        if len(text.strip()) >= SHORTEST:
            yield text
            yield encode_basestring(text)[1:-1]
            yield encode_basestring_ascii(text)[1:-1]
