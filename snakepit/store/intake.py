"""Owns admission: what becomes of one file that arrived in the queue's folder.

Done once for each file, by whoever keeps the index: a name in use elsewhere is numbered, what is no task is
moved aside, an `id` that exists is refused; the rest is ready, or must wait for a reason told to its author.
"""

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from snakepit.clock import stamp, wall
from snakepit.core.names import numbered
from snakepit.core.needs import find_cycle
from snakepit.core.retry import waits_until
from snakepit.core.task import Task
from snakepit.store.admission import Kind, Look, examine, refuse, reject
from snakepit.store.atomic import read_all, stat_or_none
from snakepit.store.folders import Folders
from snakepit.store.index import OPEN
from snakepit.store.needs import blocked_by, is_in_work
from snakepit.system.files import rename_noreplace

IDS_LIMIT = 64 << 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`kind`: gone, ready, hold, refused, renamed. `name` is the note's or the new name for the last two.

    `second_look`: nobody can tell whether a writer has the file open; look again when it has settled.
    """

    kind: str
    name: str = ""
    reason: str = ""
    task: Task | None = None
    ctime_ns: int = 0
    inode: int = 0
    identity: tuple[int, ...] = ()
    second_look: bool = False


@dataclass
class Intake:
    """`hand` gives the descriptor of a private folder; `ids` maps explicit ids to names."""

    folders: Folders
    hand: Callable[[], int]
    accept_all: bool = False
    ids: dict[str, str] = field(default_factory=dict)

    def admit(self, name: str, *, known: tuple[int, int]) -> Outcome:
        """`known`: inode and ctime of the file that bore this name at the last look; zeros where none did.

        An inode alone is no proof: a file that left gives its number to the next that is made.
        """
        look = examine(self.folders.queued, name)
        if look.kind is Kind.GONE:
            return Outcome(kind="gone")
        if look.kind is Kind.UNFINISHED:
            return Outcome(kind="hold", reason=look.reason)
        if look.kind is Kind.REFUSED:
            return self._refuse(name, look.reason)
        if look.kind is Kind.UNREADABLE or look.task is None:
            return self._reject(name, look.reason)
        swap = self._edited_by(name)
        if swap:
            return self._wait(look, f"somebody edits it ({swap})")
        if (look.inode, look.ctime_ns) != known:
            outcome = self._check_name(name, look.task)
            if outcome is not None:
                return outcome
        return self._wait(look, "") if look.needs_second_look else self.decide(look)

    def decide(self, look: Look) -> Outcome:
        assert look.task is not None
        reason = self.why_held(look.task)
        kind = "hold" if reason else "ready"
        return Outcome(
            kind=kind,
            reason=reason or "",
            task=look.task,
            ctime_ns=look.ctime_ns,
            inode=look.inode,
        )

    def why_held(self, task: Task) -> str | None:
        """What keeps a readable task from being claimed, in words; None when nothing does."""
        if task.by and task.runs and not task.allowed and not self.accept_all:
            return f"carries code that {task.by} wrote; a person says: agents.py allow {task.name}"
        until = waits_until(task, wall())
        if until is not None:
            return f"waits until {stamp(until)}"
        return blocked_by(self.folders, task, self.ids) if task.needs else None

    def _wait(self, look: Look, reason: str) -> Outcome:
        return Outcome(
            kind="hold",
            reason=reason or "it was changed a moment ago",
            task=look.task,
            ctime_ns=look.ctime_ns,
            inode=look.inode,
            identity=look.identity,
            second_look=not reason,
        )

    def _edited_by(self, name: str) -> str | None:
        for swap in (f".{name}.swp", f".#{name}"):
            if stat_or_none(swap, self.folders.queued) is not None:
                return swap
        return None

    def _refuse(self, name: str, reason: str) -> Outcome:
        try:
            note = refuse(self.folders, self.hand(), self.folders.queued, name, reason)
        except OSError as error:
            text = f"{reason}; it cannot be moved away: {error.strerror}"
            return Outcome(kind="hold", reason=text)
        return Outcome(kind="refused", name=note, reason=reason) if note else Outcome(kind="gone")

    def _reject(self, name: str, reason: str) -> Outcome:
        final = reject(self.folders, self.hand(), self.folders.queued, name, name, reason)
        return Outcome(kind="refused", name=final, reason=reason) if final else Outcome(kind="gone")

    def _check_name(self, name: str, task: Task) -> Outcome | None:
        free = self._free_name(name)
        if free is None:
            return Outcome(kind="gone")
        if free != name:
            return Outcome(kind="renamed", name=free, reason=f"the name {name} is in use")
        if task.id and not self._take_id(task.id, name):
            reason = (
                f"its `id: {task.id}` is that of {self.ids[task.id]}; give it another id, or none"
            )
            return self._reject(name, reason)
        return None

    def _free_name(self, name: str) -> str | None:
        """The file's name after numbering it where the name is in use; None: it is gone."""
        if not is_in_use(self.folders, name):
            return name
        number = 1
        while True:
            number += 1
            chosen = numbered(name, number)
            if is_in_use(self.folders, chosen):
                continue
            try:
                rename_noreplace(name, chosen, self.folders.queued, self.folders.queued)
            except FileExistsError:
                continue
            except FileNotFoundError:
                return None
            return chosen

    def _take_id(self, task_id: str, name: str) -> bool:
        owner = self.ids.get(task_id)
        if owner is not None and owner != name:
            waits = stat_or_none(owner, self.folders.queued) is not None
            if waits or is_in_use(self.folders, owner):
                return False
        if owner != name:
            self.ids[task_id] = name
            fd = os.open("ids", OPEN | os.O_APPEND, 0o600, dir_fd=self.folders.index)
            try:
                os.write(fd, f"{task_id}\t{name}\n".encode())
            finally:
                os.close(fd)
        return True

    def read_ids(self) -> None:
        self.ids.update(read_ids(self.folders))


def read_ids(folders: Folders) -> dict[str, str]:
    """The explicit ids seen so far and the tasks that bear them."""
    try:
        lines = read_all("ids", folders.index, IDS_LIMIT).decode("utf-8", "replace").splitlines()
    except OSError:
        return {}
    pairs = (line.partition("\t") for line in lines)
    return {task_id: name for task_id, tab, name in pairs if tab}


def circle(name: str, needs: Mapping[str, tuple[str, ...]]) -> str:
    """The circle of needs that `name` is in, as a remark; "" when it is in none."""
    cycle = find_cycle(needs)
    return f" (they need each other: {' -> '.join(cycle)})" if cycle and name in cycle else ""


def is_in_use(folders: Folders, name: str) -> bool:
    """Outside the queue's own folder, in the order tasks move: claims and hands, done, dead letters."""
    return (
        is_in_work(folders, name)
        or stat_or_none(name, folders.done) is not None
        or stat_or_none(name, folders.dead) is not None
    )


def free_name(folders: Folders, name: str) -> str:
    """The first of x, x~2, … that stands nowhere; a hint, since publishing never replaces anyway."""
    chosen, number = name, 1
    while stat_or_none(chosen, folders.queued) is not None or is_in_use(folders, chosen):
        number += 1
        chosen = numbered(name, number)
    return chosen
