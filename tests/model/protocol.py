"""Owns the protocol as a model: actors are generators that yield before each call on the disk.

A schedule picks who runs next and who is killed. Each mutation leaves out one rule; the model must catch it.
"""

import random
from collections.abc import Callable, Generator
from dataclasses import dataclass
from enum import Enum

from tests.model.disk import Disk, Folder, Gone, NotEmpty, Steps, Taken, Text, listing, publish

TASK = "x"
MOST_STEPS = 4000
MOST_ROUNDS = 60
KILL_CHANCE = 0.07


class Mutation(Enum):
    NONE = "none"
    PUBLISH_BEFORE_UNLINK = "publish before unlink"
    NO_RECOVERY_LOCK = "no recovery lock"
    COPY_BACK_BY_PATH = "write the result over the claimed path"


def parse(entry: str) -> tuple[str, str]:
    """(kind, task) of an entry in a hand: kind is "", a number of takes, or `out:<folder>`."""
    if entry.startswith(".out."):
        _, _, folder, name = entry.split(".")
        return f"out:{folder}", name
    if entry.startswith("."):
        _, times, name = entry.split(".")
        return times, name
    return "", entry


@dataclass
class Protocol:
    disk: Disk
    mutation: Mutation = Mutation.NONE

    def new_hand(self, generation: str) -> Folder:
        self.disk.alive.setdefault(generation, True)
        hand = Folder({".worker": generation})
        self.disk.hands.entries[generation] = hand
        return hand

    def finish(self, hand: Folder, entry: str, folder: str, bump: int) -> Steps:
        """The task lies in a live hand under `entry`."""
        disk, name = self.disk, parse(entry)[1]
        if folder == "done":
            yield
            yield from publish(disk, hand, entry, disk.done, name)
            return
        text = hand.entries[entry]
        out = f".out.{folder}.{name}"
        yield
        hand.entries[out] = Text(text.name, text.attempt + bump)
        if self.mutation is Mutation.PUBLISH_BEFORE_UNLINK:
            yield from publish(disk, hand, out, disk.folder(folder), name)
            yield
            disk.unlink(hand, entry)
            return
        yield
        disk.unlink(hand, entry)
        yield from publish(disk, hand, out, disk.folder(folder), name)

    def settle(self, work: Folder, hand: Folder, name: str, folder: str) -> Steps:
        yield
        if self.mutation is Mutation.COPY_BACK_BY_PATH:
            text = work.entries.get(name, Text(name, 0))
            yield
            work.entries[name] = text  # a result written over the path brings a lost claim back
            yield from publish(self.disk, work, name, self.disk.folder(folder), name)
            return
        try:
            self.disk.rename(work, name, hand, name)
        except Gone:
            return
        yield from self.finish(hand, name, folder, 0 if folder == "done" else 1)

    def worker(self, worker: str, generation: str, folder: str) -> Steps:
        """One life: take the name, claim, settle."""
        disk = self.disk
        disk.alive[generation] = True
        work = Folder({".worker": generation, ".hand": Folder()})
        while True:
            yield
            if worker not in disk.claimed.entries:
                disk.claimed.entries[worker] = work
                break
            holder = disk.claimed.entries[worker].entries.get(".worker")
            if holder and disk.alive.get(holder):
                return
            disk.born += 1
            me = f"{generation}r{disk.born}"
            disk.recoverers.setdefault(generation, []).append(me)
            yield from self.recover(me)
            disk.alive[me] = False
        yield
        try:
            disk.rename(disk.food, TASK, work, TASK)
        except Gone:
            return
        disk.claims += 1
        yield from self.settle(work, work.entries[".hand"], TASK, folder)

    def verb(self, worker: str, generation: str, folder: str, me: str) -> Steps:
        """Another process that acts for a life, from a hand of its own."""
        hand = self.new_hand(me)
        yield
        work = self.disk.claimed.entries.get(worker)
        if work is None:
            return
        yield
        if work.entries.get(".worker") == generation:
            yield from self.settle(work, hand, TASK, folder)

    def by_hand(self, worker: str, folder: str) -> Steps:
        """mv -n claimed/<worker>/x to a folder, by path."""
        yield
        work = self.disk.claimed.entries.get(worker)
        if work is not None:
            try:
                self.disk.rename(work, TASK, self.disk.folder(folder), TASK)
            except (Gone, Taken):
                return

    def recover(self, me: str) -> Steps:
        disk = self.disk
        if self.mutation is not Mutation.NO_RECOVERY_LOCK:
            while True:
                yield
                if disk.recover_lock in (None, "dead"):
                    disk.recover_lock = me
                    break
        mine = self.new_hand(me)
        yield
        yield from self.reap()
        for name in list(disk.hands.entries):
            dead = disk.hands.entries.get(name)
            if dead is not None and not disk.alive.get(name.partition(".")[0]):
                yield from self.empty(dead, mine)
                yield from self.remove(name, dead)
        yield
        if set(mine.entries) == {".worker"}:
            disk.hands.entries.pop(me, None)
        if disk.recover_lock == me:
            disk.recover_lock = None

    def reap(self) -> Steps:
        disk = self.disk
        for worker in list(disk.claimed.entries):
            work = disk.claimed.entries.get(worker)
            if work is None:
                continue
            yield
            life = work.entries.get(".worker")
            if life is None or disk.alive.get(life):
                continue
            yield
            now = disk.claimed.entries.get(worker)
            disk.stolen += now is not None and bool(disk.alive.get(now.entries.get(".worker")))
            try:
                disk.rename(disk.claimed, worker, disk.hands, f"{life}.w")
            except (Gone, Taken):
                continue
        yield

    def empty(self, dead: Folder, mine: Folder) -> Steps:
        for _ in range(MOST_ROUNDS):
            found = False
            for folder in (dead, dead.entries.get(".hand")):
                if folder is not None:
                    found |= yield from self.empty_folder(folder, mine)
            if not found:
                return
        raise AssertionError("recovery goes round and round")

    def empty_folder(self, folder: Folder, mine: Folder) -> Generator[None, None, bool]:
        names = yield from listing(folder)
        entries = [n for n in names if n not in (".worker", ".hand")]
        finished = {parse(entry)[1] for entry in entries if entry.startswith(".out.")}
        for entry in sorted(entries, key=lambda one: not one.startswith(".out.")):
            kind, name = parse(entry)
            if kind.startswith("out:"):
                yield from self.publish_out(folder, entries, entry, kind[4:], name)
            elif name not in finished:
                taken = f".{int(kind or 0) + 1}.{name}"
                yield
                try:
                    self.disk.rename(folder, entry, mine, taken)
                except Gone:
                    continue
                yield from self.finish(mine, taken, "food", 1)
        return bool(entries)

    def publish_out(
        self, folder: Folder, entries: list[str], entry: str, target: str, name: str
    ) -> Steps:
        for old in entries:
            if old != entry and parse(old)[1] == name:
                yield
                try:
                    self.disk.unlink(folder, old)
                except Gone:
                    continue
        yield from publish(self.disk, folder, entry, self.disk.folder(target), name)

    def remove(self, name: str, dead: Folder) -> Steps:
        yield
        try:
            if ".hand" in dead.entries:
                self.disk.rmdir(dead, ".hand")
            yield
            if set(dead.entries) == {".worker"}:
                self.disk.unlink(dead, ".worker")
                self.disk.rmdir(self.disk.hands, name)
        except (Gone, NotEmpty):
            return


