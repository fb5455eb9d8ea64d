"""Owns the filter behind `pipe-pane`: a pane's bytes on stdin, masked into its raw log.

Run as `python -I -S panelog.py LOG VALUES`; VALUES is a private JSON list of values to mask, read
once and unlinked. Ends with the pane. A line without an end is written after QUIET seconds.
"""

import contextlib
import json
import os
import select
import signal
import sys

if __name__ == "__main__":  # the package is not on an isolated path; last, so nothing is shadowed
    sys.path.append(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))

from snakepit.session.rawlog import RawLog

CHUNK = 65_536  # bytes
QUIET = 0.15  # seconds
SUSPENSE = 1.0  # seconds for the rest of what may be a secret


def main(path: str, values_path: str) -> None:
    os.umask(0o077)
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)  # the end of the pane is the end of stdin
    log = RawLog(path, _take_values(values_path))
    with contextlib.closing(log):
        pump(0, log)


def pump(source: int, log: RawLog) -> None:
    """Copy until the end of `source`; wakes only for bytes, and once or twice after the last."""
    patience: float | None = None
    while True:
        ready, _, _ = select.select([source], [], [], patience)
        if ready:
            data = os.read(source, CHUNK)
            if not data:
                return
            log.write(data)
            patience = QUIET if log.holds else None
        elif patience == QUIET:
            log.settle()
            patience = SUSPENSE if log.holds else None
        else:
            log.flush()
            patience = None


def _take_values(path: str) -> list[str]:
    try:
        with open(path, encoding="utf-8") as file:
            values = json.load(file)
        os.unlink(path)
    except (OSError, ValueError):
        return []
    return [str(value) for value in values]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2])
