"""Plays random schedules with kills against the protocol, and shows that the checker bites."""

import pytest

from tests.model.protocol import CASTS, Mutation, play

SCHEDULES = 3000


@pytest.mark.parametrize("cast", CASTS)
def test_no_schedule_loses_doubles_or_overcounts(cast: str) -> None:
    for seed in range(SCHEDULES):
        outcome = play(seed, CASTS[cast])
        assert outcome.is_good, (seed, outcome)


@pytest.mark.parametrize("mutation", list(Mutation)[1:], ids=lambda mutation: mutation.value)
def test_every_rule_left_out_is_caught(mutation: Mutation) -> None:
    outcomes = (play(seed, CASTS[cast], mutation) for seed in range(SCHEDULES) for cast in CASTS)
    assert not all(outcome.is_good for outcome in outcomes)
