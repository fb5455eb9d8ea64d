"""Owns the storm's command line: `python bench/storm.py [--tasks N] [--kills N] [--every MS]`; 2,000 tasks by default.

With --kills tasks come until so many processes were killed with SIGKILL. The storm itself is tests/storm.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import clock
from tests.storm.storm import Plan, Storm, fresh_ground
from tests.storm.verdict import judge

HOURS = 12 * 3600.0


def main() -> int:
    options = parse()
    every = options.every or (25 if options.kills else 200)
    plan = Plan(
        tasks=options.tasks,
        kills=options.kills,
        every_s=every / 1000,
        mean_ms=options.run,
        limit_s=HOURS,
    )
    began = clock.now()
    with fresh_ground(options.folder) as root:
        storm = Storm(root, plan, tell=lambda line: say(f"{clock.now() - began:6.0f} s  {line}"))
        storm.run()
        seconds = clock.now() - began
        report = judge(storm)
        if not report.is_good:
            kept = root.with_name(f"{root.name}-kept")
            root.rename(kept)
            say(f"the pit is kept in {kept}")
    say("\n".join(report.lines()))
    say(
        f"time           {seconds:.0f} s, a kill every {1000 * seconds / storm.kills.total():.0f} ms"
    )
    say(f"when, where    {clock.today()}, {os.cpu_count()} cores")
    return 0 if report.is_good else 1


def say(text: str) -> None:
    print(text, flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tasks", type=int, default=2000, help="how many are fed")
    parser.add_argument("--kills", type=int, default=0, help="feed until so many kills were done")
    parser.add_argument("--every", type=float, default=0, help="milliseconds between two kills")
    parser.add_argument("--run", type=float, default=100, help="milliseconds of a run, on average")
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
