"""Owns the processes of a storm, each killed at any instant and started again.

Workers, the producer, the keeper of the index, a reaper, and a person who retries what others wait for.
`python -m tests.storm.actor PARENT ROLE ROOT READY TASKS MEAN_MS`: touches the file READY once it is at its
work, ends at SIGTERM and with its parent. A run of a task lasts MEAN_MS on average.
"""

import os
import random
import signal
import sys
import threading
from contextlib import suppress
from pathlib import Path

from snakepit.core.order import Diet
from snakepit.errors import NotFound, WorkerNameTaken
from snakepit.pool import claim, reap, settle
from snakepit.pool.context import Pit
from snakepit.pool.tree import end_life
from snakepit.store.base import Claim, Life, Part
from snakepit.system.process import set_parent_death_signal
from tests.storm.ground import (
    ENOUGH,
    WARNINGS,
    append_line,
    open_ground,
    read_ledger,
    task_name,
    text_of,
)

IDLE_S = 0.2
LOOK_S = 0.05
MOST_WAITING = 60
PARTS = ("-a.md", "-b.md")
FAILS, RELEASES, SPLITS, KEEPS = 0.05, 0.09, 0.12, 0.20


class Actor:
    def __init__(self, root: Path, ready: Path, tasks: int, mean_s: float) -> None:
        self.root = root
        self.tasks = tasks
        self.mean_s = mean_s
        self.stop = threading.Event()
        self.pit: Pit = open_ground(root)
        self._ready = ready
        self._random = random.Random(os.urandom(8))

    def is_ready(self) -> None:
        self._ready.touch()

    # --- worker

    def work(self, name: str) -> None:
        """Claims, runs and settles; what it waits for, it uses to give back what the dead held."""
        store = self.pit.store
        life = self._begin(name)
        self.is_ready()
        diet = Diet(species=frozenset({"worker"}), worker=name)
        while not self.stop.is_set():
            found = claim.claim_next(self.pit, life, diet)
            if found is not None:
                store.stop_keeping()
                self.stop.wait(self._random.uniform(0, 2 * self.mean_s))
                self.settle(life, found)
            elif not store.wait(life, IDLE_S):
                reap.reap(self.pit)
        for held in store.claims_of(life):
            settle.release(self.pit, life, held)
        life.close()

    def _begin(self, name: str) -> Life:
        while True:
            try:
                return self.pit.store.open_worker(name, end_life=end_life)
            except WorkerNameTaken as error:
                append_line(self.root, WARNINGS, f"{name}: {error}")
                self.stop.wait(LOOK_S)

    def settle(self, life: Life, found: Claim) -> None:
        pit, roll = self.pit, self._random.random()
        if roll < FAILS:
            settle.fail(pit, life, found, "an egg broke", delay_s=0)
        elif roll < RELEASES:
            settle.release(pit, life, found)
        elif roll < SPLITS and not found.task.parent:
            stem = found.name.removesuffix(".md")
            parts = [Part(name=f"{stem}{end}", text=b"# Half of it\n") for end in PARTS]
            settle.split(pit, life, found, parts)
        else:
            keep = self._kept(found) if roll > 1 - KEEPS else None
            settle.complete(pit, life, found, f"counted by {life.worker}", keep=keep)

    def _kept(self, found: Claim) -> Path:
        keep = self.pit.store.waste_dir(found.name, found.attempt) / "keep"
        keep.mkdir()
        (keep / "egg.txt").write_text(found.name)
        return keep

    # --- the others

    def produce(self) -> None:
        """Feeds task after task until enough are fed; a number that a kill interrupted is not used again."""
        ledger = read_ledger(self.root)
        number, left = max(ledger.begun, default=0), self.tasks - len(ledger.fed)
        self.is_ready()
        food = self.root / "pit" / "food"
        while left > 0 and not (self.root / ENOUGH).exists():
            if len(os.listdir(food)) >= MOST_WAITING:
                if self.stop.wait(LOOK_S):
                    return
                continue
            number, left = number + 1, left - 1
            append_line(self.root, "ledger", f"begun {number}")
            self._feed(number, food)
            append_line(self.root, "ledger", f"fed {number}")

    def _feed(self, number: int, food: Path) -> None:
        """By the store, or as a person does it: moved in, or written in place in two writes."""
        name, text = task_name(number), text_of(number)
        if number % 3 == 0:
            assert self.pit.store.publish(text.encode(), name) == name
        elif number % 3 == 1:
            (food / f".{name}").write_text(text)
            (food / f".{name}").rename(food / name)
        else:
            with (food / name).open("w") as file:
                file.write(text[:40])
                file.flush()
                file.write(text[40:])

    def keep(self) -> None:
        keeper = self.pit.store.keeper()
        self.is_ready()
        while not self.stop.is_set():
            if keeper.acquire():
                keeper.step(IDLE_S)
            else:
                self.stop.wait(LOOK_S)
        keeper.close()

    def reap(self) -> None:
        self.is_ready()
        while not self.stop.wait(LOOK_S):
            reap.reap(self.pit)

    def retry(self) -> None:
        """A parent waits for its parts, also for one that lies with the dead letters."""
        self.is_ready()
        scraps = self.root / "pit" / "scraps"
        while not self.stop.wait(IDLE_S):
            for name in os.listdir(scraps):
                if name.endswith(PARTS):
                    with suppress(NotFound):
                        self.pit.journal.append("task.retried", task=self.pit.store.retry(name))


def main(parent: str, role: str, root: str, ready: str, tasks: str, mean_ms: str) -> None:
    set_parent_death_signal()
    if os.getppid() != int(parent):
        return
    actor = Actor(Path(root), Path(ready), int(tasks), float(mean_ms) / 1000)
    signal.signal(signal.SIGTERM, lambda *_: actor.stop.set())
    roles = {
        "producer": actor.produce,
        "keeper": actor.keep,
        "reaper": actor.reap,
        "person": actor.retry,
    }
    if role in roles:
        roles[role]()
    else:
        actor.work(role)
    actor.pit.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
