"""Owns reading what went wrong out of a program's words, by rules that are data of its backend."""

import re
from collections.abc import Iterable
from typing import NamedTuple

from snakepit.core.resets import ZoneOf, read_reset, unwrapped


class TroubleRule(NamedTuple):
    """`match` is searched in the text, its case and line breaks ignored; a group `scope` names a model's scope.

    `reset` finds the text that says until when (its first group, or all it matched); without one, what
    follows the match is read. `scope_s` is how far away the reset can be, where the wording does not tell.
    """

    kind: str
    match: str
    reset: str = ""
    scope: str = ""
    scope_s: float | None = None


class Trouble(NamedTuple):
    kind: str
    until: float | None = None
    scope: str = ""
    said: str = ""


SAID_LIMIT = 300  # characters of the program's own words that are kept


def classify(
    text: str, rules: Iterable[TroubleRule], *, now: float, zone_of: ZoneOf
) -> Trouble | None:
    """By the first rule that matches; None when none does."""
    plain = unwrapped(text)
    for rule in rules:
        found = re.search(rule.match, plain, re.IGNORECASE)
        if found:
            return Trouble(
                kind=rule.kind,
                until=_until(plain, found, rule, now, zone_of),
                scope=_scope(found, rule),
                said=plain[found.start() : found.start() + SAID_LIMIT],
            )
    return None


def _scope(found: "re.Match[str]", rule: TroubleRule) -> str:
    told = found.groupdict().get("scope") or rule.scope
    return "-".join(told.lower().split())


def _until(
    plain: str, found: "re.Match[str]", rule: TroubleRule, now: float, zone_of: ZoneOf
) -> float | None:
    if not rule.reset:
        return read_reset(plain[found.start() :], now, zone_of=zone_of, scope_s=rule.scope_s)
    reset = re.search(rule.reset, plain, re.IGNORECASE)
    if reset is None:
        return None
    told = reset[1] if reset.re.groups else reset[0]
    return read_reset(told or "", now, zone_of=zone_of, scope_s=rule.scope_s)
