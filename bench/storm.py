"""Owns the storm's command line: `python bench/storm.py [--tasks N] [--kills N] [--every MS]`; 2,000 tasks by default.

With --kills tasks come until so many processes were killed with SIGKILL, in rounds of --round kills, each
over a pit of its own that is judged as a whole. The storm itself is tests/storm.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import clock
from tests.storm.report import Report
from tests.storm.storm import Plan, Storm, fresh_ground
from tests.storm.verdict import judge

HOURS = 12 * 3600.0


def main() -> int:
    options = parse()
    every = options.every or (50 if options.kills else 200)
    began = clock.now()
    total, rounds = Report(), 0
    while True:
        left = options.kills - total.kills.total()
        plan = Plan(
            tasks=options.tasks,
            kills=min(left, options.round) if options.kills else 0,
            every_s=every / 1000,
            new=options.new / 100,
            limit_s=HOURS,
        )
        rounds += 1
        report = one_round(plan, options.folder, began)
        total.add(report)
        if total.kills.total() >= options.kills:
            break
    seconds = clock.now() - began
    say("\n".join(total.lines()))
    say(
        f"time           {seconds:.0f} s in {rounds} rounds, "
        f"a kill every {1000 * seconds / max(1, total.kills.total()):.0f} ms"
    )
    say(f"when, where    {clock.today()}, {os.cpu_count()} cores")
    return 0 if total.is_good else 1


def one_round(plan: Plan, folder: Path, began: float) -> Report:
    with fresh_ground(folder) as root:
        storm = Storm(root, plan, tell=lambda line: say(f"{clock.now() - began:6.0f} s  {line}"))
        storm.run()
        report = judge(storm)
        if not report.is_good:
            kept = root.with_name(f"{root.name}-kept")
            root.rename(kept)
            say(f"the pit is kept in {kept}")
    return report


def say(text: str) -> None:
    print(text, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000, help="how many are fed")
    parser.add_argument("--kills", type=int, default=0, help="feed until so many kills were done")
    parser.add_argument("--round", type=int, default=1000, help="kills over one pit")
    parser.add_argument("--every", type=float, default=0, help="milliseconds between two kills")
    parser.add_argument(
        "--new",
        type=float,
        default=5,
        help="percent of workers and daemons that start as new interpreters; the rest is forked",
    )
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
