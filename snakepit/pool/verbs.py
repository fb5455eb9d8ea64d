"""Owns what an agent does with its own tasks, the same by command line and by MCP; it prints nothing.

Each acts for one life and no other: a claim that has gone back to the queue meanwhile, or that was settled
already, is ClaimLost and changes nothing.
"""

import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.core.names import problem_with, task_name
from snakepit.errors import NothingToClaim, UsageProblem
from snakepit.pool import claim as claiming
from snakepit.pool import settle
from snakepit.pool.acting import Acting, held_claim
from snakepit.pool.context import Pit
from snakepit.pool.feed import Fed, feed_one, fresh_name, prepare
from snakepit.pool.gate import Gate
from snakepit.pool.ownend import DONE, note_end
from snakepit.pool.resting import why_rests
from snakepit.store.base import Claim, Entry, Part, Settled
from snakepit.store.layout import FOLDER
from snakepit.store.reader import read_task

KEEPER_LOOK_S = 1.0  # an event wakes at once; this only finds that nobody keeps the index any more
BEAT_CHARS = 2000


class Held(NamedTuple):
    """`again`: it was claimed before. `joins`: its parts are done and wait to be put together."""

    claim: Claim
    path: Path
    again: bool
    joins: bool

    def to_json(self) -> dict[str, object]:
        return {
            "name": self.claim.name,
            "path": str(self.path),
            "attempt": self.claim.attempt,
            "kind": self.claim.task.kind,
            "title": self.claim.task.title,
            "join": self.joins,
            "text": self.claim.text.decode("utf-8", "replace"),
            "again": self.again,
        }


def claim(acting: Acting, name: str = "", *, more: bool = False) -> Held:
    """What is held comes again until it is settled, unless `more`; NothingToClaim where nothing waits."""
    pit, life = acting.pit, acting.life
    wanted = task_name(name) if name else ""
    held = [] if more else pit.store.claims_of(life)
    again = [c for c in held if not wanted or c.name == wanted]
    if again:
        return _held(acting, again[0], again=True)
    _check_gate(acting)
    if wanted:
        _check_diet(acting, wanted)
        return _held(acting, claiming.claim_named(pit, life, wanted))
    found = claiming.claim_next(pit, life, acting.diet)
    if found is None:
        msg = f"nothing waits for {life.worker}"
        raise NothingToClaim(msg, fix="agents.py wait")
    return _held(acting, found)


def _held(acting: Acting, found: Claim, *, again: bool = False) -> Held:
    path = acting.pit.config.pit_dir / "claimed" / found.worker / found.name
    return Held(found, path, again, claiming.is_join(found))


def done(acting: Acting, text: str, *, keep: str = "") -> Settled:
    """`keep`: a folder whose files are copied to done/<name>/."""
    from snakepit.pool.workspace import commit_of

    held = held_claim(acting)
    kept, said = _kept(acting, held, keep)
    work = commit_of(acting.pit.config, held)
    text = f"{text.rstrip()}\n\n{work}" if work else text
    settled = settle.complete(acting.pit, acting.life, held, text + said, keep=kept)
    note_end(held, DONE)
    return settled


def fail(acting: Acting, reason: str, *, dead: bool = False) -> Settled:
    held = held_claim(acting)
    settled = settle.fail(acting.pit, acting.life, held, reason, dead=dead)
    note_end(held, "fail")
    return settled


def release(acting: Acting, reason: str) -> Settled:
    held = held_claim(acting)
    settled = settle.release(acting.pit, acting.life, held, reason)
    note_end(held, "release")
    return settled


def split(acting: Acting, parts: Iterable[tuple[str, bytes]]) -> tuple[str, tuple[str, ...]]:
    """All parts in one commit, or none: the task's name and theirs."""
    held = held_claim(acting)
    made = []
    for name, text in parts:
        whole, _ = prepare(name, text, {}, by=acting.life.worker)
        made.append(Part(name=name, text=whole))
    names = settle.split(acting.pit, acting.life, held, made)
    note_end(held, "split")
    return held.name, names


