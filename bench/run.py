"""Owns the order of a run: who is measured when, in rounds, so that noise falls on all alike."""

import contextlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from bench import clock, drain, killed, latency, limit, machine, peers, product, report
from bench.jobs import JobFailed
from bench.options import LIMITS, Options, parse

Row = dict[str, Any]
DURABLE_BACKLOG = 10_000
DURABLE_PUTS = 5000
DURABLE_ROUNDS = 2
NEVER_SLOW = 1 << 60


class Run:
    def __init__(self, options: Options, root: Path) -> None:
        self.options = options
        self.root = root
        self.rows: list[Row] = []
        self.absent: dict[str, str] = {}
        self.failures: list[str] = []
        self.started = clock.now()
        self.names = [name for name in options.only if name not in LIMITS]
        for name in list(self.names):
            why = peers.absent(name)
            if why:
                self.absent[name] = why
                self.names.remove(name)
        self.program = limit.compile_limit(root) if set(LIMITS) & set(options.only) else None
        if set(LIMITS) & set(options.only) and not self.program:
            self.absent["limit"] = "no C compiler; apt-get install gcc"

    def say(self, text: str) -> None:
        print(f"[{clock.now() - self.started:6.0f} s] {text}", file=sys.stderr, flush=True)

    def take(self, what: str, work: Callable[[], list[Row] | Row], **more: Any) -> None:
        """Add the rows of one measurement; a failure is a line of the report, not the end."""
        try:
            made = work()
        except (JobFailed, RuntimeError, OSError, AssertionError) as error:
            self.failures.append(f"{what}: {error}")
            self.say(f"{what}: FAILED: {error}")
            return
        rows = made if isinstance(made, list) else [made]
        self.rows += [row | more for row in rows]
        self.say(f"{what}: {'; '.join(report.brief(row) for row in rows)}")

    def drains(self) -> None:
        o = self.options
        for number in range(o.rounds):
            for backlog in o.backlogs:
                self._limits(number, backlog, "kill", "renames", "publish_kill")
                for name in self.names:
                    if not number or backlog < peers.PEERS[name].once_from:
                        self._peer(number, name, backlog, durable=False)

    def durable(self) -> None:
        o = self.options
        backlog = min(DURABLE_BACKLOG, max(o.backlogs))
        for number in range(min(o.rounds, DURABLE_ROUNDS)):
            self._limits(number, backlog, "power", "publish")
            for name in self.names:
                self._peer(number, name, backlog, durable=True)

    def _limits(self, number: int, backlog: int, *modes: str) -> None:
        if not self.program:
            return
        for mode in modes:
            if mode == "renames" and "renames" not in self.options.only:
                continue
            if mode != "renames" and "limit" not in self.options.only:
                continue
            counts = (1,) if mode.startswith("publish") else self.options.workers
            n = min(backlog, DURABLE_PUTS) if mode == "publish" else backlog
            for count in counts:
                work = partial(limit.run, self.program, mode, n, count)
                self.take(f"limit {mode} {n} x{count}", work, round=number, backlog=backlog)

    def _peer(self, number: int, name: str, backlog: int, *, durable: bool) -> None:
        o = self.options
        work = partial(
            drain.measure,
            name,
            self.root,
            backlog=backlog,
            workers=list(o.workers),
            cap=o.cap_s,
            durable=durable,
        )
        self.take(f"{name} {backlog}{' durable' if durable else ''}", work, round=number)

    def latencies(self) -> None:
        o = self.options
        for name in self.names:
            if "idle" in o.measures:
                work = partial(latency.idle, name, self.root, drops=o.drops, gap=o.gap_s)
                self.take(f"{name} idle", work)
            if "urgent" in o.measures:
                work = partial(
                    latency.urgent,
                    name,
                    self.root,
                    backlog=o.urgent_backlog
                    // (10 if peers.PEERS[name].once_from < NEVER_SLOW else 1),
                    workers=4,
                    drops=o.urgent_drops,
                    gap=0.02,
                )
                self.take(f"{name} urgent", work)

    def killed(self) -> None:
        for name in self.names:
            work = partial(killed.measure, name, self.root, cap=self.options.killed_s)
            self.take(f"{name} killed", work)

    def everything(self) -> None:
        measures = self.options.measures
        if "drain" in measures:
            self.drains()
        if "durable" in measures:
            self.durable()
        if "killed" in measures:
            self.killed()
        if {"idle", "urgent"} & set(measures):
            self.latencies()
        if "product" in measures and "ours" in self.options.only:
            product.measure(self.root, self.options, self.take)


def main(arguments: Sequence[str]) -> int:
    options = parse(arguments)
    root = Path(tempfile.mkdtemp(prefix="snakepit-bench-", dir=options.root))
    facts = machine.facts(root)
    run = Run(options, root)
    try:
        run.everything()
    finally:
        with contextlib.suppress(OSError):
            shutil.rmtree(root)
    facts["load_after"] = round(os.getloadavg()[0], 2)
    answer = {
        "format": 1,
        "machine": facts,
        "options": {key: str(getattr(options, key)) for key in options.__slots__},
        "seconds": round(clock.now() - run.started, 1),
        "absent": run.absent,
        "failures": run.failures,
        "rows": run.rows,
    }
    raw = options.json or Path(tempfile.gettempdir()) / f"snakepit-bench-{os.getpid()}.json"
    raw.write_text(json.dumps(answer, indent=1) + "\n")
    text = report.page(answer)
    print(text)
    if options.docs:
        options.docs.parent.mkdir(parents=True, exist_ok=True)
        options.docs.write_text(text)
        run.say(f"wrote {options.docs}")
    run.say(f"raw rows: {raw}")
    return 1 if run.failures else 0
