"""Owns reading out of a program's words when a limit ends; it reads no clock and no zone files.

A structured instant wins over words; of several moments the first that follows a word like "resets" or
"try again at" is taken, read as the next future one and cut to what its kind of limit can last.
"""

import re
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta, timezone, tzinfo

from snakepit.core.walltime import SOON_S, WallTime, instant

ZoneOf = Callable[[str], tzinfo | None]  # "" is the zone of the machine; None: no such zone

FIVE_HOURS_S = 6 * 3600.0  # how far away the reset can be, with some air
DAILY_S = 25 * 3600.0
WEEKLY_S = 8 * 86400.0
LONGEST_S = 366 * 86400.0

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")
_PLAIN = str.maketrans("\u00a0\u202f│┃\u2018\u2019", "    ''")


def unwrapped(text: str) -> str:
    """On one line, with plain blanks and apostrophes, as if the terminal had been wide enough."""
    return " ".join(_ESCAPES.sub("", text).translate(_PLAIN).split())


def read_reset(
    text: str, now: float, *, zone_of: ZoneOf, scope_s: float | None = None
) -> float | None:
    """Unix seconds, always later than `now`; None where no form is recognised.

    `scope_s` is the furthest that a reset can be away; None: what the wording says of the limit.
    """
    plain = unwrapped(text)
    found = _STRUCTURED.search(plain)
    if found:
        return _cut(_of_epoch(found[1]), now, scope_s or _scope(plain, len(plain)))
    for lead in _LEAD.finditer(plain):
        scope = scope_s or _scope(plain, lead.start())
        until = _moment(plain[lead.end() :], now, zone_of, scope, bare_unit=_bare_unit(lead[0]))
        if until is not None:
            return _cut(until, now, scope)
    scope = scope_s or _scope(plain, len(plain))
    until = _moment(plain, now, zone_of, scope, bare_unit="s", is_all=True)
    return None if until is None else _cut(until, now, scope)


def _cut(until: float, now: float, scope: float | None) -> float:
    soonest = until if until > now else now + SOON_S
    return min(soonest, now + (scope or LONGEST_S))


_STRUCTURED = re.compile(
    r"""(?:resets?_?at|reset_time|until)["']?\s*[:=]\s*["']?(\d{10}(?:\d{3})?(?:\.\d+)?)(?!\d)""",
    re.IGNORECASE,
)
_LEAD = re.compile(
    r"""\b(?: resets?(?:_?at|[ ](?:at|on|in|after|time))? | retry[- _]after(?:_ms|_seconds)?
        | re-?try(?:ing)?[ ](?:at|in|after) | (?:try|available|back|retry)[ ](?:again[ ])?(?:at|on|in|after)
        | automatically[ ](?:at|on|in|after) | regain[ ]access[ ](?:at|on|in)
        | (?:renews?|refresh(?:es)?|replenish(?:es)?)(?:[ ](?:at|on|in))? | until | wait | expires?[ ](?:at|on|in)
        | lifted[ ](?:at|on|in) )\b ["']?[\s:=·~]*["']?""",
    re.IGNORECASE | re.VERBOSE,
)


def _bare_unit(lead: str) -> str:
    """What a number without a unit counts after this word; "" where it means nothing."""
    if "after" not in lead.lower():
        return ""
    return "ms" if "_ms" in lead.lower() else "s"


_WORDING = re.compile(
    r"""(?P<hours>\b5[- ]?h(?:ours?|rs?)?\b|five[-_ ]hour|session[ ]limit)
        |(?P<day>\bdaily\b|per[- ]day|for[ ]the[ ]day)
        |(?P<week>\bweek(?:ly)?\b|\b7[- ]?d(?:ays?)?\b|seven[-_ ]day|\b(?:opus|sonnet)[ ]limit)""",
    re.IGNORECASE | re.VERBOSE,
)
_SCOPES = {"hours": FIVE_HOURS_S, "day": DAILY_S, "week": WEEKLY_S}
_WINDOWS = {"hours": "5-hour", "day": "daily", "week": "weekly"}


def _scope(plain: str, end: int) -> float | None:
    """By the wording that stands nearest before, else nearest after."""
    found = [(match.start(), match.lastgroup) for match in _WORDING.finditer(plain)]
    before = [group for start, group in found if start < end]
    named = before[-1] if before else found[0][1] if found else None
    return _SCOPES.get(named or "")


