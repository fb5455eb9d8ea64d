"""Owns how one process claims: a ticket from the index, one rename, one look; and how it waits for tickets.

1 rename food/x -> W/x without replacing (gone: the next ticket)   2 open, look; put back or refuse what is no task
When nobody keeps the index, the claimer keeps it for a moment, or for as long as it waits.
"""

import os
import random
import threading
from collections.abc import Callable

from snakepit.clock import monotonic, wall
from snakepit.core.names import is_ignored
from snakepit.core.order import Diet
from snakepit.core.retry import waits_until
from snakepit.core.task import Task
from snakepit.errors import LifeLost, NotFound
from snakepit.store import layout
from snakepit.store.admission import Kind, examine, refuse, reject
from snakepit.store.atomic import publish
from snakepit.store.base import Claim
from snakepit.store.folders import Folders
from snakepit.store.index import Lock, TicketReader
from snakepit.store.intake import read_ids
from snakepit.store.keeper import IndexKeeper
from snakepit.store.life import FileLife
from snakepit.store.needs import blocked_by
from snakepit.store.watch import CHANGES, Watch
from snakepit.system.files import rename_noreplace

SNAPSHOT_S = 1.0
SNAPSHOT_MOST = 1000
REMOVED_S = 0.2  # until somebody looks again where a folder was removed


