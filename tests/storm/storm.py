"""Owns a storm: it starts the processes, kills one at random again and again, and ends when all is settled."""

import contextlib
import os
import random
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.store.listing import in_hands
from snakepit.system import process
from tests.storm import victim
from tests.storm.crew import Crew, Member
from tests.storm.ground import ENOUGH, SCRIPTED, WORKERS, make_ground, open_ground

OTHERS = ("daemon", "producer", "reaper", "person")
FIRST_NEW = (SCRIPTED[0], "daemon")
ENDLESS = 999_999
FEWEST_AT_WORK = 7  # a machine that starts processes slower than they are killed would do no more
LOOK_S = 0.02
AIMED = 0.2  # of the kills: at whoever recovers what the kill before has left
AIM_S = 0.03
SETTLED_S = 60.0  # after the last kill all must be settled
BEFORE_ITS_HANDLER = (-signal.SIGTERM, 128 + signal.SIGTERM)  # exit codes
NAME_TAKEN = 4  # exit code: a worker whose name another still has; its pane starts it again


@dataclass(frozen=True, kw_only=True)
class Plan:
    """Kills go on for as long as tasks are unsettled; with `kills`, tasks come until so many were done.

    `new`: how many of the workers and daemons start as new interpreters; the others are forked.
    """

    tasks: int = 2000
    kills: int = 0
    every_s: float = 0.2
    new: float = 0.1
    limit_s: float = 600.0


@dataclass
class Storm:
    root: Path
    plan: Plan
    tell: Callable[[str], None] = lambda _: None
    kills: Counter[tuple[str, str]] = field(default_factory=Counter)  # (kind, what it was at)
    faults: list[str] = field(default_factory=list)
    names_waited_for: int = 0
    new: int = 0

    def __post_init__(self) -> None:
        self._pause = threading.Event()
        self._random = random.Random(os.urandom(8))
        self._is_fed = False

    def run(self) -> None:
        """Returns when nothing is left to be settled and every process has ended."""
        make_ground(self.root)
        with contextlib.ExitStack() as stack:
            self._pit = open_ground(self.root)
            stack.callback(self._pit.close)
            tasks = ENDLESS if self.plan.kills else self.plan.tasks
            self._crew = Crew(self.root, tasks=tasks)
            stack.callback(self._crew.close)
            self.faults += [f"the warm parent has {what} open" for what in self._crew.is_open]
            for role in (*WORKERS, *OTHERS):
                self._start(role, is_new=role in FIRST_NEW)
            self._go_on()
            for member, code in self._crew.stop_all():
                self._fault_of(member, 0 if code in BEFORE_ITS_HANDLER else code)
            self._look_for_left()

    def _go_on(self) -> None:
        began = last_kill = clock.monotonic()
        while not self._is_over():
            now = clock.monotonic()
            last_kill = now if self._has_kills_left() else last_kill
            if now - began > self.plan.limit_s or now - last_kill > SETTLED_S:
                self.faults.append(f"not settled {now - last_kill:.0f} s after the last kill")
                return
            self._pause.wait(self._gap())
            self._restart_ended()
            if self._has_kills_left():
                self._kill(self._choice())
                if self._random.random() < AIMED:
                    self._kill(self._aim())

    def _gap(self) -> float:
        if not self._has_kills_left():
            return LOOK_S
        return self.plan.every_s * (1 + AIMED) * self._random.uniform(0.5, 1.5)

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

    def _look_for_left(self) -> None:
        left = self._crew.left()
        if left:
            self.faults.append(f"processes {left} are left")
        marked = process.pids_with_mark("SNAKEPIT_PIT", str(self.root / "pit"))
        if marked:
            self.faults.append(f"processes {sorted(marked)} of tasks are left")

    # --- processes

    def _start(self, role: str, *, is_new: bool = False) -> None:
        may_be_new = role in SCRIPTED or role == "daemon"
        is_new |= may_be_new and self._random.random() < self.plan.new
        self.new += is_new
        self._crew.start(role, is_new=is_new)

    def _choice(self) -> Member | None:
        """Anyone, also while it is being born, as long as most are at work."""
        members = self._crew.members()
        at_work = [member for member in members if self._crew.is_at_work(member)]
        if len(at_work) < min(FEWEST_AT_WORK, len(members)):
            return None
        return self._random.choice(members)

    def _aim(self) -> Member | None:
        """Whoever is in recovery within the next moment."""
        until = clock.monotonic() + AIM_S
        while clock.monotonic() < until:
            pids = victim.in_recovery(self.root)
            for member in self._crew.members() if pids else ():
                if self._crew.target(member) in pids:
                    return member
        return None

    def _kill(self, member: Member | None) -> None:
        """Its successor starts as soon as it and all below it has ended."""
        at = self._crew.kill(member) if member is not None else ""
        if member is None or not at:
            return
        self.kills["worker" if member.role in WORKERS else member.role, at] += 1
        self._start(member.role)
        if self.kills.total() % 250 == 0:
            self.tell(f"{self.kills.total()} kills, {self._counts()}")

    def _counts(self) -> str:
        return ", ".join(f"{n} {state.value}" for state, n in self._pit.store.counts().items())

    def _restart_ended(self) -> None:
        """The producer ends when it has fed all; any other end is a fault."""
        for member, code in self._crew.ended():
            if member.role == "producer" and code == 0:
                self._is_fed = True
                continue
            if member.role in SCRIPTED and code == NAME_TAKEN:
                self.names_waited_for += 1
            else:
                self._fault_of(member, code or 1)
            self._start(member.role)

    def _fault_of(self, member: Member, code: int) -> None:
        if code == 0:
            return
        last = self._crew.errors.read_text(errors="replace").strip().splitlines()[-12:]
        self.faults.append(f"{member.role} ended with {code}: " + "\n".join(last))


@contextlib.contextmanager
def fresh_ground(parent: Path) -> Iterator[Path]:
    root = parent / f"storm-{os.urandom(4).hex()}"
    root.mkdir()
    try:
        yield root
    finally:
        shutil.rmtree(root, ignore_errors=True)
