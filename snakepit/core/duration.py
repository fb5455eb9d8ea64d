"""Owns durations as people write them (90s, 30m, 2h, 1d); everything inside counts seconds."""

import re

_UNITS = {"": 1.0, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}  # seconds
_PART = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd]?)")
_WHOLE = re.compile(r"\d+(?:\.\d+)?\s*[smhd]?|(?:\d+(?:\.\d+)?\s*[smhd]\s*)+")
LONGEST = 366 * 86400.0  # seconds


def parse_duration(value: str | int | float) -> float:
    """Seconds of `90s`, `1h30m` or a bare number; ValueError says what is wrong with it."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        message = f"{value!r} is not a duration; write 90s, 30m, 2h or 1d"
        raise ValueError(message)
    seconds = _seconds(value) if isinstance(value, str) else float(value)
    if not 0 <= seconds <= LONGEST:
        message = f"{value!r} is not between 0 and 366 days"
        raise ValueError(message)
    return seconds


def _seconds(text: str) -> float:
    if not _WHOLE.fullmatch(text.strip()):
        message = f"{text!r} is not a duration; write 90s, 30m, 2h or 1d"
        raise ValueError(message)
    return sum(float(number) * _UNITS[unit] for number, unit in _PART.findall(text))


def format_duration(seconds: float) -> str:
    """Two units at most, as one reads them: 350ms, 42s, 3m20s, 2h05m, 4d03h."""
    if seconds < 0:
        return "-" + format_duration(-seconds)
    if seconds < 1:
        return f"{round(seconds * 1000)}ms" if seconds else "0s"
    whole = int(seconds)
    if whole < 10:
        return f"{seconds:.1f}s".replace(".0s", "s")
    if whole < 60:
        return f"{whole}s"
    if whole < 3600:
        return f"{whole // 60}m{whole % 60:02d}s" if whole % 60 else f"{whole // 60}m"
    if whole < 86400:
        minutes = whole % 3600 // 60
        return f"{whole // 3600}h{minutes:02d}m" if minutes else f"{whole // 3600}h"
    hours = whole % 86400 // 3600
    return f"{whole // 86400}d{hours:02d}h" if hours else f"{whole // 86400}d"
