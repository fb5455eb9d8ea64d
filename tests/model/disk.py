"""Owns the modelled disk: folders are objects, so a descriptor survives a rename and dies with rmdir."""

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import Any

Steps = Generator[None, None, None]


class Gone(Exception):
    """ENOENT"""


class Taken(Exception):
    """EEXIST"""


class NotEmpty(Exception):
    """ENOTEMPTY"""


@dataclass(eq=False)
class Folder:
    entries: dict[str, Any] = field(default_factory=dict)
    is_removed: bool = False


@dataclass(frozen=True)
class Text:
    """A task's text: its name and how many runs were counted."""

    name: str
    attempt: int


@dataclass(eq=False)
class Disk:
    """`alive` says which lives still run; `recover_lock` who holds it."""

    food: Folder = field(default_factory=Folder)
    claimed: Folder = field(default_factory=Folder)
    done: Folder = field(default_factory=Folder)
    scraps: Folder = field(default_factory=Folder)
    hands: Folder = field(default_factory=Folder)
    alive: dict[str, bool] = field(default_factory=dict)
    recover_lock: str | None = None
    claims: int = 0
    stolen: int = 0
    born: int = 0
    recoverers: dict[str, list[str]] = field(default_factory=dict)

    def folder(self, name: str) -> Folder:
        found: Folder = getattr(self, name)
        return found

    def rename(self, source: Folder, name: str, target: Folder, new: str) -> None:
        """Atomic, without replacing."""
        if name not in source.entries or target.is_removed:
            raise Gone(name)
        if new in target.entries:
            raise Taken(new)
        target.entries[new] = source.entries.pop(name)

    def unlink(self, folder: Folder, name: str) -> None:
        if name not in folder.entries:
            raise Gone(name)
        del folder.entries[name]

    def rmdir(self, parent: Folder, name: str) -> None:
        folder = parent.entries.get(name)
        if folder is None:
            raise Gone(name)
        if folder.entries:
            raise NotEmpty(name)
        folder.is_removed = True
        del parent.entries[name]

    def places(self, name: str) -> list[str]:
        """Every place that holds the task under any of its names, also inside hands."""
        found = []
        for place in ("food", "done", "scraps"):
            found += [place for entry in self.folder(place).entries if root(entry) == name]
        for parent in (self.claimed, self.hands):
            for folder in parent.entries.values():
                for inner in (folder, folder.entries.get(".hand")):
                    if inner is not None:
                        found += ["held" for entry in inner.entries if entry.endswith(name)]
        return found


def root(name: str) -> str:
    return name.partition("~")[0]


def listing(folder: Folder) -> Generator[None, None, list[str]]:
    """Not atomic: two halves, read at two moments. Returns the names."""
    first = [name for name in folder.entries if len(name) % 2]
    yield
    return first + [n for n in folder.entries if not len(n) % 2 and n not in first]


def publish(disk: Disk, source: Folder, name: str, target: Folder, new: str) -> Steps:
    """Under the first free name; nothing when the source is gone."""
    chosen, number = new, 1
    while True:
        yield
        try:
            disk.rename(source, name, target, chosen)
        except Taken:
            number += 1
            chosen = f"{new}~{number}"
        except Gone:
            return
        else:
            return
