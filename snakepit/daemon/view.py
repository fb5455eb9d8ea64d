"""Owns the pane of session snakepit-watchdog: the status, drawn again when it has changed. Read-only."""

import argparse
import os
import shutil
import signal
import sys
import threading
from collections.abc import Sequence
from pathlib import Path

from snakepit import clock
from snakepit.config.loader import load
from snakepit.core.view import plain_lines
from snakepit.errors import SnakepitError
from snakepit.pool.environment import kept_environment
from snakepit.pool.status import view

DRAW_S = 2.0
HOME_AND_CLEAR = "\033[H\033[J"
HIDE_CURSOR = "\033[?25l"


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="snakepit.daemon.view")
    parser.add_argument("--config", required=True)
    path = Path(parser.parse_args(arguments).config)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
        signal.signal(number, lambda *_: os._exit(0))
    sys.stdout.write(HIDE_CURSOR)
    shown = ""
    while True:
        text = picture(path)
        if text != shown:
            sys.stdout.write(f"{HOME_AND_CLEAR}{fitted(text)}")
            sys.stdout.flush()
            shown = text
        if stop.wait(DRAW_S):
            return 0


def picture(path: Path) -> str:
    """The status as text; an error is a picture too, since the pane shall stay."""
    try:
        config = load(path, environ=os.environ)
        config = load(path, environ=kept_environment(config.state_dir))
        return "\n".join(plain_lines(view(config)))
    except (SnakepitError, OSError) as error:
        return f"{error}\n(looked at {clock.stamp()})"


def fitted(text: str) -> str:
    """No line wraps and the last one does not scroll."""
    columns, rows = shutil.get_terminal_size((80, 24))
    lines = [line[: columns - 1] for line in text.splitlines()]
    return "\r\n".join(lines[: rows - 1])


if __name__ == "__main__":
    sys.exit(main())
