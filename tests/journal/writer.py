"""Owns the processes of the journal's tests: `append` writes until told to stop, `hold` takes the lock."""

import fcntl
import os
import sys
from pathlib import Path

from snakepit.core.redact import Redactor
from snakepit.journal import Journal


def append(path: Path, name: str, count: int, segment_bytes: int) -> None:
    """Notes every number it was given in <name>.acked, one by one, as proof of what it was told."""
    journal = Journal(path, Redactor(), segment_bytes=segment_bytes)
    acked = os.open(path.parent / f"{name}.acked", os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
    for n in range(count):
        seq = journal.append("task.claimed", task=f"{n}.md", worker=name, padding="p" * (n % 300))
        os.write(acked, b"%d %d\n" % (seq, n))


def hold(path: Path) -> None:
    """Takes the lock, says so, and keeps it until its stdin is closed."""
    with (path.parent / "state" / "events.lock").open("r+b") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.write(1, b"held\n")
        sys.stdin.read()


if __name__ == "__main__":
    if sys.argv[1] == "append":
        append(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), int(sys.argv[5]))
    else:
        hold(Path(sys.argv[2]))