def window_of(text: str) -> str:
    """The kind of limit that the wording names first: 5-hour, daily, weekly, or ""."""
    found = _WORDING.search(unwrapped(text))
    return _WINDOWS.get((found.lastgroup if found else "") or "", "")


# --- the forms

_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_MONTH = rf"(?:{'|'.join(_MONTHS)})[a-z]*\.?"
_WEEKDAY = r"(?P<weekday>mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?\b"
_DATE = rf"""(?:(?P<iso>\d{{4}}-\d\d-\d\d)
    | (?P<month1>{_MONTH})\s*(?P<day1>\d{{1,2}})(?:st|nd|rd|th)?(?!\d|:|\s*[ap]\.?m)(?:,?\s*(?P<year1>20\d\d)\b)?
    | (?P<day2>\d{{1,2}})(?:st|nd|rd|th)?[ -](?P<month2>{_MONTH})(?:,?[ -](?P<year2>20\d\d)\b)?
    | (?P<us>\d{{1,2}}/\d{{1,2}}/20\d\d) | (?P<ahead>today|tomorrow))"""
_TIME = r"""(?:(?P<hour>\d{1,2})(?::(?P<minute>\d\d))?(?::(?P<second>\d\d)(?:\.\d+)?)?\s*(?P<half>[ap])\.?m\b\.?
    | (?P<hour24>\d{1,2}):(?P<minute24>\d\d)(?::(?P<second24>\d\d)(?:\.\d+)?)?
    | (?P<named>noon|midnight))"""
_ZONE = r"""(?:\s*\(?(?P<zone>(?-i:(?:UTC|GMT)?[+-]\d{1,2}(?::?\d\d)?(?!\d)|[A-Z][A-Za-z_]+(?:/[A-Za-z0-9_+-]+)+
    |Z\b|[A-Z]{2,5}\b|Pacific|Eastern|Central|Mountain)))?"""
_FORMS = tuple(
    re.compile(form, re.VERBOSE | re.IGNORECASE)
    for form in (
        rf"(?:on\s+)?(?:{_WEEKDAY},?\s*)?{_DATE}(?:(?:,|\s|at\b|T)*{_TIME})?{_ZONE}",
        rf"(?:on\s+)?{_WEEKDAY}(?:(?:,|\s|at\b)*{_TIME})?{_ZONE}",
        rf"(?:at\s+)?{_TIME}{_ZONE}\)?(?:,|\s|on\b)*(?:{_WEEKDAY},?\s*)?{_DATE}",
        rf"(?:at\s+)?{_TIME}{_ZONE}",
    )
)
_ABBREVIATED = {
    "pacific": "America/Los_Angeles", "pt": "America/Los_Angeles", "pst": "America/Los_Angeles",
    "pdt": "America/Los_Angeles", "eastern": "America/New_York", "et": "America/New_York",
    "est": "America/New_York", "edt": "America/New_York", "central": "America/Chicago",
    "ct": "America/Chicago", "cst": "America/Chicago", "cdt": "America/Chicago",
    "mountain": "America/Denver", "mt": "America/Denver", "mst": "America/Denver",
    "mdt": "America/Denver", "bst": "Europe/London", "cet": "Europe/Paris", "cest": "Europe/Paris",
    "eet": "Europe/Athens", "eest": "Europe/Athens", "jst": "Asia/Tokyo", "ist": "Asia/Kolkata",
}  # fmt: skip


def _moment(
    text: str,
    now: float,
    zone_of: ZoneOf,
    scope: float | None,
    *,
    bare_unit: str,
    is_all: bool = False,
) -> float | None:
    """What the text begins with, or is, as unix seconds, perhaps in the past."""
    epoch = _EPOCH.match(text)
    if epoch and _is_rest(text[epoch.end() :], is_all=is_all):
        return _of_epoch(epoch[1])
    for form in _FORMS:
        found = form.match(text)
        if found and _is_rest(text[found.end() :], is_all=is_all):
            wanted = _wall_time(found)
            zone = _zone(found["zone"] or "", zone_of)
            return None if wanted is None else instant(wanted, now, zone, within_s=scope)
    seconds = _duration(text, bare_unit=bare_unit, is_all=is_all)
    return None if seconds is None else now + max(seconds, 1.0)


def _is_rest(text: str, *, is_all: bool) -> bool:
    return not is_all or not text.strip(" .,;:)\"'")


