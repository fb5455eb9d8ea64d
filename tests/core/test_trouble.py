from datetime import UTC, tzinfo

from snakepit.core.outcome import KINDS, OF_THE_ACCOUNT, Outcome
from snakepit.core.trouble import Trouble, TroubleRule, classify

NOW = 1795200000.0

RULES = [
    TroubleRule(
        kind="limited",
        match=r"You've hit your (?:(?P<scope>opus|sonnet)|5-hour|weekly)? ?limit",
    ),
    TroubleRule(kind="limited", match="usage_limit", reset=r'"resets_at": (\d+)'),
    TroubleRule(kind="overloaded", match="529 Overloaded"),
    TroubleRule(kind="auth", match="please run /login", scope="Fast Mode"),
]


def utc(name: str) -> tzinfo | None:
    return UTC if name in ("", "UTC") else None


def read(text: str) -> Trouble | None:
    return classify(text, RULES, now=NOW, zone_of=utc)


def test_reads_kind_scope_and_reset() -> None:
    found = read("● \n  ⎿  You\u2019ve hit your Opus\nlimit · resets\u00a0in 5h (UTC)")
    assert found is not None
    assert found[:3] == ("limited", NOW + 18000.0, "opus")
    assert found.said == "You've hit your Opus limit · resets in 5h (UTC)"


def test_a_limit_of_the_account_has_no_scope() -> None:
    found = read("You've hit your 5-hour limit · resets in 2h")
    assert found is not None
    assert found.scope == ""


def test_the_reset_may_stand_before_the_match() -> None:
    found = read('{"resets_at": 1795203600, "type": "usage_limit"}')
    assert found is not None
    assert found.until == 1795203600.0


def test_what_stands_before_the_match_is_not_read_else() -> None:
    found = read("try again in 3h, it said. 529 Overloaded")
    assert found == Trouble(kind="overloaded", said="529 Overloaded")


def test_the_first_rule_wins_and_its_own_scope_is_one_word() -> None:
    found = read("Please run /login · 529 overloaded")
    assert found is not None and found.kind == "overloaded"
    found = read("Please run /login")
    assert found is not None and found.scope == "fast-mode"


def test_is_quiet_about_what_no_rule_knows() -> None:
    assert read("all is well") is None


def test_what_is_the_accounts_is_not_the_tasks() -> None:
    accounts = {kind for kind in KINDS if Outcome(kind=kind).is_accounts}
    assert accounts == OF_THE_ACCOUNT == {"limited", "overloaded", "auth", "billing"}
    assert Outcome(kind="ok").is_ok and not Outcome(kind="failed").is_ok
