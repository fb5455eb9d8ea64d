import re

import pytest

from snakepit.agents.pricelist import shipped_prices
from snakepit.core.prices import Price, Prices, Rates, parse_prices, plain_name, price, priced
from snakepit.core.usage import Usage

PRICES = Prices(
    date="2026-11-21",
    models={
        "a": Price(rates=Rates(input=2.0, output=10.0, cache_read=0.2, cache_write=2.5)),
        "no-cache": Price(rates=Rates(input=1.0, output=1.0)),
        "banded": Price(rates=Rates(input=1.0, output=1.0), over=100, long=Rates(input=4.0)),
        "cut": Price(rates=Rates(input=1.0, output=1.0), over=100),
    },
)


def test_every_kind_of_token_has_its_price() -> None:
    usage = Usage(input=100_000, output=10_000, cache_read=1_000_000, cache_write=200_000)
    assert price(usage._replace(model="a"), PRICES) == pytest.approx(0.2 + 0.1 + 0.2 + 0.5)


def test_what_is_not_listed_is_unknown_and_not_free() -> None:
    assert price(Usage(input=1, model="b"), PRICES) is None
    assert price(Usage(input=1, model="a+b"), PRICES) is None
    assert price(Usage(input=1), PRICES) is None
    assert price(Usage(input=1, cache_read=1, model="no-cache"), PRICES) is None
    assert price(Usage(input=1_000_000, model="no-cache"), PRICES) == 1.0


def test_a_long_prompt_has_its_price_where_its_length_is_known() -> None:
    short, long = Usage(input=100, model="banded"), Usage(input=101, model="banded")
    assert price(short, PRICES) == pytest.approx(0.0001)
    assert price(long, PRICES, one_request=True) == pytest.approx(0.000404)
    assert price(long, PRICES) is None
    assert price(Usage(input=101, model="cut"), PRICES, one_request=True) is None


def test_what_the_program_says_itself_counts() -> None:
    told = Usage(input=1_000_000, cost_usd=0.5, model="a")
    assert priced(told, PRICES) is told
    assert priced(told._replace(cost_usd=None), PRICES).cost_usd == 2.0
    assert priced(Usage(model="a"), PRICES).cost_usd is None


@pytest.mark.parametrize(
    ("model", "plain"),
    [
        ("claude-opus-5", "claude-opus-5"),
        ("anthropic/claude-opus-5-20260724[1m]", "claude-opus-5"),
        ("gpt-5-2025-08-07", "gpt-5"),
        ("Claude-3-5-Haiku-latest", "claude-3-5-haiku"),
        ("models/gemini-2.5-pro", "gemini-2.5-pro"),
    ],
)
def test_a_model_has_one_name(model: str, plain: str) -> None:
    assert plain_name(model) == plain


@pytest.mark.parametrize(
    "row",
    [
        {"models": ["x"], "input": "much"},
        {"models": ["x"], "input": -1.0},
        {"models": ["x", "a"], "input": 1.0},
    ],
)
def test_a_wrong_list_is_refused(row: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"price"):
        parse_prices({"price": [{"models": ["a"], "input": 1.0}, row]})


def test_the_shipped_list_has_a_date_and_whole_prices() -> None:
    shipped = shipped_prices()
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", shipped.date)
    assert len(shipped.models) > 30
    for name, found in shipped.models.items():
        assert plain_name(name) == name, "it would never be found"
        rates = found.rates
        assert rates.input is not None and rates.output is not None
        assert rates.cache_read is not None
        assert rates.cache_read < rates.input < rates.output, name
    opus = Usage(input=1_000_000, output=100_000, model="claude-opus-5-5")
    assert price(opus, shipped) == pytest.approx(6.0)
