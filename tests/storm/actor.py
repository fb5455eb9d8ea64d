"""Owns the roles of a storm, each killed at any instant and started again.

The product's own programs: a scripted worker below its guard, the daemon. Beside them, through the library:
workers that split, release and fail, the producer, a person who retries, and one who gives back what is dead.
"""

import os
import random
import signal
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from snakepit.core.order import Diet
from snakepit.errors import NotFound, WorkerNameTaken
from snakepit.journal import Journal
from snakepit.pool import claim, decide, feed, reap, settle
from snakepit.pool.context import Pit
from snakepit.pool.tree import end_life
from snakepit.session import launchfile
from snakepit.store.base import Claim, Life, Part
from snakepit.store.reader import read_task
from snakepit.worker import pane_guard
from tests.storm.ground import (
    ACKS,
    ENOUGH,
    LEDGER,
    RUNS,
    SCRIPTED,
    WARNINGS,
    append_line,
    config_path,
    open_ground,
    read_ledger,
    task_name,
    text_of,
)

IDLE_S = 0.2
LOOK_S = 0.05
MEAN_S = 0.05
MOST_WAITING = 60
PARTS = ("-a.md", "-b.md")
FAILS, RELEASES, SPLITS, KEEPS = 0.05, 0.09, 0.12, 0.20
PYTHON_IGNORES = (signal.SIGPIPE, signal.SIGXFSZ)


def run(role: str, root: Path, tasks: int) -> int:
    """The whole life of a process that was forked for it; its exit code."""
    os.chdir(root)
    if role in SCRIPTED:
        return run_guarded(role, root)
    acknowledge(root)
    if role == "daemon":
        from snakepit.daemon.__main__ import main

        return main(["--foreground", "--always", "--config", str(config_path(root))])
    Actor(root, tasks).play(role)
    return 0


def worker_arguments(role: str, root: Path) -> list[str]:
    return ["--config", str(config_path(root)), "--agent", role]


def run_guarded(role: str, root: Path) -> int:
    """The guard as it is in a pane, but for its exec: below it the worker goes on in the forked process."""
    argv = [sys.executable, "-m", "snakepit.worker", *worker_arguments(role, root)]
    path = launchfile.write(root / "log" / "state" / "launch", role, argv, dict(os.environ), root)
    sys.argv = ["guard.py", str(path)]
    setattr(pane_guard, "execute", lambda argv, env, cwd: become(root, role, argv, env, cwd))  # noqa: B010
    return pane_guard.main()


def become(root: Path, role: str, argv: Sequence[str], env: Mapping[str, str], cwd: str) -> None:
    """What `exec` and a new interpreter would have made of this process."""
    for number in PYTHON_IGNORES:
        signal.signal(number, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(cwd)
    os.environ.clear()
    os.environ.update(env)
    sys.argv = [*argv[2:]]
    pid_file(root, role).write_text(str(os.getpid()))
    acknowledge(root)
    from snakepit.worker.__main__ import main

    code = 1
    try:
        code = main()
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


def pid_file(root: Path, role: str) -> Path:
    return root / f"{role}.pid"


def acknowledge(root: Path) -> None:
    """From now on what this process was told to be written is noted, to be looked for in the end."""
    append = Journal.append

    def noted(journal: Journal, type: str, **fields: object) -> int:
        seq = append(journal, type, **fields)  # type: ignore[arg-type]
        append_line(root, ACKS, f"{seq} {type} {fields.get('task') or '-'}")
        return seq

    setattr(Journal, "append", noted)  # noqa: B010


class Actor:
    def __init__(self, root: Path, tasks: int) -> None:
        self.root = root
        self.tasks = tasks
        self.stop = threading.Event()
        self.pit: Pit = open_ground(root)
        self._random = random.Random(os.urandom(8))

    def play(self, role: str) -> None:
        """Until it is done or SIGTERM comes."""
        signal.signal(signal.SIGTERM, lambda *_: self.stop.set())
        others = {"producer": self.produce, "reaper": self.reap, "person": self.retry}
        if role in others:
            others[role]()
        else:
            self.work(role)
        self.pit.close()

    # --- worker

    def work(self, name: str) -> None:
        """Claims, runs and settles; what it waits for, it uses to give back what the dead held."""
        store = self.pit.store
        life = self._begin(name)
        diet = Diet(species=frozenset({"worker"}), worker=name)
        while not self.stop.is_set():
            found = claim.claim_next(self.pit, life, diet)
            if found is not None:
                self._note(f"run {found.name} {found.attempt} {life.generation}")
                store.stop_keeping()
                self.stop.wait(self._random.uniform(0, 2 * MEAN_S))
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

    def _note(self, line: str) -> None:
        append_line(self.root, RUNS, line)

    def settle(self, life: Life, found: Claim) -> None:
        pit, roll = self.pit, self._random.random()
        if roll < FAILS:
            settle.fail(pit, life, found, "an egg broke", delay_s=0)
        elif roll < RELEASES:
            self._note(f"again {found.name}")
            settle.release(pit, life, found)
        elif roll < SPLITS and not found.task.parent and not found.task.parts:
            self._note(f"again {found.name}")
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
        food = self.root / "pit" / "food"
        while left > 0 and not (self.root / ENOUGH).exists():
            if len(os.listdir(food)) >= MOST_WAITING:
                if self.stop.wait(LOOK_S):
                    return
                continue
            number, left = number + 1, left - 1
            append_line(self.root, LEDGER, f"begun {number}")
            self._feed(number, food)
            append_line(self.root, LEDGER, f"fed {number}")

    def _feed(self, number: int, food: Path) -> None:
        """By the library, or as a person does it: moved in, or written in place in two writes."""
        name, text = task_name(number), text_of(number)
        if number % 3 == 0:
            data = text.encode()
            feed.feed(self.pit, [(name, data, read_task(name, data))])
        elif number % 3 == 1:
            (food / f".{name}").write_text(text)
            (food / f".{name}").rename(food / name)
        else:
            with (food / name).open("w") as file:
                file.write(text[:40])
                file.flush()
                file.write(text[40:])

    def reap(self) -> None:
        while not self.stop.wait(LOOK_S):
            reap.reap(self.pit)

    def retry(self) -> None:
        """A parent waits for its parts, also for one that lies with the dead letters."""
        scraps = self.root / "pit" / "scraps"
        while not self.stop.wait(IDLE_S):
            for name in os.listdir(scraps):
                if name.endswith(PARTS):
                    self._note(f"again {name}")
                    with suppress(NotFound):
                        for entry in self.pit.store.locate(name):
                            decide.retry(self.pit, entry)
