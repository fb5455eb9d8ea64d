"""Owns the options of a run and what `--quick` makes of them."""

import argparse
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.peers import PEERS

MEASURES = ("drain", "durable", "killed", "idle", "urgent", "product")
LIMITS = ("renames", "limit")
NOT_QUICK = ("ours_alone", "huey_file", "litequeue", "kombu", "nats_batch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    only: tuple[str, ...]
    measures: tuple[str, ...]
    backlogs: tuple[int, ...]
    workers: tuple[int, ...]
    rounds: int
    cap_s: float  # most seconds of one drain or one put
    drops: int
    gap_s: float
    killed_s: float  # how long a second worker tries
    urgent_backlog: int
    urgent_drops: int
    idle_s: float  # how long the idle pool is watched
    pool_size: int
    root: Path | None
    json: Path | None
    docs: Path | None
    quick: bool


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part.replace("k", "000")) for part in text.split(","))


def parse(arguments: Sequence[str]) -> Options:
    parser = argparse.ArgumentParser(
        prog="python bench/queue.py",
        description="Measure the queue and its peers side by side, in one run.",
        epilog="example: python bench/queue.py --quick --only limit,ours,redis --measures drain",
    )
    add = parser.add_argument
    add("--quick", action="store_true", help="small numbers, one round, under two minutes")
    add("--only", default="", help=f"of {','.join((*LIMITS, *PEERS))}; default: all")
    add("--measures", default="", help=f"of {','.join(MEASURES)}; default: all")
    add("--backlogs", type=_numbers, help="default 1k,10k,100k")
    add("--workers", type=_numbers, help="default 1,4,16")
    add("--rounds", type=int, help="default 3; peers take turns within each round")
    add("--cap", type=float, help="most seconds of one measurement; default 2")
    add("--drops", type=int, help="drops of the idle latency; default 200")
    add("--gap", type=float, default=0.05, help="seconds between them; default 0.05")
    add("--idle", type=float, help="seconds the idle pool is watched; default 30")
    add("--pool-size", type=int, default=10, help="workers of the idle pool; default 10")
    add("--root", type=Path, help="where the data goes; default: a temporary folder")
    add("--json", type=Path, help="the raw rows; default: a file in the temporary folder")
    add("--docs", type=Path, help="the page to write; default docs/benchmarks.md, --quick: none")
    told = parser.parse_args(arguments)
    quick = told.quick
    default_docs = Path(__file__).resolve().parent.parent / "docs" / "benchmarks.md"
    everyone = tuple(n for n in (*LIMITS, *PEERS) if not (quick and n in NOT_QUICK))
    whole = not (quick or told.only or told.measures)
    return Options(
        only=_names(parser, told.only, (*LIMITS, *PEERS)) if told.only else everyone,
        measures=_names(parser, told.measures, MEASURES),
        backlogs=told.backlogs or ((1000,) if quick else (1000, 10_000, 100_000)),
        workers=told.workers or ((1, 4) if quick else (1, 4, 16)),
        rounds=told.rounds or (1 if quick else 3),
        cap_s=told.cap or (0.5 if quick else 2.0),
        drops=told.drops or (20 if quick else 200),
        gap_s=told.gap,
        killed_s=1.0 if quick else 12.0,
        urgent_backlog=10_000 if quick else 100_000,
        urgent_drops=10 if quick else 200,
        idle_s=told.idle or (5.0 if quick else 30.0),
        pool_size=told.pool_size,
        root=told.root,
        json=told.json,
        docs=told.docs or (default_docs if whole else None),
        quick=quick,
    )


def _names(parser: argparse.ArgumentParser, text: str, known: tuple[str, ...]) -> tuple[str, ...]:
    names = tuple(name for name in text.split(",") if name) or known
    wrong = [name for name in names if name not in known]
    if wrong:
        parser.error(f"not known: {', '.join(wrong)}; known: {', '.join(known)}")
    return names
