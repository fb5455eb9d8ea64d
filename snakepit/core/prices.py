"""Owns what tokens cost by a list of prices that somebody hands in; what the list does not say is unknown."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from snakepit.core.usage import Usage

MILLION = 1_000_000


class Rates(NamedTuple):
    """USD per million tokens; None where there is no such price."""

    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None


class Price(NamedTuple):
    """`over`: tokens of one prompt, above which `long` counts; 0 where length does not matter."""

    rates: Rates
    over: int = 0
    long: Rates | None = None


class Prices(NamedTuple):
    """`date`: when the list was put together."""

    date: str
    models: Mapping[str, Price]


def parse_prices(table: Mapping[str, object]) -> Prices:
    """From the form of agents/prices.toml; ValueError for a model that is priced twice or by no number."""
    models: dict[str, Price] = {}
    rows = table.get("price")
    for row in rows if isinstance(rows, list) else []:
        long = row.get("long")
        price = Price(
            rates=_rates(row),
            over=int(row.get("over", 0)),
            long=None if long is None else _rates(long),
        )
        for name in row["models"]:
            if models.setdefault(name, price) is not price:
                message = f"{name} is priced twice"
                raise ValueError(message)
    return Prices(date=str(table.get("date", "")), models=models)


def price(usage: Usage, prices: Prices, *, one_request: bool = False) -> float | None:
    """USD. `one_request`: its prompt's length is known; of several long ones it is not, nor is their price."""
    known = prices.models.get(plain_name(usage.model))
    if known is None:
        return None
    rates: Rates | None = known.rates
    prompt = usage.input + usage.cache_read + usage.cache_write
    if known.over and prompt > known.over:
        rates = known.long if one_request else None
    return None if rates is None else _cost(usage, rates)


def priced(usage: Usage, prices: Prices) -> Usage:
    """What the program said itself counts; else the list's price, if it has one."""
    if usage.cost_usd is not None or not usage.tokens:
        return usage
    return usage._replace(cost_usd=price(usage, prices))


def plain_name(model: str) -> str:
    """`anthropic/claude-opus-5-20260724[1m]` -> `claude-opus-5`."""
    name = model.lower().rsplit("/", 1)[-1].split("[", 1)[0].strip()
    return re.sub(r"-(?:latest|20\d{6}|20\d\d-\d\d-\d\d)$", "", name)


def _rates(row: Mapping[str, object]) -> Rates:
    found = {key: row.get(key) for key in Rates._fields}
    for key, value in found.items():
        if value is not None and (not isinstance(value, int | float) or value < 0):
            message = f"{key} = {value!r} is no price"
            raise ValueError(message)
    return Rates(**found)  # type: ignore[arg-type]  # numbers or None, as just looked


def _cost(usage: Usage, rates: Rates) -> float | None:
    total = 0.0
    for tokens, rate in zip(usage[:4], rates, strict=True):
        if not tokens:
            continue
        if rate is None:
            return None
        total += tokens * rate / MILLION
    return total
