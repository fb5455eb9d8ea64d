"""Owns `python -m snakepit.daemon --config C`: one process of its own for each pit, by a file lock."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

LOCK_FD = "SNAKEPIT_DAEMON_LOCK"


def main(arguments: Sequence[str] | None = None) -> int:
    options = _parse(arguments)
    if not options.foreground and LOCK_FD not in os.environ:
        _leave_parent()
    os.umask(0o077)
    from snakepit.daemon.start import serve

    return serve(Path(options.config), always=options.always)


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="snakepit.daemon")
    parser.add_argument("--config", required=True)
    parser.add_argument("--foreground", action="store_true", help="stay in this session")
    parser.add_argument("--always", action="store_true", help="serve the pit without a fleet too")
    return parser.parse_args(arguments)


def _leave_parent() -> None:
    """Become a child of init in a session of its own; the parent returns to its caller at once."""
    if os.fork():
        os._exit(0)
    os.setsid()


if __name__ == "__main__":
    sys.exit(main())
