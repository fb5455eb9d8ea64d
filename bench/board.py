"""Owns the page of numbers that the bench and its workers share: start signal, counts, moments."""

import mmap
from pathlib import Path

SLOTS = 64
SAMPLES = 4096
GO, STOP = 0, 1
READY, COUNT, LAST, CPU = (8 + SLOTS * row for row in range(4))
SAMPLE = 8 + SLOTS * 4  # latency by sequence number, seconds; 0 = not yet
DOUBLES = SAMPLE + SAMPLES


class Board:
    def __init__(self, path: Path) -> None:
        if not path.exists():
            path.write_bytes(bytes(DOUBLES * 8))
        with path.open("r+b") as file:
            self.values = memoryview(mmap.mmap(file.fileno(), DOUBLES * 8)).cast("d")

    def ready(self, workers: int) -> bool:
        return sum(self.values[READY : READY + workers]) >= workers

    def count(self) -> int:
        return int(sum(self.values[COUNT : COUNT + SLOTS]))

    def last(self) -> float:
        return max(self.values[LAST : LAST + SLOTS])

    def cpu(self) -> float:
        return sum(self.values[CPU : CPU + SLOTS])

    def samples(self) -> list[float]:
        return [value for value in self.values[SAMPLE : SAMPLE + SAMPLES] if value]
