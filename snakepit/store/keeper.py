"""Owns the keeping of the index: tickets for what is ready, a side list for what must wait.

One process at a time is the keeper (a file lock): the daemon, while it runs; else a worker that waits. File
events say which names to look at; a scan every few seconds is the truth, and enters what was passed over.
"""

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from snakepit.clock import monotonic, wall
from snakepit.core.lifecycle import State
from snakepit.core.names import is_ignored
from snakepit.core.order import ClassKey, class_of
from snakepit.core.retry import waits_until
from snakepit.core.task import Task
from snakepit.store import layout
from snakepit.store.atomic import stat_or_none, write_new
from snakepit.store.folders import Folders
from snakepit.store.index import BEAT, HELD, OPEN, WAITING, WRITER, Buckets, Head, Lock
from snakepit.store.intake import Intake, Outcome, circle
from snakepit.store.life import Hand
from snakepit.store.needs import needed_name
from snakepit.store.tickets import TicketWriter
from snakepit.store.watch import Watch
from snakepit.system.files import open_folder

SCAN_S = 3.0
LOST_EVENTS_SCAN_S = 1.0
NEEDS_LOOK_S = 0.05
BEAT_S = 1.0
SCAN_SHARE = 20  # a scan may take a twentieth of the time
COMPACT_BYTES = 8 << 20
LISTED_IN_ONE_GO = 2000  # names, between two looks at what arrived: some milliseconds
ADMITTED_IN_ONE_GO = 50
NO_TICKET = 1 << 62


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What admission found. `kind`: queued, held, refused, renamed; `was` is the name it came with."""

    kind: str
    name: str
    reason: str = ""
    task: Task | None = None
    was: str = ""


@dataclass(slots=True)
class Ticketed:
    """A waiting file with a ticket; `position` is where its ticket ends in its bucket."""

    key: ClassKey
    priority: int
    ctime_ns: int
    position: int
    inode: int


@dataclass(slots=True)
class Waiting:
    """A waiting file without a ticket, and why."""

    reason: str
    task: Task | None = None
    inode: int = 0
    ctime_ns: int = 0
    seen_at: float = 0.0
    identity: tuple[int, ...] = ()


@dataclass
class IndexKeeper:
    """Made by `FilePit.keeper`; `step` is called in a loop by one thread."""

    folders: Folders
    intake: Intake
    settle_s: float
    hand: Hand
    ticketed: dict[str, Ticketed] = field(default_factory=dict)
    waiting: dict[str, Waiting] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._role = Lock("keeper", self.folders.index)
        self._cursor_lock = Lock("lock", self.folders.index)
        self._head = Head(self.folders.index)
        self._tickets = TicketWriter(self.folders.index, self._head, self._cursor_lock)
        self._nonce = int.from_bytes(os.urandom(7), "big")
        self._watch: Watch | None = None
        self._wake_fd = os.open("wake", OPEN, 0o600, dir_fd=self.folders.index)
        self._is_keeper = False
        self._next_scan = 0.0
        self._done_mtime = 0
        self._notices: list[Notice] = []
        self._held_written: str | None = None
        self._gathered: Buckets | None = None
        self._entered = False

    def acquire(self, *, watch: bool = True) -> bool:
        """Become the keeper; False while another process is."""
        if self._is_keeper:
            return True
        if not self._role.try_acquire():
            return False
        self._is_keeper = True
        if watch and self._watch is None:
            self._watch = Watch(self.folders.path / layout.FOLDER[State.QUEUED])
        if not self._head.open():
            self._head.create()
        if self._head.words[WRITER] != self._nonce and not self._resume_epoch():
            self._start_epoch()
        self._next_scan = 0.0
        return True

    def release(self) -> None:
        """Leave the role; claimers believe the index for as long as its heartbeat is fresh."""
        if self._is_keeper:
            self._role.release()
            self._is_keeper = False

    def retire(self) -> None:
        """Leave the role to whoever waits, who is woken to take it over at once."""
        if self._is_keeper:
            self._head.words[BEAT] = 0
            self.release()
            os.pwrite(self._wake_fd, b".", 0)

    def close(self) -> None:
        if self._watch is not None:
            self._watch.close()
        self.retire()
        self._tickets.close()
        self._head.close()
        self._role.close()
        self._cursor_lock.close()
        os.close(self._wake_fd)
        self.hand.close()

    def step(self, seconds: float) -> list[Notice]:
        """Wait at most `seconds` for arrivals, then admit them, scan when it is time; what was found."""
        if not self.acquire():
            return []
        if self._watch is not None:
            self._watch.wait(min(seconds, self._pause()))
            self._admit_arrivals()
        if monotonic() >= self._next_scan:
            self._scan()
        else:
            self._look_again()
        self._publish_state()
        notices, self._notices = self._notices, []
        return notices

    def _admit_arrivals(self) -> list[str]:
        if self._watch is None:
            return []
        names, lost = self._watch.drain()
        if lost:
            self._next_scan = 0.0
        for name in names:
            if name:
                self._admit(name)
        return names

    def wake(self) -> None:
        """Make a waiting `step` return; safe from a signal handler's thread."""
        if self._watch is not None:
            self._watch.poke()

    def _pause(self) -> float:
        pause = min(BEAT_S, max(0.0, self._next_scan - monotonic()))
        now = wall()
        for item in self.waiting.values():
            if item.task is None or item.identity:
                pause = min(pause, self.settle_s)
            elif item.task.needs:
                pause = min(pause, NEEDS_LOOK_S)
            else:
                until = waits_until(item.task, now)
                pause = pause if until is None else min(pause, max(0.01, until - now))
        return pause

    def _scan(self) -> None:
        """What lies in the folder against what is known of it; what arrives meanwhile does not wait for the end."""
        began = monotonic()
        names = self._listed()
        for name in self._in_turns([*self.ticketed, *self.waiting], names):
            if name not in names:
                self.ticketed.pop(name, None)
                self.waiting.pop(name, None)
        known = (self.ticketed, self.waiting)
        fresh = self._in_turns(list(names), names)
        new = [name for name in fresh if name not in known[0] and name not in known[1]]
        for name in self._in_turns(sorted(new, key=self._came), names, step=ADMITTED_IN_ONE_GO):
            self._admit(name)
        self._enter_passed_over(names)
        self._look_again(everything=True)
        if not self.ticketed and self._tickets.size() > COMPACT_BYTES:
            self._tickets.start({})
        interval = SCAN_S if self._watch is not None and self._watch.is_live else LOST_EVENTS_SCAN_S
        self._next_scan = monotonic() + max(interval, (monotonic() - began) * SCAN_SHARE)

    def _listed(self) -> set[str]:
        """The names in the folder, and those that arrived while it was listed."""
        names: set[str] = set()
        scan_fd = open_folder(".", self.folders.queued)  # a place in the listing of its own
        try:
            with os.scandir(scan_fd) as entries:
                names.update(self._in_turns((entry.name for entry in entries), names))
        finally:
            os.close(scan_fd)
        return names

    def _in_turns(
        self, names: Iterable[str], seen: set[str], *, step: int = LISTED_IN_ONE_GO
    ) -> Iterator[str]:
        """The names, and between them a look at what arrived, which is added to `seen`: an urgent task waits not."""
        for number, name in enumerate(names, 1):
            if number % step == 0:
                seen.update(self._admit_arrivals())
                self._wake_claimers()
            yield name

    def _came(self, name: str) -> int:
        status = stat_or_none(name, self.folders.queued)
        return status.st_ctime_ns if status is not None else 0

    def _enter_passed_over(self, names: set[str]) -> None:
        """A ticket was taken and its file waits: its claimer died, is about to claim, or gave it back."""
        read: dict[tuple[ClassKey, int], int] = {}
        passed = []
        for name in self._in_turns(list(self.ticketed), names):
            item = self.ticketed.get(name)
            if item is None:
                continue
            bucket = (item.key, item.priority)
            if bucket not in read:
                read[bucket] = self._tickets.position(*bucket)
            if read[bucket] >= item.position:
                passed.append((name, item))
        for name, item in passed:
            item.position = NO_TICKET
            self._admit(name)

    def _admit(self, name: str) -> None:
        if is_ignored(name):
            return
        known = self.ticketed.get(name) or self.waiting.get(name)
        outcome = self.intake.admit(name, known=(known.inode, known.ctime_ns) if known else (0, 0))
        if outcome.second_look and self._has_settled(name, outcome):
            reason = self.intake.why_held(outcome.task) if outcome.task else None
            outcome = Outcome(
                kind="hold" if reason else "ready",
                reason=reason or "",
                task=outcome.task,
                ctime_ns=outcome.ctime_ns,
                inode=outcome.inode,
            )
        self._apply(name, outcome)

    def _apply(self, name: str, outcome: Outcome) -> None:
        if outcome.kind == "ready":
            self._make_ready(name, outcome)
        elif outcome.kind == "hold":
            self._hold(name, outcome)
        else:
            self.ticketed.pop(name, None)
            self.waiting.pop(name, None)
            if outcome.kind != "gone":
                self._notices.append(
                    Notice(kind=outcome.kind, name=outcome.name, reason=outcome.reason, was=name)
                )
            if outcome.kind == "renamed":
                self._admit(outcome.name)

    def _make_ready(self, name: str, outcome: Outcome) -> None:
        task = outcome.task
        assert task is not None
        known = self.ticketed.get(name)
        key = class_of(task)
        same = known is not None and known.ctime_ns == outcome.ctime_ns
        if known is not None and same and known.position != NO_TICKET:
            return
        was = self.waiting.pop(name, None)
        if not self._enter(name, key, task.priority, outcome):
            full = Outcome(kind="hold", task=task, reason="the index has no room for its labels")
            self._hold(name, full)
        elif not same or was is not None:
            self._notices.append(Notice(kind="queued", name=name, task=task))

    def _hold(self, name: str, outcome: Outcome) -> None:
        self.ticketed.pop(name, None)
        item = self.waiting.get(name)
        reason = outcome.reason
        if outcome.task is not None and outcome.task.needs:
            reason += circle(name, self._needs_graph(outcome.task))
        if item is None:
            item = self.waiting[name] = Waiting(reason="", seen_at=monotonic())
        if outcome.identity != item.identity:
            item.identity, item.seen_at = outcome.identity, monotonic()
        if item.reason != reason and outcome.task is not None and not outcome.second_look:
            self._notices.append(Notice(kind="held", name=name, reason=reason, task=outcome.task))
        item.reason, item.task = reason, outcome.task
        item.inode, item.ctime_ns = outcome.inode, outcome.ctime_ns

    def _needs_graph(self, task: Task) -> dict[str, tuple[str, ...]]:
        tasks = [item.task for item in self.waiting.values() if item.task is not None]
        return {
            one.name: tuple(needed_name(need, self.intake.ids) for need in one.needs)
            for one in [*tasks, task]
        }

    def _has_settled(self, name: str, outcome: Outcome) -> bool:
        item = self.waiting.get(name)
        return (
            item is not None
            and item.identity == outcome.identity
            and monotonic() - item.seen_at >= self.settle_s
        )

    def _look_again(self, *, everything: bool = False) -> None:
        """Those in the side list whose writer, time or needs may have changed."""
        if not self.waiting:
            return
        done_mtime = os.fstat(self.folders.done).st_mtime_ns
        everything = everything or done_mtime != self._done_mtime
        self._done_mtime = done_mtime
        now, tick = wall(), monotonic()
        for name, item in list(self.waiting.items()):
            task = item.task
            is_unsettled = task is None or bool(item.identity)
            is_due = task is not None and bool(task.not_before) and not waits_until(task, now)
            if everything or is_due or (is_unsettled and tick - item.seen_at >= self.settle_s):
                self._admit(name)

    def _enter(self, name: str, key: ClassKey, priority: int, outcome: Outcome) -> bool:
        ctime_ns = outcome.ctime_ns
        position: int | None = 0
        if self._gathered is not None:
            self._gathered.setdefault((key, priority), []).append((ctime_ns, name))
            if len(self.ticketed) % 500 == 0:
                self._head.beat()
        else:
            position = self._tickets.add(key, priority, [(ctime_ns, name)])
            self._entered = True
        if position is None:
            return False
        self.ticketed[name] = Ticketed(key, priority, ctime_ns, position, outcome.inode)
        return True

    def _resume_epoch(self) -> bool:
        """Go on with what another keeper left; the scan that follows finds what it did not know."""
        tickets = self._tickets.resume()
        if tickets is None:
            return False
        self.ticketed = {name: Ticketed(*ticket, inode=0) for name, ticket in tickets.items()}
        self.waiting.clear()
        self.intake.read_ids()
        self._head.words[WRITER] = self._nonce
        return True

    def _start_epoch(self) -> None:
        """Read all that waits and put it in place of the old index, which claimers use meanwhile."""
        self.ticketed.clear()
        self.waiting.clear()
        self.intake.read_ids()
        self._gathered = {}
        try:
            for name in os.listdir(self.folders.queued):
                self._admit(name)
            for name, position in self._tickets.start(self._gathered).items():
                self.ticketed[name].position = position
        finally:
            self._gathered = None
        self._head.words[WRITER] = self._nonce
        self._entered = True

    def _publish_state(self) -> None:
        """Tell the others: the heartbeat, the side list, and a byte that wakes who waits."""
        words = self._head.words
        words[WAITING], words[HELD] = len(self.ticketed), len(self.waiting)
        self._head.beat()
        held = "".join(f"{name}\t{item.reason}\n" for name, item in self.waiting.items())
        if held != self._held_written:
            index = self.folders.index
            write_new(index, "held.new", os.fsencode(held), sync=False, mode=0o600)
            os.rename("held.new", "held", src_dir_fd=index, dst_dir_fd=index)
            self._held_written = held
        self._wake_claimers()

    def _wake_claimers(self) -> None:
        if self._entered:
            self._entered = False
            os.pwrite(self._wake_fd, b".", 0)
