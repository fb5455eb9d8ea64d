"""Owns turning a wall clock's words into an instant: a time, perhaps a date or weekday, in some zone.

A time that a change of the clock leaves out or gives twice is the later or the nearer one. What lies a
little in the past has just come: the words were read late, and the answer is "soon".
"""

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import NamedTuple

SOON_S = 60.0
JUST_PASSED_S = 300.0
DAY_S = 86400.0
DATES_JUST_PASSED_S = 43200.0  # a date without its year, where next year's is the other reading


class WallTime(NamedTuple):
    """`at` None: the day is all that was said. `ahead`: days from today, of `today` and `tomorrow`."""

    at: time | None = None
    year: int | None = None
    month: int | None = None
    day: int | None = None
    weekday: int | None = None
    ahead: int | None = None


def instant(wanted: WallTime, now: float, zone: tzinfo, *, within_s: float | None) -> float | None:
    """The next future reading, at most `within_s` away; None for a date that no calendar has."""
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    at = wanted.at or time()
    readings = [moment for day in _days(wanted, today) for moment in _moments(day, at, zone)]
    if not readings:
        return None
    if wanted.at is None and _days_of(wanted, today) == today:
        return now + 3600.0
    future = min((moment for moment in readings if moment > now), default=None)
    passed = max((moment for moment in readings if moment <= now), default=None)
    is_late = passed is not None and now - passed <= _tolerance(wanted, future, now, within_s)
    if future is None or is_late:
        return now + SOON_S
    return future


def _tolerance(wanted: WallTime, future: float | None, now: float, within_s: float | None) -> float:
    """How long ago counts as just now: longer where the other reading is further than it can be."""
    if wanted.month is not None:
        return DATES_JUST_PASSED_S
    if within_s is not None and future is not None and future - now > within_s:
        return 3600.0
    return JUST_PASSED_S


def _days_of(wanted: WallTime, today: date) -> date | None:
    """The one day that was meant by a date, if it is this year's."""
    if wanted.ahead is not None:
        return today + timedelta(days=wanted.ahead)
    if wanted.month is None:
        return today if wanted.weekday == today.weekday() else None
    return _date(wanted.year or today.year, wanted.month, wanted.day or 1)


def _days(wanted: WallTime, today: date) -> Iterable[date]:
    if wanted.month is not None:
        years = [wanted.year] if wanted.year else range(today.year - 1, today.year + 5)
        found = (_date(year, wanted.month, wanted.day or 1) for year in years)
        return [day for day in found if day is not None]
    if wanted.ahead is not None:
        return [today + timedelta(days=wanted.ahead)]
    around = [today + timedelta(days=offset) for offset in range(-7, 9)]
    if wanted.weekday is not None:
        return [day for day in around if day.weekday() == wanted.weekday]
    return around[6:10]


def _date(year: int, month: int, day: int) -> date | None:
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _moments(day: date, at: time, zone: tzinfo) -> list[float]:
    """Both where the clock shows it twice; what it leaves out is read by the offset before."""
    local = datetime.combine(day, at)
    found = [local.replace(fold=fold, tzinfo=zone).timestamp() for fold in (0, 1)]
    shown = [moment for moment in found if _shown(moment, zone) == local]
    return shown or found[:1]


def _shown(moment: float, zone: tzinfo) -> datetime:
    return datetime.fromtimestamp(moment, UTC).astimezone(zone).replace(tzinfo=None)
