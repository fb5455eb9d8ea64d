"""Owns the fast reading of flat front matter: plain `key: value` lines, the form that people write.

It answers only where the answer is surely what YAML says; a hypothesis test compares the two.
"""

import re
from collections.abc import Mapping

# Scalars that YAML 1.1 cannot take for anything but text: they begin with a letter, and hold
# neither `: ` nor ` #`. A bare date stays text too: the reader's YAML resolves no timestamps.
_LETTERS = "A-Za-z\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u017f"
_WORD = r"[A-Za-z][A-Za-z0-9_.~/@+-]*+"
_RUN = rf"[{_LETTERS}0-9_.~/@+,;'()?!=%&*<>\"-]"
_TEXT = rf"[{_LETTERS}]{_RUN}*+(?:(?: ++|:){_RUN}++)*+"
_CLOCK = r"[0-9]{2}:[0-9]{2}(?::[0-9]{2}(?:\.[0-9]+)?)?(?:Z|[+-][0-9]{2}:[0-9]{2})?"
_DATE = rf"[12][0-9]{{3}}-[0-9]{{2}}-[0-9]{{2}}(?:T{_CLOCK})?"
_SPAN = r"[1-9][0-9]{0,8}[smhd]"
_QUOTED = r"\"[ !#-\[\]-~]*+\"|'[ -&(-~]*+'"
_ITEM = rf"(?:{_WORD}|{_QUOTED})"
_VALUE = (
    rf"({_TEXT}|{_SPAN}|{_DATE})"
    r"|(0|[1-9][0-9]{0,14})"
    rf"|({_QUOTED})"
    rf"|(\[ *+(?:{_ITEM}(?: *, *{_ITEM})*+)? *\])"
)
_LINE = re.compile(rf"([A-Za-z_][A-Za-z0-9_]*+):(?: ++(?:{_VALUE})?+ *+)?")
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
        match = _LINE.fullmatch(line)
        if match is None:
            if not line or (line[0] == "#" and line.isprintable()):
                continue
            return None
        key, word, number, quoted, items = match.groups()
        if key in found or key in SPECIAL:
            return None
        if word is not None:
            found[key] = SPECIAL.get(word, word)
        elif number is not None:
            found[key] = int(number)
        elif items is not None:
            found[key] = _items(items)
        else:
            found[key] = None if quoted is None else quoted[1:-1]
    return found


def _items(text: str) -> list[object]:
    return [
        item[1:-1] if item[0] in "\"'" else SPECIAL.get(item, item) for item in _ITEMS.findall(text)
    ]
