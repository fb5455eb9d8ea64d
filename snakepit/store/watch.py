"""Owns file events: they wake who waits and say which names to look at; a scan is the truth.

Linux: watchdog's inotify reader with our own mask, since its observers hold back every event behind a
rename out of the folder for half a second, and claims are such renames. Elsewhere: its observer.
"""

import os
import stat
import sys
import threading
from collections import deque
from pathlib import Path
from typing import Any

IN_MODIFY, IN_CLOSE_WRITE, IN_MOVED_TO, IN_ATTRIB, IN_CREATE = 0x2, 0x8, 0x80, 0x4, 0x100
ARRIVALS = IN_CLOSE_WRITE | IN_MOVED_TO | IN_ATTRIB | IN_CREATE
CHANGES = IN_MODIFY


class Watch:
    """Names that arrived in one folder since the last look. `lost` says that events were dropped: scan."""

    def __init__(self, path: Path, *, mask: int = ARRIVALS) -> None:
        self._path = os.fsencode(path)
        self._names: deque[str] = deque()
        self._arrived = threading.Event()
        self._lost = False
        self._reader = _start(path, mask, self)
        self.is_live = self._reader is not None

    def wait(self, seconds: float) -> bool:
        """True as soon as something arrived."""
        return self._arrived.wait(seconds)

    def drain(self) -> tuple[list[str], bool]:
        """The names in the order they came, each once, and whether some were lost."""
        self._arrived.clear()
        lost, self._lost = self._lost, False
        names: dict[str, None] = {}
        while self._names:
            names[self._names.popleft()] = None
        return list(names), lost

    def poke(self) -> None:
        """Wake the waiter, as an event would."""
        self._arrived.set()

    def close(self) -> None:
        if self._reader is not None:
            self._reader.stop()
            self._reader.join(5)
            self._reader = None

    # called by watchdog's thread
    def on_event(self, event: Any) -> None:
        name = getattr(event, "name", None)
        if name is None:
            path = getattr(event, "dest_path", "") or event.src_path
            name = os.fsencode(path).rpartition(b"/")[2]
        elif event.mask & IN_CREATE and self._will_be_closed(name):
            return
        self._names.append(os.fsdecode(name))
        self._arrived.set()

    def _will_be_closed(self, name: bytes) -> bool:
        """A plain file that was just created is told again when its writer closes it."""
        try:
            status = os.lstat(os.path.join(self._path, name))
        except OSError:
            return True
        return stat.S_ISREG(status.st_mode) and status.st_nlink == 1

    def on_watch_deleted(self, wd: int) -> None:
        self.on_queue_overflow()

    def on_queue_overflow(self) -> None:
        self._lost = True
        self._arrived.set()

    def dispatch(self, event: Any) -> None:
        self.on_event(event)


def _start(path: Path, mask: int, watch: Watch) -> Any:
    """None where the machine has no events left to give (inotify limits): the scan goes on alone."""
    try:
        if sys.platform == "linux":
            from watchdog.observers.inotify_c import InotifyFD

            reader: Any = InotifyFD()
            reader.add_callback(os.fsencode(path), mask, watch, 1)
        else:
            from watchdog.observers import Observer

            reader = Observer()
            reader.schedule(watch, str(path))
        reader.daemon = True
        reader.start()
    except OSError:
        return None
    return reader
