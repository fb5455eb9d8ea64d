import zoneinfo
from datetime import UTC, datetime, tzinfo
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core.resets import DAILY_S, FIVE_HOURS_S, WEEKLY_S, read_reset, unwrapped

NOW = datetime(2026, 11, 21, 0, 30, tzinfo=UTC).timestamp()  # a Saturday; 01:30 in Berlin


def zone_of(name: str) -> tzinfo | None:
    try:
        return zoneinfo.ZoneInfo(name or "Europe/Berlin")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        return None


def read(text: str, now: float = NOW, scope_s: float | None = None) -> float | None:
    return read_reset(text, now, zone_of=zone_of, scope_s=scope_s)


def at(said: str) -> float:
    return datetime.fromisoformat(said).replace(tzinfo=UTC).timestamp()


class Said(NamedTuple):
    text: str
    until: str  # in UTC


SCREENS = [
    Said("You've hit your 5-hour limit · resets 4:58am (UTC)", "2026-11-21T04:58"),
    Said("  ⎿  You've hit your Opus limit · resets Nov 24, 1:58am (UTC)", "2026-11-24T01:58"),
    Said("You've hit your Sonnet limit · resets Nov 24, 2:02am (UTC)", "2026-11-24T02:02"),
    Said("You've hit your weekly limit · resets Nov 24, 2:15am (UTC)", "2026-11-24T02:15"),
    Said("You've hit your limit · resets 7pm (America/Los_Angeles)", "2026-11-21T03:00"),
    Said("You've hit your session limit · resets 12:30am (America/Sao_Paulo)", "2026-11-21T03:30"),
    Said("You've hit your session limit · resets 5:10am (UTC)", "2026-11-21T05:10"),
    Said("You've hit your weekly limit · resets Mon 9am", "2026-11-23T08:00"),
    Said("You're out of extra usage · resets 11:30am (Asia/Colombo)", "2026-11-21T06:00"),
    Said("● Usage limit reached · continuing automatically at 4:58am · esc to cancel", "2026-11-21T03:58"),
    Said("● Usage limit reached again · continuing automatically at 5:19am · esc to", "2026-11-21T04:19"),
    Said("⚠ Usage limit reached · limit resets 4:58am", "2026-11-21T03:58"),
    Said("⚠ Usage limit reached · limit resets Nov 24, 2:15am", "2026-11-24T01:15"),
    Said("Continuing automatically at 4:58am · Esc to cancel", "2026-11-21T03:58"),
    Said("1. Stop, wait for it to reset\n2. Wait, then continue automatically at Nov 24, 1:58am", "2026-11-24T00:58"),
    Said("Claude Code will continue automatically at Nov 24, 2:15am. Keep this session open", "2026-11-24T01:15"),
    Said("5-hour limit reached ∙ resets 3am", "2026-11-21T02:00"),
    Said("specified API usage limits. You will regain access on 2026-12-01 at 00:00 UTC.", "2026-12-01T00:00"),
    Said("spend limit reached · resets Aug 8 · request an increase at https://x", "2027-08-07T22:00"),
    Said("You've hit your usage limit. Upgrade to Pro or try again at Dec 3rd, 2026 7:00 PM.", "2026-12-03T18:00"),
    Said("■ You\u2019ve hit your usage limit. … or try again at Nov 24th, 2026 2:23\nAM.", "2026-11-24T01:23"),
    Said("purchase more credits or\ntry again at 3:32\u202fAM.", "2026-11-21T02:32"),
    Said("⚠ 5h limit: only <1% left · resets at 04:10 · /status", "2026-11-21T03:10"),
    Said("You've used 91% of your weekly limit · resets Mon", "2026-11-22T23:00"),
    Said("Your quota will reset after 3h12m", "2026-11-21T03:42"),
    Said("Rate limit is exceeded. Try again in 17 seconds.; retrying 5/5", "2026-11-21T00:30:17"),
    Said("Limit 30000, Used 29500, Requested 1200. Please try again in 20s. Visit https://x", "2026-11-21T00:30:20"),
    Said('"quotaLimits": {"status": "rejected", "resetsAt": 1795485498, "unified": false}', "2026-11-24T01:58:18"),
    Said("You've hit your Opus limit · resets 3:00 (UTC) {\"resetsAt\":1795485498123}", "2026-11-24T01:58:18.123"),
]  # fmt: skip

