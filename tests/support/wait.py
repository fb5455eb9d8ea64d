"""Owns waiting in tests: on a predicate, never on a guessed time, unless it is nothing that shall happen."""

import threading
from collections.abc import Callable
from typing import TypeVar

from snakepit import clock

T = TypeVar("T")


def wait_for(predicate: Callable[[], T], seconds: float = 10.0, what: str = "") -> T:
    """Return the first true value of `predicate`; fail the test when `seconds` pass without one."""
    deadline = clock.monotonic() + seconds
    pause = threading.Event()
    while True:
        value = predicate()
        if value:
            return value
        if clock.monotonic() > deadline:
            msg = f"waited {seconds} s for {what or predicate!r}"
            raise AssertionError(msg)
        pause.wait(0.01)


def never(predicate: Callable[[], object], seconds: float, what: str) -> None:
    """Watch for so long that it does not become true; fail the test at once when it does."""
    deadline = clock.monotonic() + seconds
    pause = threading.Event()
    while clock.monotonic() < deadline:
        assert not predicate(), what
        pause.wait(0.05)