def wait(acting: Acting, seconds: float, *, over: Callable[[], bool] = lambda: False) -> None:
    """Until there may be something to claim; NothingToClaim when the time is over, or nobody listens any more."""
    deadline = clock.monotonic() + seconds
    diet, store, config = acting.diet, acting.pit.store, acting.pit.config
    worker = acting.life.worker
    gate = Gate(config, worker)
    while True:
        waiting = store.waiting_by_class()
        is_open = not (store.paused or gate.closed() or why_rests(config, worker))
        if is_open and any(n and diet.takes(key) for key, n in waiting.items()):
            return
        left = deadline - clock.monotonic()
        if left <= 0 or over():
            msg = f"nothing came for {worker} in {seconds:g} s"
            raise NothingToClaim(msg, fix="agents.py wait, again")
        store.wait(acting.life, min(left, KEEPER_LOOK_S))


def beat(acting: Acting, text: str) -> str | None:
    """Progress, as an event; it proves nothing about who holds what. The task's name, where one is meant."""
    held = acting.pit.store.claims_of(acting.life)
    task = acting.task or (held[0].name if len(held) == 1 else None)
    acting.pit.journal.append(
        "worker.beat",
        task=task_name(task) if task else None,
        worker=acting.life.worker,
        generation=acting.life.generation,
        message=text[:BEAT_CHARS],
    )
    return task


def feed(acting: Acting, text: str, name: str = "", keys: Mapping[str, object] = {}) -> Fed:
    """A new task; a name of its own choice gets a suffix that makes it unique."""
    full = fresh_name(name or f"from-{acting.life.worker}")
    problem = problem_with(full)
    if problem:
        msg = f"{full}: {problem}"
        raise UsageProblem(msg, fix="another name")
    given = {key: value for key, value in keys.items() if value not in (None, "", [], ())}
    return feed_one(acting.pit, full, text.encode(), by=acting.life.worker, **given)


def listed(pit: Pit, folder: str = "") -> Iterator[tuple[str, Entry]]:
    """Tasks with their folder, in the order they came there; of all folders where none is named."""
    for state, name in FOLDER.items():
        if folder in ("", name):
            for entry in sorted(pit.store.entries(state), key=lambda e: (e.ctime_ns, e.name)):
                yield name, entry


def _check_gate(acting: Acting) -> None:
    config, worker = acting.pit.config, acting.life.worker
    closed = Gate(config, worker).closed() or why_rests(config, worker)
    if acting.pit.store.paused:
        closed = "the pool is ending; nothing is claimed"
    if closed:
        msg = f"{worker} may not claim now: {closed}"
        raise NothingToClaim(msg, fix="finish what you hold; agents.py status tells more")


def _check_diet(acting: Acting, name: str) -> None:
    """A claim by name obeys the diet too: code to run is nothing for an agent that thinks."""
    store = acting.pit.store
    waiting = [e for e in store.locate(name) if e.state is State.QUEUED]
    for entry in waiting:
        task = read_task(name, store.read(entry))
        reason = store.held().get(name)
        if reason:
            msg = f"{name} waits: {reason}"
            raise NothingToClaim(msg, fix="agents.py claim takes the next one")
        if not acting.diet.eats(task.kind, task.labels, task.to):
            msg = f"{name} is for a {task.kind} snake, not for {acting.life.worker}"
            raise UsageProblem(msg, fix="agents.py claim takes the next one")


def _kept(acting: Acting, held: Claim, folder: str) -> tuple[Path | None, str]:
    """A copy inside the pit, which can be moved to done/ by one rename; and a word about what it lacks."""
    if not folder or not os.path.isdir(folder) or not os.listdir(folder):
        return None, ""
    from snakepit.agents.artefacts import copy_plain, tell_left_out

    kept = acting.pit.store.waste_dir(held.name, held.attempt) / "keep"
    left = copy_plain(folder, kept)
    return kept, f"\n\n{tell_left_out(left)}\n" if left else ""
