"""Owns two measures: tasks put a second by one producer, and claimed and completed a second."""

from array import array
from pathlib import Path
from typing import Any

from bench import board as layout
from bench import clock
from bench.jobs import Stand, stand, wait_ready
from bench.servers import cpu_s, pss_mb

Row = dict[str, Any]


def measure(
    peer: str, root: Path, *, backlog: int, workers: list[int], cap: float, durable: bool
) -> list[Row]:
    """Fill a queue, drain it with each number of workers; rows without `round`."""
    rows: list[Row] = []
    common = {"peer": peer, "durable": durable, "backlog": backlog}
    with stand(peer, root, durable=durable) as place:
        if durable and not place.notes["durable_note"]:
            return [{"measure": "drain", **common, "absent": "has no durable setting"}]
        notes = {"note": place.notes["durable_note" if durable else "kill_note"]}
        said = place.run("put", n=backlog, cap=cap)
        rows.append({"measure": "put", **common, **notes, **said})
        if said["n"] < backlog:
            place.run("fill", start=said["n"], stop=backlog)
        for count in workers:
            prepared = place.accompany()
            said = drain(place, count, backlog, cap)
            rows.append({"measure": "drain", **common, **notes, "workers": count, **said})
            if prepared:
                rows[-1]["prepare_s"] = prepared
            if count != workers[-1]:
                refill(place, said["done"], backlog)
    return rows


def refill(place: Stand, taken: int, backlog: int) -> None:
    """Put back what was taken; a queue that is half empty is made anew instead."""
    place.leave_alone()
    if taken * 2 > backlog:
        place.renew()
        place.run("fill", start=0, stop=backlog)
    else:
        place.run("fill", start=backlog, stop=backlog + taken)


def drain(place: Stand, count: int, backlog: int, cap: float) -> Row:
    board = place.fresh_board()
    files = [place.home / f"seen-{slot}" for slot in range(count)]
    jobs = [
        place.job("drain", slot, n=backlog, cap=cap, seen=str(file))
        for slot, file in enumerate(files)
    ]
    try:
        wait_ready(board, jobs)
        before = cpu_s(place.beside) if place.beside else 0.0
        start = board.values[layout.GO] = clock.now()
        answers = [job.answer() for job in jobs]
    finally:
        for job in jobs:
            if job.process.poll() is None:
                job.kill()
    seen = array("q")
    for file in files:
        seen.frombytes(file.read_bytes())
        file.unlink()
    done = len(seen)
    took = max(board.last() - start, 1e-9)
    row: Row = {
        "done": done,
        "doubles": done - len(set(seen)),
        "drained": done >= backlog,
        "secs": took,
        "per_s": done / took if done else 0.0,
        "cpu_us": board.cpu() / max(1, done) * 1e6,
        "rss_mb": max(answer["rss_mb"] for answer in answers),
    }
    if place.beside:
        row["beside_cpu_us"] = (cpu_s(place.beside) - before) / max(1, done) * 1e6
        row["beside_pss_mb"] = pss_mb(place.beside)
    return row
