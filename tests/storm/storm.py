"""Owns a storm: it starts the processes, kills one at random again and again, and ends when all is settled."""

import contextlib
import os
import random
import shutil
import signal
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.store.listing import in_hands
from tests.storm.ground import ENOUGH, open_ground

ROOT = Path(__file__).parents[2]
WORKERS = tuple(f"w{number}" for number in range(1, 9))
OTHERS = ("producer", "keeper", "reaper", "person")
ENDLESS = 999_999
FEWEST_READY = (
    8  # a machine that starts processes slower than they are killed would do nothing else
)
LOOK_S = 0.02
END_S = 20.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Kills go on for as long as tasks are unsettled; with `kills`, tasks come until so many were done."""

    tasks: int = 2000
    kills: int = 0
    every_s: float = 0.2
    mean_ms: float = 100.0
    limit_s: float = 600.0


@dataclass
class Process:
    role: str
    child: "subprocess.Popen[bytes]"
    ready: Path


@dataclass
class Storm:
    root: Path
    plan: Plan
    tell: Callable[[str], None] = lambda _: None
    kills: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._pause = threading.Event()
        self._random = random.Random(os.urandom(8))
        self._processes: dict[str, Process] = {}
        self._is_fed = False
        self._errors = self.root / "errors.log"
        self._ready = self.root / "ready"

    def run(self) -> None:
        """Returns when nothing is left to be settled and every process has ended."""
        self._ready.mkdir()
        self._pit = open_ground(self.root)
        with contextlib.ExitStack() as stack:
            stack.callback(self._pit.close)
            stack.callback(self._end_all)
            for role in (*WORKERS, *OTHERS):
                self._start(role)
            began = clock.monotonic()
            while not self._is_over():
                if clock.monotonic() - began > self.plan.limit_s:
                    self.faults.append(f"not settled after {self.plan.limit_s} s")
                    break
                self._pause.wait(self.plan.every_s if self._has_kills_left() else LOOK_S)
                self._restart_ended()
                if self._has_kills_left():
                    self._kill_one()
            self._stop_all()

    # --- when it ends

    def _has_kills_left(self) -> bool:
        if self.plan.kills:
            return self.kills.total() < self.plan.kills
        return not self._is_fed or self._is_unsettled()

    def _is_over(self) -> bool:
        if self.plan.kills and self.kills.total() >= self.plan.kills:
            (self.root / ENOUGH).touch()
        return self._is_fed and not self._is_unsettled()

    def _is_unsettled(self) -> bool:
        """A drop that its producer's death left empty is no task."""
        store = self._pit.store
        if any(entry.size for entry in store.entries(State.QUEUED)):
            return True
        return any(store.entries(State.CLAIMED)) or any(in_hands(store.folders))

    # --- processes

    def _start(self, role: str) -> None:
        tasks = ENDLESS if self.plan.kills else self.plan.tasks
        ready = self._ready / f"{role}-{self.kills.total()}"
        ready.unlink(missing_ok=True)
        with self._errors.open("ab") as errors:
            child = subprocess.Popen(
                [
                    *(sys.executable, "-m", "tests.storm.actor", str(os.getpid()), role),
                    *(str(self.root), str(ready), str(tasks), str(self.plan.mean_ms)),
                ],
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
            )
        self._processes[role] = Process(role, child, ready)

    def _kill_one(self) -> None:
        """One of those at their work, when most are; its successor starts at once."""
        ready = [one for one in self._processes.values() if one.ready.exists()]
        if len(ready) < min(FEWEST_READY, len(self._processes)):
            return
        victim = self._random.choice(ready)
        if victim.child.poll() is not None:
            return
        victim.child.kill()
        victim.child.wait()
        victim.ready.unlink(missing_ok=True)
        self.kills["worker" if victim.role in WORKERS else victim.role] += 1
        self._start(victim.role)
        if self.kills.total() % 500 == 0:
            self.tell(f"{self.kills.total()} kills, {self._counts()}")

    def _counts(self) -> str:
        return ", ".join(f"{n} {state.value}" for state, n in self._pit.store.counts().items())

    def _restart_ended(self) -> None:
        """The producer ends when it has fed all; any other end is a fault."""
        for role, process in list(self._processes.items()):
            code = process.child.poll()
            if code is None:
                continue
            del self._processes[role]
            if role == "producer" and code == 0:
                self._is_fed = True
                continue
            self._fault(process, code)
            self._start(role)

    def _fault(self, process: Process, code: int) -> None:
        last = self._errors.read_text(errors="replace").strip().splitlines()[-12:]
        self.faults.append(f"{process.role} ended with {code}: " + "\n".join(last))

    def _stop_all(self) -> None:
        processes = list(self._processes.values())
        for process in processes:
            process.child.send_signal(signal.SIGTERM)
        for process in processes:
            # killed below, and seen as a fault by its code
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.child.wait(END_S)
            code = process.child.poll()
            # SIGTERM may come before the handler is set
            if code not in (0, -signal.SIGTERM):
                self._fault(process, code if code is not None else 0)

    def _end_all(self) -> None:
        for process in self._processes.values():
            if process.child.poll() is None:
                process.child.kill()
            process.child.wait()


@contextlib.contextmanager
def fresh_ground(parent: Path) -> Iterator[Path]:
    root = parent / f"storm-{os.urandom(4).hex()}"
    root.mkdir()
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)


def lines_of(root: Path, file: str) -> Sequence[str]:
    path = root / file
    return path.read_text().splitlines() if path.exists() else ()
