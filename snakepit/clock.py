"""Owns the clock: the only module that reads it. Wall time is for records, monotonic for durations."""

import os
import time
from datetime import UTC, datetime, tzinfo
from functools import lru_cache

wall = time.time  # seconds since the epoch; may jump
monotonic = time.monotonic  # since the machine's boot; never jumps, one for all processes of a boot


def stamp(at: float | None = None) -> str:
    """RFC 3339 in UTC with milliseconds."""
    moment = time.time() if at is None else at
    second = int(moment // 1)
    return f"{_until_second(second)}{int((moment - second) * 1000):03d}Z"


@lru_cache(maxsize=4)
def _until_second(second: int) -> str:
    return datetime.fromtimestamp(second, UTC).strftime("%Y-%m-%dT%H:%M:%S.")


@lru_cache(maxsize=64)
def zone(name: str = "") -> tzinfo | None:
    """The zone of that name, the machine's own for ""; None where this machine does not know it."""
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name) if name else _own_zone()
    except (ValueError, OSError, LookupError):
        return None if name else datetime.now().astimezone().tzinfo


def _own_zone() -> tzinfo:
    """With its changes of the clock, which a fixed offset would not know."""
    from zoneinfo import ZoneInfo

    named = os.environ.get("TZ", "").removeprefix(":")
    if named:
        return ZoneInfo(named)
    with open("/etc/localtime", "rb") as file:
        return ZoneInfo.from_file(file)
