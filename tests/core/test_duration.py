import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core.duration import LONGEST, format_duration, parse_duration


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("90s", 90.0),
        ("30m", 1800.0),
        ("2h", 7200.0),
        ("1d", 86400.0),
        ("1h30m", 5400.0),
        ("1h 30m", 5400.0),
        ("1.5h", 5400.0),
        (" 5 m ", 300.0),
        ("45", 45.0),
        (45, 45.0),
        (0.25, 0.25),
        ("0", 0.0),
    ],
)
def test_a_duration_is_read_in_seconds(written: str | float, seconds: float) -> None:
    assert parse_duration(written) == seconds


@pytest.mark.parametrize(
    "written",
    ["", "soon", "5 weeks", "-5s", -1, "5x", True, None, "1h30", "400d", float("nan"), []],
)
def test_what_is_no_duration_is_told(written: object) -> None:
    with pytest.raises(ValueError, match=r"duration|days"):
        parse_duration(written)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "0s"),
        (0.35, "350ms"),
        (3.26, "3.3s"),
        (4.0, "4s"),
        (42.9, "42s"),
        (60, "1m"),
        (200, "3m20s"),
        (7500, "2h05m"),
        (7200, "2h"),
        (86400, "1d"),
        (4 * 86400 + 3 * 3600, "4d03h"),
        (-5, "-5s"),
    ],
)
def test_a_duration_is_shown_short(seconds: float, shown: str) -> None:
    assert format_duration(seconds) == shown


@given(st.integers(0, int(LONGEST)))
def test_what_is_shown_reads_back_as_about_the_same(seconds: int) -> None:
    assert abs(parse_duration(format_duration(seconds)) - seconds) <= max(
        3600 * (seconds > 86400), 60 * (seconds > 3600)
    )
