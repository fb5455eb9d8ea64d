"""Owns long runs of the protocol's model: `python bench/protocol_model.py [SCHEDULES]` for each cast.

Every mutation then leaves out one rule and must be caught. The model itself is tests/model/protocol.py.
"""

import argparse
import sys
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import clock
from tests.model.protocol import CASTS, Mutation, Outcome, play

HEAD = (
    f"{'rule left out':42} {'cast':6} {'schedules':>9} {'bad':>7} {'overcounted':>11} {'stolen':>7}"
)


@dataclass
class Count:
    """`bad`: at the end the task lies in two places, or in none where it waits or is settled."""

    schedules: int = 0
    bad: int = 0
    overcounted: int = 0
    stolen: int = 0
    first_seeds: list[int] = field(default_factory=list)

    def add(self, seed: int, outcome: Outcome) -> None:
        self.schedules += 1
        self.bad += not outcome.is_in_one_place
        self.overcounted += outcome.overcounted
        self.stolen += bool(outcome.stolen)
        if not outcome.is_good and len(self.first_seeds) < 3:
            self.first_seeds.append(seed)

    @property
    def is_clean(self) -> bool:
        return not (self.bad or self.overcounted or self.stolen)


def main(schedules: int) -> int:
    began = clock.now()
    say(HEAD)
    clean, caught = True, True
    for mutation in Mutation:
        counts = [count(mutation, cast, range(schedules)) for cast in CASTS]
        is_clean = all(one.is_clean for one in counts)
        if mutation is Mutation.NONE:
            clean = is_clean
        else:
            caught = caught and not is_clean
    say(f"{clock.now() - began:.0f} s, {clock.today()}")
    say("no schedule loses, doubles, overcounts or steals" if clean else "THE PROTOCOL IS BROKEN")
    say("every rule left out is caught" if caught else "A RULE LEFT OUT IS NOT CAUGHT")
    return 0 if clean and caught else 1


def count(mutation: Mutation, cast: str, seeds: Iterable[int]) -> Count:
    counted = Count()
    for seed in seeds:
        counted.add(seed, play(seed, CASTS[cast], mutation))
    rule = "-" if mutation is Mutation.NONE else mutation.value
    line = f"{rule:42} {cast:6} {counted.schedules:9,} {counted.bad:7,}"
    line += f" {counted.overcounted:11,} {counted.stolen:7,}"
    say(line + (f"   seeds {counted.first_seeds}" if counted.first_seeds else ""))
    return counted


def say(text: str) -> None:
    print(text, flush=True)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("schedules", type=int, nargs="?", default=60_000, help="default 60,000")
    sys.exit(main(parser.parse_args().schedules))
