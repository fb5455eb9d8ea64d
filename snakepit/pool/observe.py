"""Owns seeing what nobody told: raw moves and what a crash left unsaid become `observed` events.

The folders are the truth, the journal is the report. A difference is told when two looks in a row
saw it, since whoever moves a file tells it after the move. Moves that go on in a hand are not seen.
"""

import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from snakepit.core.events import Event
from snakepit.core.lifecycle import State
from snakepit.core.names import is_ignored
from snakepit.pool.feed import how_it_reads
from snakepit.store.admission import is_note
from snakepit.store.layout import FOLDER

if TYPE_CHECKING:
    from snakepit.core.task import Task
    from snakepit.pool.context import Pit

UNTOLD_S = 0.7  # a verb that feeds tells by then what it has fed

_AFTER: Mapping[str, State] = {
    "task.queued": State.QUEUED,
    "task.held": State.QUEUED,
    "task.released": State.QUEUED,
    "task.failed": State.QUEUED,
    "task.split": State.QUEUED,
    "task.allowed": State.QUEUED,
    "task.retried": State.QUEUED,
    "task.claimed": State.CLAIMED,
    "task.completed": State.DONE,
    "task.dead": State.DEAD,
    "task.cancelled": State.DEAD,
    "task.refused": State.DEAD,
}
_ARRIVALS = ("task.queued", "task.held")
_OBSERVED: Mapping[State, str] = {
    State.QUEUED: "task.released",
    State.CLAIMED: "task.claimed",
    State.DONE: "task.completed",
    State.DEAD: "task.dead",
}


class Place(NamedTuple):
    """Equal where state and worker are: `generation` is the life that holds or ended it, where it is known."""

    state: State
    worker: str | None = None
    generation: str | None = None

    def is_at(self, other: "Place") -> bool:
        return (self.state, self.worker) == (other.state, other.worker)


@dataclass
class Told:
    """Where each task is by what the journal says. Without its beginning, old ends are believed.

    `waits` looks whether a file of that name is in food/ now.
    """

    waits: Callable[[str], bool] = lambda _: True
    places: dict[str, Place] = field(default_factory=dict)
    arrived: set[str] = field(default_factory=set)
    owed: set[str] = field(default_factory=set)  # ended before its arrival was told

    def fold(self, event: Event) -> None:
        name = event.task
        if name is None:
            return
        if event.type == "task.late":
            self.places[os.path.basename(str(event.data.get("path", "")))] = Place(State.DEAD)
            return
        state = _state_after(event)
        if state is None:
            return
        if event.type == "task.queued":
            if name in self.owed:
                self.owed.discard(name)
                return
            self.arrived.add(name)
        if self._is_outdated(event, name):
            return
        if state in (State.DONE, State.DEAD):
            if name not in self.arrived and self._was_seen_waiting(name):
                self.owed.add(name)
            self.arrived.discard(name)
        generation = str(event.data.get("generation") or "") or None
        worker = event.worker if state is State.CLAIMED else None
        self.places[name] = Place(state, worker, generation)

    def _was_seen_waiting(self, name: str) -> bool:
        """Claimed before it was told as queued: the feeder's report is still to come."""
        place = self.places.get(name)
        return place is not None and place.state is State.CLAIMED

    def _is_outdated(self, event: Event, name: str) -> bool:
        """Told late: a report follows its move, and another life has claimed or even ended the task in between."""
        place = self.places.get(name)
        if place is None or place.state is State.QUEUED or event.type == "task.claimed":
            return False
        if event.type in _ARRIVALS:
            return place.state is State.CLAIMED or (
                event.type == "task.held" and not self.waits(name)
            )
        generation = event.data.get("generation")
        return bool(place.generation and generation and generation != place.generation)


def _state_after(event: Event) -> State | None:
    if event.type != "task.recovered":
        return _AFTER.get(event.type)
    try:
        return State(str(event.data.get("state")))
    except ValueError:
        return None


