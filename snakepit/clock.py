"""Owns the clock: the only module that reads it. Wall time is for records, monotonic for durations."""

import time
from datetime import UTC, datetime
from functools import lru_cache


def wall() -> float:
    """Seconds since the epoch; may jump."""
    return time.time()


def monotonic() -> float:
    """Seconds since the machine's boot; never jumps, the same for every process of one boot."""
    return time.monotonic()


def stamp(at: float | None = None) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = time.time() if at is None else at
    second = int(moment // 1)
    return f"{_until_second(second)}{int((moment - second) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _until_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")
