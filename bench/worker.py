"""Owns one process of the bench: one peer and one job with it, told by a JSON argument.

Jobs: create, put (measured, capped), fill, companion, drain, produce (drops at leisure), listen,
hold (claim one and wait to be killed), retake (a second worker tries until it has the task).
Run as `python -m bench.worker` from the top of the repository.
"""

import json
import random
import sys
from array import array
from pathlib import Path
from typing import Any

from bench import board as layout
from bench import clock, peers
from bench.board import Board


def main() -> None:
    job = json.loads(sys.argv[1])
    peer = peers.make(
        job["peer"], Path(job["home"]), durable=job["durable"], port=job["port"], slot=job["slot"]
    )
    answer = JOBS[job["do"]](peer, job)
    print(json.dumps(answer), flush=True)
    peer.close()


def create(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    peer.create()
    notes = ("durable_note", "kill_note", "wait_note", "has_urgent", "has_companion")
    return {note: getattr(peer, note) for note in notes}


def put(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    peer.open()
    start, n, until = clock.now(), 0, clock.now() + job["cap"]
    burned = clock.cpu()
    while n < job["n"] and clock.now() < until:
        peer.put(n)
        n += 1
    took = clock.now() - start
    return {"n": n, "per_s": n / took, "cpu_us": (clock.cpu() - burned) / max(1, n) * 1e6}


def fill(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    peer.open()
    peer.fill(job["start"], job["stop"])
    return {}


def companion(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    peer.keep(lambda seconds: print(json.dumps({"secs": seconds}), flush=True))
    return {}


def drain(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Claim and complete until all is done or the time is over; the numbers go to a file."""
    board, slot, n = Board(Path(job["board"])), job["slot"], job["n"]
    values, seen = board.values, array("q")
    peer.open()
    peer.ready()
    values[layout.READY + slot] = 1
    while not values[layout.GO]:
        clock.pause(0.0005)
    until, burned = values[layout.GO] + job["cap"], clock.cpu()
    now = clock.now()
    while now < until and not values[layout.STOP]:
        got = peer.step()
        now = clock.now()
        if got is None:
            if board.count() >= n:
                break
            clock.pause(0.002)
            continue
        seen.append(got[0])
        values[layout.COUNT + slot] += 1
        values[layout.LAST + slot] = now
        if got[1]:
            values[layout.SAMPLE + got[0] % layout.SAMPLES] = now - got[1]
    values[layout.CPU + slot] = clock.cpu() - burned
    with open(job["seen"], "wb") as out:
        seen.tofile(out)
    return {"rss_mb": peak_mb()}


def peak_mb() -> float:
    """The kernel's high-water mark of this image; getrusage would show the parent's."""
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) / 1024
    return 0.0


def produce(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Drop one task after the other, `gap` seconds apart, until the drain is nearly over."""
    board, order = Board(Path(job["board"])), random.Random(3)
    peer.open()
    clock.pause(job["after"])
    dropped = 0
    while dropped < job["n"] and board.count() < job["until"]:
        peer.drop(job["first"] + dropped, urgent=job["urgent"])
        dropped += 1
        clock.pause(job["gap"] * (0.5 + order.random()))
    return {"dropped": dropped}


def listen(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Wait for drops until killed, the library's own way; a task is stamped once settled."""
    board = Board(Path(job["board"]))
    peer.open()
    peer.ready()

    def told(seq: int, at: float) -> None:
        if at:
            board.values[layout.SAMPLE + seq] = clock.now() - at

    board.values[layout.READY + job["slot"]] = 1
    if hasattr(peer, "wait_forever"):
        peer.wait_forever(told)
    while True:
        told(*peer.wait())


def hold(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    peer.open()
    claimed = peer.claim()
    print(json.dumps({"claimed": claimed is not None}), flush=True)
    sys.stdin.read()
    return {}


def retake(peer: Any, job: dict[str, Any]) -> dict[str, Any]:
    """Try until the task comes; `killed` arrives on stdin as the moment of the kill."""
    peer.open()
    peer.ready()
    print("{}", flush=True)
    killed = float(sys.stdin.readline())
    while clock.now() < killed + job["cap"]:
        if peer.reclaim():
            return {"after_s": clock.now() - killed, "by": "itself"}
        clock.pause(0.002)
    by = peer.recover()
    got = bool(by) and peer.reclaim() is not None
    return {"after_s": None, "by": by if got else "", "tried": by}


JOBS = {
    "create": create,
    "put": put,
    "fill": fill,
    "companion": companion,
    "drain": drain,
    "produce": produce,
    "listen": listen,
    "hold": hold,
    "retake": retake,
}

if __name__ == "__main__":
    main()
