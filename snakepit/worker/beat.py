"""Owns a worker's sign of life: one line, rewritten in place, that the daemon holds against the clock.

The line is `<monotonic seconds> <pid> <what it does>`, padded to a fixed width: a reader sees the old
line or the new one. The monotonic clock is one for all processes of a boot.
"""

import os
from pathlib import Path

from snakepit import clock

WIDTH = 120


class Beat:
    def __init__(self, folder: Path, worker: str) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        flags = os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(folder / worker, flags, 0o600)
        self.state = "waiting"

    def __call__(self) -> None:
        """Ten microseconds, no fsync: after a reboot no beat counts."""
        line = f"{clock.monotonic():.3f} {os.getpid()} {self.state}"
        try:
            os.pwrite(
                self._fd, line.encode("utf-8", "replace")[: WIDTH - 1].ljust(WIDTH - 1) + b"\n", 0
            )
        except OSError:
            return

    def close(self) -> None:
        os.close(self._fd)
