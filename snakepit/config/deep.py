"""Owns joining the tables below a [backend.NAME] of agents.toml with the built-in ones, key by key."""

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from snakepit.config import tables
from snakepit.config.deep_keys import BY_DEEP, DEEP_TABLE
from snakepit.config.key import Key
from snakepit.config.problem import did_you_mean
from snakepit.config.program import (
    Account,
    Dialog,
    Screen,
    Start,
    TaskRun,
    Typing,
    Way,
)
from snakepit.config.values import coerce
from snakepit.core.stream import StreamRule
from snakepit.core.trouble import TroubleRule

Raw = Mapping[str, object]
Given = Mapping[str, object]

_FIRST = frozenset(("trouble", "dialogs"))  # the first rule counts: given ones before built-in ones
_RECORDS: Mapping[str, type] = {
    "start": Start,
    "task": TaskRun,
    "hooks": Way,
    "mcp": Way,
    "account": Account,
    "screen": Screen,
    "typing": Typing,
}
_made: dict[tuple[str, str, str], Any] = {}


def made(like: str, given: Given, table: str) -> Any:
    """The table of a program as its record, or for named tables a tuple of them; None: no such run."""
    names = (table, "stream") if table == "task" else (table,)
    key = (like, table, repr([given.get(name) for name in names]))
    if key not in _made:
        _made[key] = _make(like, given, table)
    return _made[key]


def _make(like: str, given: Given, table: str) -> Any:
    own = given.get(table)
    if DEEP_TABLE[table].shape == "named":
        return tuple(_rules(table, _named(like, own, table)))
    values = dict(_values(table, _merged(_built_in(like).get(table), own)))
    if table == "task":
        if not values["argv"]:
            return None
        values["stream"] = made(like, given, "stream")
    if table == "typing":
        values["gap_s"] = values.pop("gap")
    return _RECORDS[table](**values)


@cache
def _built_in(like: str) -> Raw:
    return tables.whole(like)


def _merged(built_in: object, own: object) -> Raw:
    """Key by key; a table within (env, files, events, when, take) again key by key."""
    merged = dict(built_in) if isinstance(built_in, Mapping) else {}
    for key, value in own.items() if isinstance(own, Mapping) else ():
        old = merged.get(key)
        is_table = isinstance(old, Mapping) and isinstance(value, Mapping)
        merged[key] = {**old, **value} if is_table else value  # type: ignore[dict-item]
    return merged


def _named(like: str, own: object, table: str) -> Mapping[str, Raw]:
    built_in = _built_in(like).get(table)
    base = built_in if isinstance(built_in, Mapping) else {}
    added = own if isinstance(own, Mapping) else {}
    new = [name for name in added if name not in base]
    order = [*new, *base] if table in _FIRST else [*base, *new]
    return {name: _merged(base.get(name), added.get(name)) for name in order}


def _values(table: str, raw: Raw) -> Iterator[tuple[str, object]]:
    for name, key in BY_DEEP[table].items():
        value = raw.get(name, key.default)
        yield name, coerce(key, value, "/")


def _rules(table: str, named: Mapping[str, Raw]) -> Iterator[object]:
    for name, raw in named.items():
        values: dict[str, Any] = dict(_values(table, raw))
        if values.pop("off"):
            continue
        if table == "stream":
            yield StreamRule(**values)
        elif table == "dialogs":
            yield Dialog(name=name, **values)
        elif values["match"]:
            within = values.pop("within")
            yield TroubleRule(**values, scope_s=within or None)


Wrong = tuple[tuple[str, ...], str]  # place below the backend, what is wrong


def wrong(given: Given) -> Iterator[Wrong]:
    """Every mistake in the tables that agents.toml gives one backend."""
    for table, value in given.items():
        if not isinstance(value, Mapping):
            yield (table,), f"must be written as [backend.NAME.{table}]"
        elif DEEP_TABLE[table].shape == "named":
            for name, raw in value.items():
                if isinstance(raw, Mapping):
                    yield from _wrong(table, (table, name), raw)
                else:
                    yield (table, name), f"must be written as [backend.NAME.{table}.{name}]"
        else:
            yield from _wrong(table, (table,), value)


def _wrong(table: str, place: tuple[str, ...], raw: Raw) -> Iterator[Wrong]:
    keys: Mapping[str, Key] = BY_DEEP[table]
    for name, value in raw.items():
        if name not in keys:
            yield (*place, name), f"unknown key{did_you_mean(name, keys)}"
            continue
        try:
            coerce(keys[name], value, "/")
        except ValueError as exc:
            yield (*place, name), str(exc)