FORMS = [
    Said("resets 3pm", "2026-11-21T14:00"),
    Said("resets 3:00 PM", "2026-11-21T14:00"),
    Said("resets 15:00", "2026-11-21T14:00"),
    Said("resets\u00a03:00\u00a0p.m.", "2026-11-21T14:00"),
    Said("resets at 12am", "2026-11-21T23:00"),
    Said("resets at 12pm", "2026-11-21T11:00"),
    Said("resets at noon", "2026-11-21T11:00"),
    Said("resets at midnight Pacific time", "2026-11-21T08:00"),
    Said("resets at 01:29", "2026-11-21T00:31"),  # a minute ago: read late
    Said("resets at 01:31", "2026-11-21T00:31"),
    Said("resets Sunday", "2026-11-21T23:00"),
    Said("resets Fri, 9:15am", "2026-11-27T08:15"),
    Said("resets tomorrow at 3pm", "2026-11-22T14:00"),
    Said("resets at 3pm tomorrow", "2026-11-22T14:00"),
    Said("resets 24 November, 15:00", "2026-11-24T14:00"),
    Said("Access resets at 11/24/2026, 3:00:00 PM", "2026-11-24T14:00"),
    Said("resets 2026-11-21T03:00:00Z", "2026-11-21T03:00"),
    Said("resets 2026-11-21T03:00:00.250+02:00", "2026-11-21T01:00"),
    Said("resets 3:00 AM (GMT-5:30)", "2026-11-21T08:30"),
    Said("resets 3am (Nowhere/Atlantis)", "2026-11-21T02:00"),
    Said("Retry-After: Wed, 25 Nov 2026 07:28:00 GMT", "2026-11-25T07:28"),
    Said("retry-after: 3600", "2026-11-21T01:30"),
    Said('{"retry_after": 7.5}', "2026-11-21T00:30:07.5"),
    Said("retry_after_ms: 5000", "2026-11-21T00:30:05"),
    Said("Please retry in 38s", "2026-11-21T00:30:38"),
    Said("Please retry in 420ms", "2026-11-21T00:30:01"),
    Said("try again in 5h", "2026-11-21T05:30"),
    Said("try again in 2 hours 13 minutes", "2026-11-21T02:43"),
    Said("try again in 3 days, 2 hours and 5 minutes", "2026-11-24T02:35"),
    Said("try again in less than a minute", "2026-11-21T00:31"),
    Said("try again in about an hour", "2026-11-21T01:30"),
    Said("1795485498", "2026-11-24T01:58:18"),
    Said("4:58am", "2026-11-21T03:58"),
    Said("3h12m", "2026-11-21T03:42"),
    Said("2 hours 13 minutes", "2026-11-21T02:43"),
    Said("17 seconds", "2026-11-21T00:30:17"),
    Said("in 5h", "2026-11-21T05:30"),
    Said("Nov 3rd, 2026 7:00 PM", "2026-11-21T00:31"),  # named with its year, and over
]

SAYS_NOTHING = [
    "Heads up, you have less than 5% of your 5h limit left",
    "5 hour limit reached",
    "Usage limit reached for gemini-2.5-pro.",
    "You have reached your daily gemini-2.5-pro quota limit.",
    "Quota exceeded for the day.",
    "The API provider has rate limited you. Try again later or check your quotas.",
    "usually temporary — try again in a moment. If it persists, check your gateway",
    "1. Stop and wait for limit to reset",
    "5% until auto-compact",
    "resets at 25:00",
    "resets 13pm",
    "resets Feb 30",
    "✢ Prestidigitating… (3m 0s)",
    "",
]


@pytest.mark.parametrize("said", [*SCREENS, *FORMS], ids=lambda said: said.text[:60])
def test_reads(said: Said) -> None:
    assert read(said.text) == pytest.approx(at(said.until), abs=0.002)


@pytest.mark.parametrize("said", SCREENS, ids=lambda said: said.text[:60])
@pytest.mark.parametrize("columns", [24, 40, 80])
def test_reads_what_a_narrow_terminal_wrapped(said: Said, columns: int) -> None:
    lines, line = [], ""
    for word in unwrapped(said.text).split(" "):
        if line and len(line) + len(word) + 1 > columns:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    wrapped = "\n".join(f"│ {part:<{columns}} │" for part in [*lines, line])
    assert read(wrapped) == pytest.approx(at(said.until), abs=0.002)


@pytest.mark.parametrize("text", SAYS_NOTHING)
def test_reads_no_time_where_none_is_said(text: str) -> None:
    assert read(text) is None


def test_cuts_to_what_the_kind_of_limit_can_last() -> None:
    assert read("5-hour limit reached ∙ resets 3pm") == NOW + FIVE_HOURS_S
    assert read("weekly limit · resets in 20 days") == NOW + WEEKLY_S
    assert read("daily limit · resets in 3 days") == NOW + DAILY_S
    assert read("resets 3pm", scope_s=600.0) == NOW + 600.0
    assert read("your weekly limit, not the 5-hour limit · resets in 9h") == NOW + FIVE_HOURS_S


