"""Owns the directory names: the only bridge between states and what a person sees on disk."""

from snakepit.core.lifecycle import State

LAYOUT_VERSION = 1

FOLDER = {
    State.QUEUED: "food",
    State.CLAIMED: "claimed",
    State.DONE: "done",
    State.DEAD: "scraps",
}
STATE = {folder: state for state, folder in FOLDER.items()}

WASTE = "waste"
PRIVATE = ".pit"
HANDS = "hand"
REFUSED = "refused"
INDEX = "index"

RECORD = ".worker.json"
NEWBORN_RECORD = ".w"
HAND = ".hand"
SETTLED = ".settled"
TAKEN = ".taken"

BEING_WRITTEN = ".t"
SPLIT_BEING_WRITTEN = ".split.tmp"
SPLIT = ".split"
PARENT_PREFIX = ".parent."
OUT_PREFIX = ".out."

RECOVER_LOCK = "recover.lock"
FLEET_LOCK = "fleet.lock"
PAUSED = "paused"
VERSION = "VERSION"


def out_name(state: State, name: str) -> str:
    """Finished text for `state`, in a hand: from here recovery only publishes it."""
    return f"{OUT_PREFIX}{FOLDER[state]}.{name}"


def parse_out(entry: str) -> tuple[State, str] | None:
    if not entry.startswith(OUT_PREFIX):
        return None
    folder, _, name = entry[len(OUT_PREFIX) :].partition(".")
    return (STATE[folder], name) if folder in STATE and name else None


def taken_name(times: int, name: str) -> str:
    """A task that recovery has taken `times` times."""
    return f".{times}.{name}"


def parse_taken(entry: str) -> tuple[int, str] | None:
    """How often recovery took it and the task's name; (0, name) for one its owner took."""
    if not entry.startswith("."):
        return 0, entry
    times, _, name = entry[1:].partition(".")
    return (int(times), name) if times.isascii() and times.isdigit() and name else None