def _of_epoch(digits: str) -> float:
    whole = digits.split(".")[0]
    return float(digits) / 1000 if len(whole) == 13 else float(digits)


def _wall_time(found: "re.Match[str]") -> WallTime | None:
    """None for an hour or a day that does not exist."""
    said = {key: value.lower() for key, value in found.groupdict().items() if value}
    try:
        at = _time_of(said)
        year, month, day = _date_of(said)
    except ValueError:
        return None
    weekday = said.get("weekday")
    ahead = said.get("ahead")
    return WallTime(
        at=at,
        year=year,
        month=month,
        day=day,
        weekday=None if weekday is None or month else _WEEKDAYS.index(weekday[:3]),
        ahead=None if ahead is None else int(ahead == "tomorrow"),
    )


def _time_of(said: dict[str, str]) -> time | None:
    if "named" in said:
        return time(12 if said["named"] == "noon" else 0)
    if "hour" in said:
        hour = int(said["hour"])
        if not 1 <= hour <= 12:
            raise ValueError(hour)
        later = 12 if said["half"] == "p" else 0
        return time(hour % 12 + later, int(said.get("minute", 0)), int(said.get("second", 0)))
    if "hour24" in said:
        hour = int(said["hour24"])
        minute, second = int(said["minute24"]), int(said.get("second24", 0))
        return time(0 if hour == 24 and minute == 0 else hour, minute, second)
    return None


def _date_of(said: dict[str, str]) -> tuple[int | None, int | None, int | None]:
    if "iso" in said:
        day = datetime.strptime(said["iso"], "%Y-%m-%d").replace(tzinfo=UTC)
        return day.year, day.month, day.day
    if "us" in said:
        day = datetime.strptime(said["us"], "%m/%d/%Y").replace(tzinfo=UTC)
        return day.year, day.month, day.day
    for number in "12":
        if f"month{number}" in said:
            year = said.get(f"year{number}")
            month = _MONTHS.index(said[f"month{number}"][:3]) + 1
            return int(year) if year else None, month, int(said[f"day{number}"])
    return None, None, None


def _zone(name: str, zone_of: ZoneOf) -> tzinfo:
    """A zone that nobody knows is taken for the machine's own, as the programs print their user's."""
    offset = re.fullmatch(r"(?:UTC|GMT)?([+-])(\d{1,2}):?(\d\d)?", name, re.IGNORECASE)
    if offset:
        span = timedelta(hours=int(offset[2]), minutes=int(offset[3] or 0))
        if span < timedelta(hours=24):
            return timezone(-span if offset[1] == "-" else span)
    if name.upper() in ("UTC", "GMT", "Z"):
        return UTC
    known = zone_of(_ABBREVIATED.get(name.lower(), name)) if name else None
    return known or zone_of("") or UTC


_UNITS = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0, "w": 604800.0}
_PART = r"""(\d+(?:\.\d+)?|\b(?:an?|one)(?=\s))\s*(ms|milliseconds?|s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?
    |d|days?|w|weeks?)(?![a-z])"""
_DURATION = re.compile(
    rf"(?:in\s+|after\s+|about\s+|another\s+|~\s*|less\s+than\s+)*{_PART}(?:(?:,|\s|and\b)*{_PART})*",
    re.VERBOSE | re.IGNORECASE,
)
_BARE = re.compile(r"(\d{1,7}(?:\.\d+)?)(?![\d:/%.\w])")
_EPOCH = re.compile(r"(\d{10}(?:\d{3})?(?:\.\d+)?)(?![\d:])")
_PARTS = re.compile(_PART, re.VERBOSE | re.IGNORECASE)


def _duration(text: str, *, bare_unit: str, is_all: bool) -> float | None:
    found = _DURATION.match(text)
    if found and _is_rest(text[found.end() :], is_all=is_all):
        return sum(_length(number, unit) for number, unit in _PARTS.findall(found[0]))
    bare = _BARE.match(text) if bare_unit else None
    if bare is None or not _is_rest(text[bare.end() :], is_all=is_all):
        return None
    return float(bare[1]) * _UNITS[bare_unit]


def _length(number: str, unit: str) -> float:
    short = "ms" if unit.lower().startswith(("ms", "milli")) else unit[0].lower()
    return (float(number) if number[0].isdigit() else 1.0) * _UNITS[short]