def test_takes_a_time_just_passed_for_soon_and_not_for_tomorrow() -> None:
    text = "You've hit your 5-hour limit · resets 4:58am (UTC)"
    for late in (1.0, 60.0, 299.0, 3000.0):
        now = at("2026-11-21T04:58") + late
        assert read(text, now) == now + 60.0
    now = at("2026-11-21T23:58")
    assert read(text, now) == at("2026-11-22T04:58")


def test_reads_the_year_that_is_next() -> None:
    now = at("2026-12-30T12:00")
    assert read("resets Jan 2, 3am (UTC)", now) == at("2027-01-02T03:00")
    assert read("resets Feb 29, 3am (UTC)", now, 3e9) == at("2028-02-29T03:00")


class Changed(NamedTuple):
    test_id: str
    now: str
    text: str
    until: str


CHANGES = [  # Berlin: 2026-03-29 02:00 -> 03:00, 2026-10-25 03:00 -> 02:00
    Changed("across the spring change", "2026-03-28T23:30", "resets 4am", "2026-03-29T02:00"),
    Changed("an hour that is left out", "2026-03-28T23:30", "resets 2:30am", "2026-03-29T01:30"),
    Changed("across the autumn change", "2026-10-24T23:30", "resets 4am", "2026-10-25T03:00"),
    Changed("the first of two", "2026-10-24T23:30", "resets 2:30am", "2026-10-25T00:30"),
    Changed("the second of two", "2026-10-25T00:40", "resets 2:30am", "2026-10-25T01:30"),
    Changed("a duration is not a wall time", "2026-10-24T23:30", "resets in 5h", "2026-10-25T04:30"),
]  # fmt: skip


@pytest.mark.parametrize("case", CHANGES, ids=lambda case: case.test_id)
def test_reads_across_a_change_of_the_clock(case: Changed) -> None:
    assert read(case.text, at(case.now)) == at(case.until)


ZONES = ["UTC", "Europe/Berlin", "America/Sao_Paulo", "Asia/Colombo", "Australia/Lord_Howe", ""]
WORDING = {"5-hour limit": FIVE_HOURS_S, "weekly limit": WEEKLY_S, "daily quota": DAILY_S}
MONTHS = "Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec".split()  # noqa: SIM905
DAYS = "Mon Tue Wed Thu Fri Sat Sun".split()  # noqa: SIM905


@st.composite
def resets(draw: st.DrawFn) -> str:
    hour, minute = draw(st.integers(0, 23)), draw(st.integers(0, 59))
    half = f"{(hour % 12) or 12}:{minute:02d}{'am' if hour < 12 else 'pm'}"
    clock = draw(st.sampled_from([half, f"{hour}:{minute:02d}"]))
    date = f"{draw(st.sampled_from(MONTHS))} {draw(st.integers(1, 28))}, "
    day = draw(st.sampled_from(["", date, draw(st.sampled_from(DAYS)) + " ", "tomorrow at "]))
    zone = draw(st.sampled_from(ZONES))
    duration = f"in {draw(st.integers(0, 400))}{draw(st.sampled_from(['s', 'm', 'h', ' days']))}"
    return draw(st.sampled_from([f"{day}{clock}" + (f" ({zone})" if zone else ""), duration]))


@given(resets(), st.sampled_from(sorted(WORDING)), st.floats(1.7e9, 2.1e9))
def test_is_always_in_the_future_and_within_its_scope(reset: str, word: str, now: float) -> None:
    until = read(f"You've hit your {word} · resets {reset}", now)
    assert until is not None
    assert now < until <= now + WORDING[word]


@given(
    st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1)),  # noqa: DTZ001 (hypothesis adds the zone)
    st.integers(1, 23 * 60 - 6),
    st.sampled_from(ZONES[:-1]),
)
def test_reads_back_what_a_clock_shows(start: datetime, minutes: int, zone: str) -> None:
    now = start.replace(second=0, microsecond=0, tzinfo=UTC).timestamp()
    shown = datetime.fromtimestamp(now + minutes * 60, UTC).astimezone(zone_of(zone))
    until = read(f"resets {shown:%b} {shown.day}, {shown:%H:%M} ({zone})", now)
    assert until is not None
    told = datetime.fromtimestamp(until, UTC).astimezone(zone_of(zone))
    assert (told.day, told.hour, told.minute) == (shown.day, shown.hour, shown.minute)


@given(st.text(max_size=200))
def test_no_text_breaks_it(text: str) -> None:
    until = read(f"resets {text}")
    assert until is None or until > NOW
