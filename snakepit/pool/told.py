"""Owns the words for people about accounts that rest."""

from datetime import UTC, datetime

from snakepit import clock
from snakepit.core.duration import format_duration
from snakepit.core.outcome import AUTH, BILLING, OVERLOADED
from snakepit.pool.limits import FALLBACK, Rest

DAY_S = 86400.0


def short_name(account: str) -> str:
    """`claude account a1b2c3`: the mark tells accounts apart."""
    name, _, mark = account.rpartition("-")
    return f"{name} account {mark}"


def rest_line(rest: Rest, now: float) -> str:
    """Without a duration, so that it is said once and not every second."""
    return f"{short_name(rest.account)} {_state(rest)} {_when(rest, now)}"


def rest_line_now(rest: Rest, now: float) -> str:
    """With how long it still takes."""
    if rest.is_over(now):
        return f"{short_name(rest.account)} {_state(rest)}; one snake tries it now"
    return f"{rest_line(rest, now)} (in {format_duration(rest.until - now)})"


def _state(rest: Rest) -> str:
    if rest.kind == OVERLOADED:
        return "is overloaded"
    if rest.kind == AUTH:
        return "is not signed in"
    if rest.kind == BILLING:
        return "has no credit"
    words = " ".join(word for word in (rest.window, rest.scope, "limit") if word)
    return f"is at its {words}"


def _when(rest: Rest, now: float) -> str:
    at = local_time(rest.until, now)
    is_read = rest.source != FALLBACK and rest.kind not in (AUTH, BILLING)
    return f"until {at}" if is_read else f"and is tried again at {at}"


def local_time(at: float, now: float) -> str:
    """`04:58`, with the day where it is another: `Tue 24 Nov 04:58`."""
    zone = clock.zone() or UTC
    moment = datetime.fromtimestamp(at, UTC).astimezone(zone)
    today = datetime.fromtimestamp(now, UTC).astimezone(zone).date()
    return f"{moment:%H:%M}" if moment.date() == today else f"{moment:%a %d %b %H:%M}"
