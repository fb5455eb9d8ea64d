"""Owns the pane of session snakepit-watchdog: the status, drawn again when it has changed. Read-only."""

import argparse
import os
import queue
import shutil
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.config.loader import try_load
from snakepit.core.view import plain_lines
from snakepit.errors import SnakepitError
from snakepit.pool.applied import load_in_use
from snakepit.pool.environment import kept_environment
from snakepit.pool.revive import revive
from snakepit.pool.status import view

if TYPE_CHECKING:
    from snakepit.config.model import Config

LOOK_S = 2.0
DRAW_ANYWAY = 20  # looks
HOME_AND_CLEAR = "\033[H\033[J"
HIDE_CURSOR = "\033[?25l"


class View:
    """Draws when an event was written, when the terminal changed, and now and then anyway."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._config: Config | None = None
        self._size = -1
        self._looks = 0

    def look(self, *, must: bool) -> str | None:
        """The picture, when there may be a new one: mostly nobody looks at this pane."""
        size = self._size_of_events()
        is_due = self._looks % DRAW_ANYWAY == 0
        self._looks += 1
        if not (must or is_due or size != self._size):
            return None
        self._size = size
        return self._picture()

    def mind_daemon(self, *, at_once: bool = False) -> None:
        """A pane that is always there misses the daemon sooner than a worker with a run."""
        try:
            if self._config is not None:
                revive(self._config, at_once=at_once)
        except OSError as error:
            sys.stdout.write(f"\r\nthe daemon is gone and cannot be started: {error}\r\n")

    def _size_of_events(self) -> int:
        try:
            return _events(self._config).stat().st_size if self._config else -1
        except OSError:
            return -1

    def _picture(self) -> str:
        """An error is a picture too: the pane shall stay."""
        try:
            found = load_in_use(self._path, os.environ)
            environ = kept_environment(found.state_dir)
            config = try_load(self._path, environ=environ).config or found
            self._config = config
            return "\n".join(plain_lines(view(config)))
        except (SnakepitError, OSError) as error:
            return f"{error}\n(looked at {clock.stamp()})"


def _events(config: "Config") -> Path:
    return config.log_dir / "events.jsonl"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="snakepit.daemon.view")
    parser.add_argument("--config", required=True)
    subject = View(Path(parser.parse_args(arguments).config))
    woken: queue.SimpleQueue[int] = queue.SimpleQueue()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for each in (signal.SIGTERM, signal.SIGHUP, signal.SIGWINCH):
        signal.signal(each, lambda number, _: woken.put(number))
    sys.stdout.write(HIDE_CURSOR)
    shown = ""
    number: int = signal.SIGWINCH
    while number in (0, signal.SIGWINCH):
        text = subject.look(must=number != 0)
        if text is not None and (text != shown or number):
            sys.stdout.write(f"{HOME_AND_CLEAR}{fitted(text)}")
            sys.stdout.flush()
            shown = text
        subject.mind_daemon()
        try:
            number = woken.get(timeout=LOOK_S)
        except queue.Empty:
            number = 0
    subject.mind_daemon(at_once=True)
    return 0


def fitted(text: str) -> str:
    """No line wraps and the last one does not scroll."""
    columns, rows = shutil.get_terminal_size((80, 24))
    lines = [line[: columns - 1] for line in text.splitlines()]
    return "\r\n".join(lines[: rows - 1])


if __name__ == "__main__":
    sys.exit(main())
