"""Owns reading out of a program's words when a limit ends; it reads no clock and no zone files."""

from collections.abc import Callable
from datetime import tzinfo

ZoneOf = Callable[[str], tzinfo | None]  # "" is the zone of the machine; None: no such zone


def unwrapped(text: str) -> str:
    """On one line, with plain blanks and apostrophes, as if the terminal had been wide enough."""
    plain = text.translate({0xA0: " ", 0x202F: " ", 0x2019: "'", 0x2018: "'"})
    return " ".join(plain.split())


def read_reset(
    text: str, now: float, *, zone_of: ZoneOf, scope_s: float | None = None
) -> float | None:
    """Unix seconds, always later than `now`; None where no form is recognised."""
    del text, now, zone_of, scope_s
    return None
