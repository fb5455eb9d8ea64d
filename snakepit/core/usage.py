"""Owns what a run cost: tokens and money, added up; it knows no price that nobody gave it."""

from collections.abc import Mapping
from typing import NamedTuple


class Usage(NamedTuple):
    """Tokens; `input` leaves out what came from or went into the cache. `cost_usd` None is unknown, never 0."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0
    cost_usd: float | None = None
    model: str = ""

    def __bool__(self) -> bool:
        return self.tokens > 0 or self.cost_usd is not None

    @property
    def tokens(self) -> int:
        return self.input + self.output + self.cache_read + self.cache_write

    def __add__(self, other: object) -> "Usage":
        """Nothing used adds nothing; else one unknown cost makes the sum's unknown."""
        if not isinstance(other, Usage):
            return NotImplemented
        if not self or not other:
            return self or other
        known = None
        if self.cost_usd is not None and other.cost_usd is not None:
            known = self.cost_usd + other.cost_usd
        models = dict.fromkeys(name for part in (self, other) for name in part.model.split("+"))
        return Usage(
            input=self.input + other.input,
            output=self.output + other.output,
            cache_read=self.cache_read + other.cache_read,
            cache_write=self.cache_write + other.cache_write,
            cost_usd=known,
            model="+".join(filter(None, models)),
        )

    def to_json(self) -> dict[str, object]:
        return self._asdict()

    @classmethod
    def from_json(cls, raw: object) -> "Usage":
        """Lenient: what is missing or no number counts as nothing."""
        if not isinstance(raw, Mapping):
            return cls()
        cost = raw.get("cost_usd")
        return cls(
            input=_count(raw.get("input")),
            output=_count(raw.get("output")),
            cache_read=_count(raw.get("cache_read")),
            cache_write=_count(raw.get("cache_write")),
            cost_usd=float(cost) if isinstance(cost, int | float) else None,
            model=str(raw.get("model", "")),
        )


def _count(found: object) -> int:
    return max(found, 0) if isinstance(found, int) else 0


def total(parts: "list[Usage] | tuple[Usage, ...]") -> Usage:
    whole = Usage()
    for part in parts:
        whole = whole + part
    return whole


def said(usage: Usage) -> str:
    """`12.3k tokens, $0.41` or `…, cost unknown`; "" where nothing was used."""
    if not usage:
        return ""
    cost = "cost unknown" if usage.cost_usd is None else f"${usage.cost_usd:.{_places(usage)}f}"
    return f"{_short(usage.tokens)} tokens, {cost}"


def _places(usage: Usage) -> int:
    return 2 if usage.cost_usd is None or usage.cost_usd >= 0.1 or usage.cost_usd == 0 else 4


def _short(number: int) -> str:
    if number < 1000:
        return str(number)
    return f"{number / 1000:.1f}k" if number < 999_950 else f"{number / 1_000_000:.1f}M"
