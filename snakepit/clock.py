"""Owns the clock: the only module that reads it. Wall time is for records, monotonic for durations."""

import time
from datetime import UTC, datetime


def wall() -> float:
    """Seconds since the epoch; may jump."""
    return time.time()


def monotonic() -> float:
    """Seconds since the machine's boot; never jumps, the same for every process of one boot."""
    return time.monotonic()


def stamp(at: float | None = None) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = datetime.fromtimestamp(time.time() if at is None else at, UTC)
    return moment.strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"