class Observer:
    """Fed with every event, asked now and then to compare; used by one thread."""

    def __init__(self, pit: "Pit", *, believe_old: bool = False) -> None:
        """`believe_old`: the journal was not read from its beginning."""
        self._pit = pit
        self._told = Told(waits=self._waits)
        self._suspects: dict[str, Place] = {}
        self._arrivals: dict[str, tuple[float, Task | None]] = {}
        self._listed: dict[State, tuple[int, frozenset[str]]] = {}
        self._believe_old = believe_old

    @property
    def is_suspicious(self) -> bool:
        """The last look saw a difference that the next one may tell."""
        return bool(self._suspects)

    def fold(self, event: Event) -> None:
        if event.type == "task.queued" and event.task is not None:
            self._arrivals.pop(event.task, None)
        self._told.fold(event)

    def arrived(self, name: str, task: "Task | None", now: float) -> None:
        """Admission saw a new task; unless who fed it tells, it is told here."""
        if name not in self._told.arrived:
            self._arrivals.setdefault(name, (now, task))

    def tell_arrivals(self, now: float) -> int:
        """Tell the arrivals that nobody has told in time; `now` on the same clock as `arrived`."""
        count = 0
        for name, (at, task) in list(self._arrivals.items()):
            if name in self._told.arrived:
                del self._arrivals[name]
            elif now - at >= UNTOLD_S:
                del self._arrivals[name]
                place = self._told.places.get(name)
                if place is None or (place.state is not State.QUEUED and self._waits(name)):
                    fields = how_it_reads(task) if task is not None else {}
                    self._pit.journal.append(
                        "task.queued", task=name, worker=None, attempt=None, **fields
                    )
                    count += 1
        return count

    def _waits(self, name: str) -> bool:
        """A name used again waits; a task that ended meanwhile was told by its feeder before."""
        return os.path.lexists(self._pit.config.pit_dir / FOLDER[State.QUEUED] / name)

    def compare(self) -> int:
        """One look; how many differences it told. All events written so far must have been folded."""
        suspects: dict[str, Place] = {}
        told = 0
        for name, place in self._places():
            known = self._told.places.get(name)
            if (known and known.is_at(place)) or not self._is_news(known, place):
                continue
            if self._suspects.get(name) == place:
                self._tell(name, known, place)
                told += 1
            else:
                suspects[name] = place
        self._suspects = suspects
        self._believe_old = False
        return told

    def _is_news(self, known: Place | None, place: Place) -> bool:
        if place.state is State.QUEUED:
            return known is not None and known.state is State.CLAIMED
        return True

    def _tell(self, name: str, known: Place | None, place: Place) -> None:
        worker = place.worker or (known.worker if known else None)
        is_back = place.state in (State.QUEUED, State.DEAD)
        self._pit.journal.append(
            _OBSERVED[place.state],
            task=name,
            worker=worker,
            observed=True,
            reason="moved by hand" if is_back else None,
        )
        self._told.places[name] = place

    def _places(self) -> Iterator[tuple[str, Place]]:
        moving = set()
        claims = {}
        for entry in self._pit.store.entries(State.CLAIMED):
            if entry.in_hand:
                moving.add(entry.name)
            else:
                claims[entry.name] = Place(State.CLAIMED, entry.worker)
        for name, place in claims.items():
            if name not in moving:
                yield name, place
        for state in (State.QUEUED, State.DONE, State.DEAD):
            place = Place(state)
            for name in self._names(state):
                if name in moving or name in claims:
                    continue
                if self._believe_old and state is not State.QUEUED:
                    self._told.places.setdefault(name, place)
                yield name, place

    def _names(self, state: State) -> frozenset[str]:
        """Listed again only when the folder has changed."""
        folder = self._pit.config.pit_dir / FOLDER[state]
        changed = os.stat(folder).st_mtime_ns
        known = self._listed.get(state)
        if known is not None and known[0] == changed:
            return known[1]
        names = frozenset(
            name
            for name in os.listdir(folder)
            if name.endswith(".md") and not is_note(name) and not is_ignored(name)
        )
        self._listed[state] = changed, names
        return names
