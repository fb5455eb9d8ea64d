"""Owns what a changed agents.toml means for a running pool: what counts at once and what waits."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from snakepit.config.key import Applies
from snakepit.config.keys import BY_TABLE
from snakepit.config.model import Agent, Backend, Config, Service

RENAMED = {
    "settle_s": "settle",
    "timeout_s": "timeout",
    "size": "count",
    "recovery_s": "recovery",
}
DERIVED = frozenset({"driver", "pool", "own", "given", "is_auto"})
INHERITED = frozenset({"backend", "model", "watch"})
PLACE = "after down and up"


class Changes(NamedTuple):
    """Each change in words: "pit.attempts", "agent snake-2: prompt", "agent snake-4: new"."""

    now: tuple[str, ...]
    waiting: tuple[str, ...]


class _Change(NamedTuple):
    text: str
    applies: Applies


Named = Agent | Backend | Service


def compare(old: Config, new: Config) -> Changes:
    """What runs is compared, not how it is written: a key moved to [defaults] is no change."""
    found = [*_single(old, new), *_named(old, new)]
    now = tuple(change.text for change in found if change.applies == "now")
    waiting = tuple(
        f"{change.text} ({PLACE})" if change.applies == "restart" else change.text
        for change in found
        if change.applies != "now"
    )
    return Changes(now, waiting)


def _single(old: Config, new: Config) -> Iterator[_Change]:
    for table, before, after in (
        ("watchdog", old.watchdog, new.watchdog),
        ("defaults", old.defaults, new.defaults),
        ("pit", old.pit, new.pit),
        ("script", old.script, new.script),
        ("anthropic", old.anthropic, new.anthropic),
        ("events", old.events, new.events),
    ):
        for key in _different(table, before, after):
            if table != "defaults" or key not in INHERITED:
                yield _Change(f"{table}.{key}", BY_TABLE[table][key].applies)


def _named(old: Config, new: Config) -> Iterator[_Change]:
    yield from _each("backend", old.backends, new.backends)
    yield from _each("agent", _by_name(old.agents), _by_name(new.agents))
    sizes = {pool.name: pool.size for pool in new.pools}
    for pool in old.pools:
        if sizes.get(pool.name, pool.size) != pool.size:
            yield _Change(f"pool {pool.name}: count", "reload")
    yield from _each("service", _by_name(old.services), _by_name(new.services))


def _by_name(found: tuple[Agent, ...] | tuple[Service, ...]) -> Mapping[str, Named]:
    return {one.name: one for one in found}


def _each(table: str, old: Mapping[str, Named], new: Mapping[str, Named]) -> Iterator[_Change]:
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield _Change(f"{table} {name}: gone", "reload")
        elif name not in old:
            yield _Change(f"{table} {name}: new", "reload")
        else:
            for key in _different(table, old[name], new[name]):
                yield _Change(f"{table} {name}: {key}", BY_TABLE[table][key].applies)
            yield from _tables(name, old[name], new[name])


def _tables(name: str, old: Named, new: Named) -> Iterator[_Change]:
    """What is below a [backend.NAME]."""
    if isinstance(old, Backend) and isinstance(new, Backend):
        for key in sorted({*old.given, *new.given}):
            if old.given.get(key) != new.given.get(key):
                yield _Change(f"backend {name}: {key}", "reload")


def _different(table: str, before: tuple[object, ...], after: tuple[object, ...]) -> Iterator[str]:
    fields: tuple[str, ...] = before._fields  # type: ignore[attr-defined]
    for field, one, other in zip(fields, before, after, strict=True):
        if one != other and field not in DERIVED:
            yield RENAMED.get(field, field)
