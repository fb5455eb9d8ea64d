"""Owns finding what a feed is about to feed for the second time, as after one that was killed halfway."""

import os
from collections.abc import Iterable
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.core.names import stem
from snakepit.store.layout import FOLDER

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.pool.context import Pit

RECENT_S = 3600.0  # a feed that comes back every night is meant
TOKEN = 5  # characters of `-k3ab`, which makes a name fresh


def twins(pit: "Pit", tasks: "Iterable[tuple[str, bytes]]") -> list[str]:
    """Of what came within the last hour, those with the same first name and the same text."""
    wanted: dict[str, list[bytes]] = {}
    for name, text in tasks:
        wanted.setdefault(stem(name)[:-TOKEN], []).append(text)
    since = clock.wall() - RECENT_S
    root = pit.config.pit_dir
    claimed = root / FOLDER[State.CLAIMED]
    folders = [root / FOLDER[State.QUEUED], *_folders(claimed), root / FOLDER[State.DONE]]
    return sorted(name for folder in folders for name in _same(folder, wanted, since))


def _folders(folder: "Path") -> "list[Path]":
    return [path for path in folder.iterdir() if path.is_dir()]


def _same(folder: "Path", wanted: dict[str, list[bytes]], since: float) -> list[str]:
    """A finished task begins with the text that was fed: its result was appended."""
    found: list[str] = []
    try:
        entries = list(os.scandir(folder))
    except FileNotFoundError:  # a worker's, which ended meanwhile
        return found
    for entry in entries:
        texts = wanted.get(stem(entry.name)[:-TOKEN])
        if not texts:
            continue
        try:
            status = entry.stat(follow_symlinks=False)
            if status.st_ctime < since or not entry.is_file(follow_symlinks=False):
                continue
            with open(entry.path, "rb") as file:
                begin = file.read(max(map(len, texts)))
        except OSError:
            continue
        if any(begin.startswith(text) for text in texts):
            found.append(entry.name)
    return found