Cast = Callable[[Protocol], dict[str, Steps]]


def verbs(protocol: Protocol) -> dict[str, Steps]:
    """Two lives of one name, two verbs of the first one, two recoverers."""
    return {
        "g1": protocol.worker("s1", "g1", "done"),
        "g2": protocol.worker("s1", "g2", "food"),
        "v1": protocol.verb("s1", "g1", "done", "v1"),
        "v2": protocol.verb("s1", "g1", "food", "v2"),
        "RA": protocol.recover("RA"),
        "RB": protocol.recover("RB"),
    }


def hands(protocol: Protocol) -> dict[str, Steps]:
    """Two workers, moves by hand, a verb, two recoverers."""
    return {
        "g1": protocol.worker("s1", "g1", "food"),
        "h1": protocol.worker("s2", "h1", "done"),
        "mv1": protocol.by_hand("s1", "done"),
        "mv2": protocol.by_hand("s2", "food"),
        "v2": protocol.verb("s1", "g1", "scraps", "v2"),
        "RA": protocol.recover("RA"),
        "RB": protocol.recover("RB"),
    }


def lives(protocol: Protocol) -> dict[str, Steps]:
    """Three lives of one name, three recoverers."""
    return {
        "g1": protocol.worker("s1", "g1", "done"),
        "g2": protocol.worker("s1", "g2", "done"),
        "g3": protocol.worker("s1", "g3", "food"),
        "RA": protocol.recover("RA"),
        "RB": protocol.recover("RB"),
        "RC": protocol.recover("RC"),
    }


CASTS: dict[str, Cast] = {"verbs": verbs, "hands": hands, "lives": lives}


@dataclass(frozen=True)
class Outcome:
    """How one schedule ended once two undisturbed recoveries had run."""

    places: tuple[str, ...]
    overcounted: bool
    stolen: int
    trace: tuple[str, ...]

    @property
    def is_in_one_place(self) -> bool:
        return len(self.places) == 1 and self.places[0] in ("food", "done", "scraps")

    @property
    def is_good(self) -> bool:
        return self.is_in_one_place and not self.overcounted and not self.stolen


def play(seed: int, cast: Cast, mutation: Mutation = Mutation.NONE) -> Outcome:
    """One random schedule with up to five kills; the same seed gives the same schedule."""
    rng = random.Random(seed)
    kills = rng.randint(0, 5)
    disk = Disk()
    disk.food.entries[TASK] = Text(TASK, 0)
    live = cast(Protocol(disk, mutation))
    trace: list[str] = []
    while live:
        assert len(trace) < MOST_STEPS, "no end"
        actor = rng.choice(sorted(live))
        if kills and rng.random() < KILL_CHANCE:
            kills -= 1
            del live[actor]
            kill(disk, actor)
            trace.append(f"KILL {actor}")
            continue
        try:
            next(live[actor])
            trace.append(actor)
        except StopIteration:
            del live[actor]
            disk.alive[actor] = False
            trace.append(f"{actor} ends")
    clean_up(disk)
    texts = [t for place in ("food", "done", "scraps") for t in disk.folder(place).entries.values()]
    return Outcome(
        places=tuple(disk.places(TASK)),
        overcounted=max((text.attempt for text in texts), default=0) > disk.claims,
        stolen=disk.stolen,
        trace=tuple(trace),
    )


def kill(disk: Disk, actor: str) -> None:
    dead = [actor, *disk.recoverers.get(actor, ())]
    for life in dead:
        disk.alive[life] = False
    if disk.recover_lock in dead:
        disk.recover_lock = "dead"


def clean_up(disk: Disk) -> None:
    for life in disk.alive:
        disk.alive[life] = False
    disk.recover_lock = None
    for me in ("Y", "Z"):
        for _ in Protocol(disk).recover(me):
            pass
        disk.alive[me] = False
