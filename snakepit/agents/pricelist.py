"""Owns the list of prices that comes with snakepit: prices.toml beside this file."""

import tomllib
from functools import cache
from pathlib import Path

from snakepit.core.prices import Prices, parse_prices

FILE = Path(__file__).with_name("prices.toml")


@cache
def shipped_prices() -> Prices:
    return parse_prices(tomllib.loads(FILE.read_text(encoding="utf-8")))