class Claiming:
    def __init__(
        self,
        folders: Folders,
        hand: Callable[[], int],
        make_keeper: Callable[[], IndexKeeper],
        *,
        accept_all: bool,
    ) -> None:
        self.folders = folders
        self.tickets = TicketReader(folders.index)
        self._role = Lock("keeper", folders.index)
        self._hand = hand
        self._make_keeper = make_keeper
        self._keeper: IndexKeeper | None = None
        self._wake: Watch | None = None
        self._accept_all = accept_all
        self._snapshot: list[str] = []
        self._snapshot_at = -SNAPSHOT_S

    def claim(self, life: FileLife, diet: Diet) -> Claim | None:
        if not self.tickets.is_fresh():
            self._keep_for_a_moment()
        while True:
            name = self.tickets.next(diet)
            if name is None:
                break
            claim = self._try(life, name, diet)
            if claim is not None:
                return claim
        if self.tickets.is_fresh() and not self.tickets.was_busy:
            return None
        return self._claim_from_snapshot(life, diet)

    def claim_name(self, life: FileLife, name: str) -> Claim:
        claim = self._try(life, name, None)
        if claim is None:
            message = f"{name} does not wait here"
            raise NotFound(message, fix=f"see where it is: agents.py show {name}")
        return claim

    def claims_of(self, life: FileLife) -> list[Claim]:
        """Files in the life's folder; one that is no task is put aside as at a claim."""
        claims = []
        for name in sorted(os.listdir(life.fd)):
            if not is_ignored(name):
                claim = self._look(life, name, None)
                if claim is not None:
                    claims.append(claim)
        return claims

    def wait(self, seconds: float) -> bool:
        """As the keeper where there is none: one process less between a drop and its claim."""
        try:
            return self._wait(seconds)
        except FileNotFoundError as error:  # a listing of a removed folder, too
            if os.fstat(self.folders.index).st_nlink == 0:
                message = f"{self.folders.path / layout.PRIVATE / layout.INDEX}/ was removed"
                raise LifeLost(message, fix="the worker starts anew") from error
            threading.Event().wait(min(seconds, REMOVED_S))
            return False

    def _wait(self, seconds: float) -> bool:
        if self._keeper is not None or not self.tickets.is_fresh() or self._is_unkept():
            keeper = self._keeper or self._make_keeper()
            self._keeper = keeper
            if keeper.acquire():
                return any(notice.kind == "queued" for notice in keeper.step(seconds))
        if self._wake is None:
            path = self.folders.path / layout.PRIVATE / layout.INDEX / "wake"
            path.touch(mode=0o600)
            self._wake = Watch(path, mask=CHANGES)
            return True  # what came before the watch was there
        arrived = self._wake.wait(seconds)
        self._wake.drain()
        return arrived

    def _is_unkept(self) -> bool:
        """Nobody holds the keeper's lock, though the index is fresh: its keeper died a moment ago."""
        if not self._role.try_acquire():
            return False
        self._role.release()
        return True

    def poke(self) -> None:
        """Make a `wait` of this process return now; from another thread than the waiting one."""
        if self._keeper is not None:
            self._keeper.wake()
        if self._wake is not None:
            self._wake.poke()

    def stop_keeping(self) -> None:
        """A worker that goes to work leaves the index to others."""
        if self._keeper is not None:
            self._keeper.retire()

    def forget_keeper(self) -> None:
        """Its file events are of a folder that was replaced; the next `wait` makes another."""
        if self._keeper is not None:
            self._keeper.close()
            self._keeper = None

    def _keep_for_a_moment(self) -> None:
        if self._keeper is None:
            self._keeper = self._make_keeper()
        if self._keeper.acquire(watch=False):
            self._keeper.step(0.0)
            self._keeper.release()

    def _try(self, life: FileLife, name: str, diet: Diet | None) -> Claim | None:
        try:
            rename_noreplace(name, name, self.folders.queued, life.fd)
        except FileNotFoundError:
            if os.fstat(life.fd).st_nlink == 0:
                message = f"the folder claimed/{life.worker}/ of this life was removed"
                raise LifeLost(message, fix="the worker starts anew") from None
            return None
        except FileExistsError:
            return None
        return self._look(life, name, diet)

    def _look(self, life: FileLife, name: str, diet: Diet | None) -> Claim | None:
        """Step 2: what was claimed must be a whole task, of this diet, with nothing left to wait for."""
        look = examine(life.fd, name)
        if look.kind is Kind.TASK and look.task is not None:
            if diet is not None and self._must_wait(look.task, diet):
                self._put_back(life, name)
                return None
            record, attempt = life.record, look.task.attempt + 1
            return Claim(
                name, look.task, look.text, attempt, record.worker, record.generation,
                look.inode, look.ctime_ns, not life.is_own,
            )  # fmt: skip
        if look.kind is Kind.UNFINISHED:
            self._put_back(life, name)
        elif look.kind is Kind.REFUSED:
            refuse(self.folders, self._hand(), life.fd, name, look.reason)
        elif look.kind is Kind.UNREADABLE:
            reject(self.folders, self._hand(), life.fd, name, name, look.reason)
        return None

    def _must_wait(self, task: Task, diet: Diet) -> bool:
        """What the index should have held back: it is only a hint."""
        if not diet.eats(task.kind, task.labels, task.to):
            return True
        if task.not_before is not None and waits_until(task, wall()) is not None:
            return True
        if task.runs and task.by and not task.allowed and not self._accept_all:
            return True
        return (
            bool(task.needs) and blocked_by(self.folders, task, read_ids(self.folders)) is not None
        )

    def _put_back(self, life: FileLife, name: str) -> None:
        try:
            publish(name, life.fd, self.folders.queued, name, sync=False)
        except FileNotFoundError:
            return

    def _claim_from_snapshot(self, life: FileLife, diet: Diet) -> Claim | None:
        """The index is stale, or its lock is held by someone who does not move: look, once a second."""
        if not self._snapshot and monotonic() - self._snapshot_at >= SNAPSHOT_S:
            self._snapshot = self._ordered(diet)
            self._snapshot_at = monotonic()
        while self._snapshot:
            claim = self._try(life, self._snapshot.pop(), diet)
            if claim is not None:
                return claim
        return None

    def _ordered(self, diet: Diet) -> list[str]:
        found = []
        names = [name for name in os.listdir(self.folders.queued) if not is_ignored(name)]
        random.shuffle(names)  # so that no task is always among those left out
        for name in names[:SNAPSHOT_MOST]:
            look = examine(self.folders.queued, name)
            if look.task is not None and not self._must_wait(look.task, diet):
                found.append((look.task.priority, look.ctime_ns, name))
        return [name for _, _, name in sorted(found, reverse=True)]

    def close(self) -> None:
        if self._wake is not None:
            self._wake.close()
        if self._keeper is not None:
            self._keeper.close()
        self._role.close()
        self.tickets.close()
