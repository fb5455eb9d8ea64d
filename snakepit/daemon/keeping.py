"""Owns the daemon's turn as keeper of the index, and telling what admission found."""

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

from snakepit.store.keeper import IndexKeeper, Notice

if TYPE_CHECKING:
    from snakepit.core.task import Task
    from snakepit.pool.context import Pit

STEP_S = 1.0


def keep_index(
    pit: "Pit",
    keeper: IndexKeeper,
    stop: threading.Event,
    *,
    arrived: Callable[[str, "Task | None"], None],
    failed: Callable[[str, Exception], None],
) -> None:
    """Until `stop`: admit what is dropped. While another process is the keeper, it waits its turn."""
    try:
        while not stop.is_set():
            try:
                if not keeper.acquire():
                    stop.wait(STEP_S)
                    continue
                for notice in keeper.step(STEP_S):
                    tell(pit, notice, arrived)
            except Exception as error:
                failed("index", error)
                stop.wait(STEP_S)
    finally:
        keeper.close()


def tell(pit: "Pit", notice: Notice, arrived: Callable[[str, "Task | None"], None]) -> None:
    if notice.kind == "queued":
        arrived(notice.name, notice.task)
        return
    was = notice.was if notice.was and notice.was != notice.name else None
    pit.journal.append(
        f"task.{notice.kind}", task=notice.name, reason=notice.reason or None, was=was
    )
