"""Owns medians, spreads and percentiles; pure."""

from collections.abc import Sequence


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def percentile(values: Sequence[float], share: float) -> float:
    """Nearest rank: with 60 samples the 0.99 percentile is the largest."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * share))]


def short(value: float) -> str:
    """Three significant digits, thousands as k."""
    if value >= 100_000:
        return f"{value / 1000:.0f}k"
    if value >= 1000:
        return f"{value / 1000:.1f}".removesuffix(".0") + "k"
    if value >= 100:
        return f"{value:.0f}"
    return f"{value:.3g}"


def spread(values: Sequence[float]) -> str:
    """`median (least to most)`, or the value alone when there is one."""
    if not values:
        return "-"
    if len(values) == 1:
        return short(values[0])
    return f"{short(median(values))} ({short(min(values))} to {short(max(values))})"
