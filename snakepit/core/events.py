"""Owns the events: their types with documented fields, and the one record form; it writes none.

docs/events.md is made from EVENTS by scripts/docs_events.py. Event JSON is public: a type or field may be
added, never renamed or given another meaning without a line in the changelog.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from snakepit.core.agent_events import AGENT_EVENTS
from snakepit.core.eventtype import EventType as EventType
from snakepit.core.pane_events import PANE_EVENTS


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """`seq` is None while a line waits for its number."""

    seq: int | None
    id: str
    ts: str
    type: str
    task: str | None = None
    worker: str | None = None
    attempt: int | None = None
    data: Mapping[str, object] = field(default_factory=dict)

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> "Event":
        """Lenient: what an older or newer version wrote still reads."""
        seq, attempt = raw.get("seq"), raw.get("attempt")
        task, worker = raw.get("task"), raw.get("worker")
        return cls(
            seq=seq if isinstance(seq, int) else None,
            id=str(raw.get("id", "")),
            ts=str(raw.get("ts", "")),
            type=str(raw.get("type", "")),
            task=None if task is None else str(task),
            worker=None if worker is None else str(worker),
            attempt=attempt if isinstance(attempt, int) else None,
            data={key: value for key, value in raw.items() if key not in COMMON},
        )

    def to_json(self) -> dict[str, object]:
        head: dict[str, object] = {"seq": self.seq, "id": self.id, "ts": self.ts, "type": self.type}
        about = {"task": self.task, "worker": self.worker, "attempt": self.attempt}
        head |= {key: value for key, value in about.items() if value is not None}
        return head | dict(self.data)


COMMON: Mapping[str, str] = {
    "seq": "number of the event: 1, 2, 3 … without gaps, given under one lock",
    "id": "unique id of the event; the same event never has two",
    "ts": "when it was written: RFC 3339, UTC, milliseconds",
    "type": "one of the types below",
    "task": "name of the task's file, where the event concerns one",
    "worker": "name of the agent, where the event concerns one",
    "attempt": "which run of the task, 1 for the first",
}

_OBSERVED = {
    "observed": "true: found by a scan or by recovery, not told by who did it",
    "reason": "why, in one sentence",
}
_REASON = {"reason": "why, in one sentence"}
_USAGE = {
    "usage": "what the run of a model used: input, output, cache_read, cache_write (tokens), model, and "
    "cost_usd, null where it is unknown"
}
_GENERATION = {"generation": "the life of the worker that held the claim"}
_NAMES = {"name": "of the pool or agent; `*` is all"}

EVENTS: Mapping[str, EventType] = {
    "task.queued": EventType(
        doc="A task was admitted to food/: this is how it was read.",
        fields={
            "kind": "the species that takes it",
            "priority": "0 first … 9 last",
            "title": "its title",
            "labels": "its labels",
            "waits_for": "names of tasks it needs that are not done",
            "not_before": "the instant before which it waits",
            "by": "who fed it",
            "parent": "the task it is a part of",
            **_OBSERVED,
        },
    ),
    "task.claimed": EventType(
        doc="A worker took it: it is in claimed/<worker>/.", fields={**_GENERATION, **_OBSERVED}
    ),
    "task.completed": EventType(
        doc="Its result was accepted: it is in done/.",
        fields={
            "seconds": "how long the run took",
            "path": "where it lies",
            **_USAGE,
            **_GENERATION,
            **_OBSERVED,
        },
    ),
    "task.failed": EventType(
        doc="A run failed; it is back in food/ or, after the last attempt, dead.",
        fields={
            "seconds": "how long the run took",
            "counted": "whether the run counts as an attempt",
            "not_before": "the instant before which it waits",
            **_USAGE,
            **_REASON,
            **_GENERATION,
        },
    ),
    "task.released": EventType(
        doc="Its worker gave it back uncounted.",
        fields={"path": "where it lies", **_USAGE, **_GENERATION, **_OBSERVED},
    ),
    "task.used": EventType(
        doc="What a run used that settled its task itself, by a verb.",
        fields={**_USAGE, **_GENERATION},
    ),
    "task.split": EventType(doc="It became smaller tasks.", fields={"parts": "their names"}),
    "task.dead": EventType(
        doc="It was put into scraps/.", fields={"path": "where it lies", **_GENERATION, **_OBSERVED}
    ),
    "task.refused": EventType(
        doc="A file in food/ is no task, or one that cannot be read.",
        fields={"line": "of the file, where one can be named", "fix": "what mends it", **_REASON},
    ),
    "task.held": EventType(doc="It waits, and this is for what.", fields=_REASON),
    "task.allowed": EventType(doc="A person allowed its code to run.", fields={"by": "who"}),
    "task.retried": EventType(doc="A person put it back into food/, attempts at 0."),
    "task.cancelled": EventType(
        doc="It was put into scraps/, by a person or from inside a snake.",
        fields={**_REASON, "by": "who"},
    ),
    "task.late": EventType(
        doc="A result came after the claim was gone; it was kept in scraps/.",
        fields={"path": "where it lies", **_USAGE, **_GENERATION},
    ),
    "task.recovered": EventType(
        doc="It was taken back from a dead life.",
        fields={
            "state": "where it went: queued, done or dead",
            "counted": "whether the run counts as an attempt",
            **_REASON,
            **_GENERATION,
        },
    ),
    "task.renamed": EventType(
        doc="Its name was taken, so it got a number.", fields={"was": "the name it came with"}
    ),
    "worker.started": EventType(
        doc="A life began.",
        fields={"generation": "of the life", "pid": "of its process", "species": "what it takes"},
    ),
    "worker.stopped": EventType(
        doc="A life ended in order.", fields={"generation": "of the life", **_REASON}
    ),
    "worker.died": EventType(
        doc="A life that had not stopped in order was found dead.",
        fields={"generation": "of the life", "killed": "how many processes were left", **_REASON},
    ),
    "worker.silent": EventType(
        doc="A live worker shows no sign of life.",
        fields={"seconds": "since the last sign", "generation": "of the life"},
    ),
    "worker.restarted": EventType(
        doc="Its session was started again.", fields={"n": "restarts not yet forgiven", **_REASON}
    ),
    "worker.degraded": EventType(
        doc="Restarting does not help; a person must look.",
        fields={"restarts": "how many within the window", **_REASON},
    ),
    "worker.beat": EventType(
        doc="An agent says how far it is.", fields={"message": "what it said", **_GENERATION}
    ),
    "account.limited": EventType(
        doc="A vendor refused an account: its snakes rest, and what they held went back uncounted.",
        fields={
            "account": "the backend's name for it and a digest that tells accounts apart",
            "scope": "the models concerned; empty is the whole account",
            "kind": "limited, overloaded, auth or billing",
            "until": "when one of its snakes tries again",
            "source": "structured, text or, where nothing said until when, fallback",
            "detail": "what the program said",
            "refused": "how often in a row",
            "by": "the worker that was refused",
        },
    ),
    "account.rested": EventType(
        doc="An account's rest is over.",
        fields={
            "account": "as in account.limited",
            "scope": "the models concerned; empty is the whole account",
            "by": "the worker that was answered, or who lifted it",
            **_REASON,
        },
    ),
    "session.started": EventType(
        doc="A tmux session was started.", fields={"session": "its name", "pid": "of its process"}
    ),
    "session.ended": EventType(
        doc="A tmux session or the process in it ended.",
        fields={"session": "its name", "status": "exit status", **_REASON},
    ),
    "pool.up": EventType(doc="`up` finished.", fields={"agents": "names of those started"}),
    "pool.down": EventType(
        doc="`down` finished.",
        fields={"sessions": "how many it ended", "returned": "how many tasks went back to food/"},
    ),
    "pool.paused": EventType(doc="No new claims.", fields=_NAMES),
    "pool.resumed": EventType(doc="Claims again.", fields=_NAMES),
    "pool.scaled": EventType(
        doc="A pool changed its size.", fields={**_NAMES, "was": "before", "count": "now"}
    ),
    "config.reloaded": EventType(
        doc="agents.toml was read again.", fields={"changed": "keys that count from now on"}
    ),
    "config.refused": EventType(
        doc="agents.toml is wrong; the old one stays.", fields={"problems": "all of them"}
    ),
    "config.pending": EventType(
        doc="Changes to commands wait for `reload`.", fields={"changed": "the keys"}
    ),
    "daemon.started": EventType(doc="The daemon began.", fields={"pid": "of its process"}),
    "daemon.stopped": EventType(doc="The daemon ended in order.", fields=_REASON),
    "service.restarted": EventType(
        doc="A service exited and was started again.",
        fields={"service": "its name", "status": "exit status", **_REASON},
    ),
    "wake.sent": EventType(doc="A wake prompt was delivered.", fields={"prompt": "its name"}),
    "store.low_disk": EventType(
        doc="Too little space: no new claims.", fields={"free_bytes": "what is free"}
    ),
    "store.cleaned": EventType(
        doc="Old waste/ was removed.",
        fields={"removed": "how many attempts", "freed_bytes": "how much"},
    ),
    "store.repaired": EventType(
        doc="A scan or `fsck --fix` mended something.", fields={"what": "what it did"}
    ),
    "log.error": EventType(
        doc="Something went wrong inside snakepit.",
        fields={"message": "what", "where": "the module", **_REASON},
    ),
    **PANE_EVENTS,
    **AGENT_EVENTS,
}
