"""Owns the fast reading of flat front matter: plain `key: value` lines, the form that people write.

It answers only where the answer is surely what YAML says; a hypothesis test compares the two.
"""

import re
from collections.abc import Mapping

# A scalar that YAML 1.1 cannot take for anything but text: begins with a letter, has no `: ` and no ` #`.
_WORD = r"[A-Za-z][A-Za-z0-9_.~/@+-]*"
_TEXT = r"[A-Za-z\u00c0-\u00d6](?:[A-Za-z0-9_.~/@+,;'()?!=%&*<>\"\u00c0-\u00d6\u00d8-\u024f-]|:(?=[A-Za-z0-9/])| (?!#))*"
_DATE = r"[12][0-9]{3}-[0-9]{2}-[0-9]{2}(?:T[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?)?"
_QUOTED = r"\"[ !#-\[\]-~]*\"|'[ -&(-~]*'"
_ITEM = rf"(?:{_WORD}|{_QUOTED})"
_LINE = re.compile(
    r"([A-Za-z_][A-Za-z0-9_]*): *"
    rf"(?:(0|[1-9][0-9]{{0,14}})|({_QUOTED})|\[ *({_ITEM}(?: *, *{_ITEM})*)? *\]|({_DATE}|[1-9][0-9]{{0,8}}[smhd]|{_TEXT}))? *"
)
_ITEMS = re.compile(_ITEM)
FLAT_WORD = re.compile(_WORD)
SPECIAL: Mapping[str, object] = {
    word: meaning
    for names, meaning in (
        (("true", "yes", "on"), True),
        (("false", "no", "off"), False),
        (("null",), None),
    )
    for name in names
    for word in (name, name.capitalize(), name.upper())
}


def parse_flat(header: bytes) -> dict[str, object] | None:
    """The keys of a header of plain `key: value` lines, or None where only YAML can tell."""
    try:
        text = header.decode()
    except UnicodeDecodeError:
        return None
    if "\r" in text:
        text = text.replace("\r\n", "\n")
    found: dict[str, object] = {}
    for line in text.split("\n"):
        if not line or line[0] == "#":
            if line.isprintable():
                continue
            return None
        match = _LINE.fullmatch(line)
        if match is None:
            return None
        key = match[1]
        if key in found or key in SPECIAL or (line[len(key) + 1 : len(key) + 2] not in ("", " ")):
            return None
        found[key] = _value(match)
    return found


def _value(match: re.Match[str]) -> object:
    kind = match.lastindex
    if kind == 5:
        text = match[5].rstrip(" ")
        return SPECIAL.get(text, text)
    if kind == 2:
        return int(match[2])
    if kind == 3:
        return match[3][1:-1]
    if kind == 4:
        return [
            item[1:-1] if item[0] in "\"'" else SPECIAL.get(item, item)
            for item in _ITEMS.findall(match[4])
        ]
    return [] if "[" in match[0] else None
