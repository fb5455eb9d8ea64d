"""Owns the time from a drop to its claim: in an idle queue, and of an urgent task in a drain."""

from pathlib import Path
from typing import Any

from bench import board as layout
from bench import clock
from bench.board import Board
from bench.jobs import stand, wait_ready
from bench.stats import percentile

Row = dict[str, Any]
SETTLE_S = 1.0  # after the worker said it is ready, before the first drop
LATE_S = 15.0  # a drop not claimed by then is lost
URGENT_SEQ = 10_000_000 - 10_000_000 % layout.SAMPLES


def _row(measure: str, peer: str, samples: list[float], dropped: int, **more: Any) -> Row:
    row: Row = {"measure": measure, "peer": peer, "dropped": dropped, "n": len(samples), **more}
    if samples:
        ms = [sample * 1000 for sample in samples]
        row |= {
            "p50_ms": percentile(ms, 0.5),
            "p99_ms": percentile(ms, 0.99),
            "max_ms": max(ms),
            "samples_ms": [round(value, 4) for value in ms],
        }
    return row


def _settle(board: Board, dropped: int) -> None:
    deadline = clock.now() + LATE_S
    while len(board.samples()) < dropped and clock.now() < deadline:
        clock.pause(0.02)


def idle(peer: str, root: Path, *, drops: int, gap: float) -> Row:
    """One worker waits its own way; drops come `gap` seconds apart on average."""
    drops = min(drops, layout.SAMPLES)
    with stand(peer, root) as place:
        place.accompany()
        board = place.fresh_board()
        listener = place.job("listen")
        try:
            wait_ready(board, [listener])
            told = {"first": 0, "after": SETTLE_S, "gap": gap, "until": 1, "urgent": False}
            dropped = place.run("produce", slot=1, n=drops, **told)["dropped"]
            _settle(board, dropped)
            if listener.process.poll() is not None:
                listener.answer()
        finally:
            listener.kill()
        return _row(
            "idle", peer, board.samples(), dropped, gap_s=gap, wait=place.notes["wait_note"]
        )


def urgent(peer: str, root: Path, *, backlog: int, workers: int, drops: int, gap: float) -> Row:
    """Urgent tasks dropped while `workers` drain a backlog; the drops end before it does."""
    with stand(peer, root) as place:
        if not place.notes["has_urgent"]:
            return {"measure": "urgent", "peer": peer, "absent": "has no priorities"}
        place.run("fill", start=0, stop=backlog)
        place.accompany()
        board = place.fresh_board()
        jobs = [
            place.job("drain", slot, n=1 << 60, cap=600, seen=str(place.home / f"seen-{slot}"))
            for slot in range(workers)
        ]
        told = {"first": URGENT_SEQ, "after": 0.3, "gap": gap, "urgent": True}
        producer = place.job("produce", workers, n=drops, until=int(backlog * 0.9), **told)
        try:
            wait_ready(board, jobs)
            board.values[layout.GO] = clock.now()
            dropped = producer.answer()["dropped"]
            _settle(board, dropped)
        finally:
            for job in (*jobs, producer):
                job.kill()
        return _row("urgent", peer, board.samples(), dropped, backlog=backlog, workers=workers)
