import pytest

from snakepit.core.usage import Usage, said, total


def test_adds_tokens_and_money() -> None:
    first = Usage(input=1, output=2, cache_read=3, cache_write=4, cost_usd=0.25, model="a")
    second = Usage(input=10, output=20, cost_usd=0.5, model="b")
    assert first + second == Usage(
        input=11, output=22, cache_read=3, cache_write=4, cost_usd=0.75, model="a+b"
    )
    assert (first + second + first).model == "a+b"
    assert total([]) == Usage()


def test_an_unknown_cost_is_never_counted_as_nothing() -> None:
    known, unknown = Usage(input=1, cost_usd=1.0), Usage(input=1)
    assert (known + unknown).cost_usd is None
    assert (unknown + known).cost_usd is None
    assert (known + Usage()).cost_usd == 1.0
    assert total([Usage(), known]).cost_usd == 1.0
    assert said(known + unknown) == "2 tokens, cost unknown"


@pytest.mark.parametrize(
    ("usage", "words"),
    [
        (Usage(), ""),
        (Usage(input=999, cost_usd=0.0), "999 tokens, $0.00"),
        (Usage(input=12_345, cost_usd=0.412), "12.3k tokens, $0.41"),
        (Usage(output=1_200_000, cost_usd=0.0123), "1.2M tokens, $0.0123"),
    ],
)
def test_is_said_in_few_words(usage: Usage, words: str) -> None:
    assert said(usage) == words


@pytest.mark.parametrize("raw", [None, 3, {}, {"input": "x", "cost_usd": "much", "output": -4}])
def test_reads_damaged_records(raw: object) -> None:
    assert Usage.from_json(raw) == Usage()


def test_reads_what_it_wrote() -> None:
    usage = Usage(input=1, cache_write=2, cost_usd=0.5, model="m")
    assert Usage.from_json(usage.to_json()) == usage
