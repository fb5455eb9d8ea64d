"""Owns the open folders of one pit: every step of the store works relative to these descriptors."""

import os
from pathlib import Path

from snakepit.core.lifecycle import State
from snakepit.errors import StoreError
from snakepit.store import layout
from snakepit.store.atomic import write_new
from snakepit.system.files import is_network_filesystem, open_folder

PRIVATE_FOLDERS = (layout.HANDS, layout.REFUSED, layout.INDEX)


class Folders:
    """Created where missing. `power`: a completion is fsynced too; fail, split and publish always are."""

    def __init__(self, path: Path, *, power: bool) -> None:
        self.path = path
        self.power = power
        _make(path)
        self.root = open_folder(str(path))
        self.fd = {state: self._open(path / name, 0o777) for state, name in layout.FOLDER.items()}
        self.queued = self.fd[State.QUEUED]
        self.claimed = self.fd[State.CLAIMED]
        self.done = self.fd[State.DONE]
        self.dead = self.fd[State.DEAD]
        self.waste = self._open(path / layout.WASTE, 0o700)
        self.private = self._open(path / layout.PRIVATE, 0o700)
        self.hands = self._open(path / layout.PRIVATE / layout.HANDS, 0o700)
        self.refused = self._open(path / layout.PRIVATE / layout.REFUSED, 0o700)
        self.index = self._open(path / layout.PRIVATE / layout.INDEX, 0o700)
        self.work_folders: list[tuple[int, str]] = []  # see store/needs.py
        self.work_seen: tuple[int, ...] = ()
        self._check_one_filesystem()
        self._check_version()

    def _open(self, path: Path, mode: int) -> int:
        _make(path, mode)
        try:
            return open_folder(str(path))
        except OSError as error:
            message = f"{path} is not a folder of its own: {error.strerror}"
            raise StoreError(
                message, fix=f"move it away; the pit makes a folder there: mv {path} {path}.old"
            ) from error

    def _check_one_filesystem(self) -> None:
        device = os.fstat(self.root).st_dev
        for state, name in layout.FOLDER.items():
            if os.fstat(self.fd[state]).st_dev != device:
                message = f"{self.path / name} lies on another filesystem than {self.path}: no rename crosses"
                raise StoreError(
                    message,
                    fix=f"unmount {self.path / name}, or set [pit] path to a folder of one filesystem",
                )
        if os.fstat(self.private).st_dev != device or os.fstat(self.waste).st_dev != device:
            message = f"{self.path / layout.WASTE} or {self.path / layout.PRIVATE} lies on another filesystem"
            raise StoreError(message, fix="set [pit] path to a folder of one filesystem")
        if is_network_filesystem(str(self.path)):
            message = (
                f"{self.path} is on a network filesystem: locks and file events do not work there"
            )
            raise StoreError(message, fix="set [pit] path to a local folder")

    def _check_version(self) -> None:
        try:
            found = (self.path / layout.PRIVATE / layout.VERSION).read_text().strip()
        except FileNotFoundError:
            write_new(
                self.private, layout.VERSION, f"{layout.LAYOUT_VERSION}\n".encode(), sync=False
            )
            return
        if found and found != str(layout.LAYOUT_VERSION):
            message = f"{self.path} has layout {found}, this version knows {layout.LAYOUT_VERSION}"
            raise StoreError(message, fix="use the snakepit version that made it, or a new folder")

    def close(self) -> None:
        for fd in (
            *self.fd.values(),
            self.root,
            self.waste,
            self.private,
            self.hands,
            self.refused,
            self.index,
        ):
            os.close(fd)


def _make(path: Path, mode: int = 0o777) -> None:
    try:
        path.mkdir(mode=mode, parents=True, exist_ok=True)
    except FileExistsError as error:
        message = f"{path} is a file where a folder of the pit belongs"
        raise StoreError(message, fix=f"move it away: mv {path} {path}.old") from error
    except OSError as error:
        message = f"cannot make {path}: {error.strerror}"
        raise StoreError(message, fix=f"check the rights of {path.parent}") from error
