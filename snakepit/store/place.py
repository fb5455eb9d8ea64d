"""Owns noticing that somebody replaced a folder of the pit under a process that has it open.

Every step works relative to open folders, so a folder that was removed, or moved aside, and made anew would
be missed for ever. Where tasks only pass through, the new folder is opened under the old descriptor's number.
Where lives and the index lie, only a new process can go on.
"""

import os
from collections.abc import Callable
from pathlib import Path

from snakepit.clock import monotonic
from snakepit.core.lifecycle import State
from snakepit.errors import LifeLost
from snakepit.store import layout
from snakepit.store.folders import Folders
from snakepit.store.life import FileLife
from snakepit.system.files import open_folder

LOOK_S = 1.0


class Place:
    """One process's look at the paths behind its descriptors; `queue_opened`: food/ is another one now."""

    def __init__(self, folders: Folders, *, queue_opened: Callable[[], None]) -> None:
        self._folders = folders
        self._queue_opened = queue_opened
        self._next_look = monotonic() + LOOK_S
        self._missing: set[str] = set()
        self._passed = {
            layout.FOLDER[State.QUEUED]: folders.queued,
            layout.FOLDER[State.DONE]: folders.done,
            layout.FOLDER[State.DEAD]: folders.dead,
            layout.WASTE: folders.waste,
        }
        held = {
            "": folders.root,
            layout.FOLDER[State.CLAIMED]: folders.claimed,
            layout.PRIVATE: folders.private,
            f"{layout.PRIVATE}/{layout.HANDS}": folders.hands,
            f"{layout.PRIVATE}/{layout.INDEX}": folders.index,
            f"{layout.PRIVATE}/{layout.REFUSED}": folders.refused,
        }
        descriptors = {**held, **self._passed}
        self._identities = {name: _identity(os.fstat(fd)) for name, fd in descriptors.items()}

    def replaced(self) -> list[str]:
        """What was replaced, below the pit; what is missing counts at the second look, so that `mv` may end."""
        found, missing = [], set()
        for name, identity in self._identities.items():
            try:
                is_same = _identity(os.stat(self._path(name))) == identity
            except OSError:
                missing.add(name)
                is_same = name not in self._missing
            if not is_same:
                found.append(name)
        self._missing = missing
        return found

    def mend(self) -> list[str]:
        """At most once a second: open what can be opened anew; what cannot."""
        now = monotonic()
        if now < self._next_look:
            return []
        self._next_look = now + LOOK_S
        return [name for name in self.replaced() if not self._open_again(name)]

    def look(self, life: FileLife) -> None:
        """LifeLost where a life in this place can see no food, or cannot be seen, any more."""
        if monotonic() < self._next_look:
            return
        lost = self.mend()
        if not lost and life.is_own and not self._is_named(life):
            lost = [f"{layout.FOLDER[State.CLAIMED]}/{life.worker}"]
        if lost:
            message = f"{self._path(lost[0])}/ was replaced or removed while this life used it"
            raise LifeLost(message, fix="the worker starts anew")

    def _path(self, name: str) -> Path:
        return self._folders.path / name

    def _open_again(self, name: str) -> bool:
        if name not in self._passed:
            return False
        try:
            self._path(name).mkdir(exist_ok=True)
            fresh = open_folder(str(self._path(name)))
        except OSError:
            return False
        try:
            status = os.fstat(fresh)
            if status.st_dev != self._identities[""][0]:
                return False
            os.dup2(fresh, self._passed[name], inheritable=False)
        finally:
            os.close(fresh)
        self._identities[name] = _identity(status)
        if name == layout.FOLDER[State.QUEUED]:
            self._queue_opened()
        return True

    def _is_named(self, life: FileLife) -> bool:
        try:
            named = os.stat(life.worker, dir_fd=self._folders.claimed, follow_symlinks=False)
        except OSError:
            return False
        return os.path.samestat(named, os.fstat(life.fd))


def _identity(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
