"""Owns the targets and how each is judged from the rows of one run."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from bench.peers import PEERS
from bench.stats import median, short, spread

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    target: str
    wanted: str
    measured: str
    reached: bool | None  # None: not measured in this run

    @property
    def word(self) -> str:
        return {True: "reached", False: "**missed**", None: "not measured"}[self.reached]


def select(rows: Iterable[Row], **wanted: Any) -> list[Row]:
    return [row for row in rows if all(row.get(key) == value for key, value in wanted.items())]


def rates(
    rows: Iterable[Row], peer: str, backlog: int, workers: int, *, durable: bool = False
) -> dict[int, float]:
    """Rate by round."""
    found = select(
        rows, measure="drain", peer=peer, backlog=backlog, workers=workers, durable=durable
    )
    return {row["round"]: row["per_s"] for row in found}


def ratios(
    rows: list[Row], ours: tuple[str, int], other: tuple[str, int], workers: int
) -> list[float]:
    """Ours by the other, round by round; a peer measured in one round stands for all."""
    mine, theirs = rates(rows, *ours, workers), rates(rows, *other, workers)
    if not mine or not theirs:
        return []
    fallback = median(list(theirs.values()))
    return [rate / theirs.get(number, fallback) for number, rate in mine.items() if fallback]


def _judge(target: str, wanted: str, values: list[float], passes: Callable[[float], bool],
           unit: str = "", note: str = "") -> Verdict:  # fmt: skip
    if not values:
        return Verdict(target=target, wanted=wanted, measured="-", reached=None)
    measured = spread(values) + unit + (f", {note}" if note else "")
    return Verdict(target=target, wanted=wanted, measured=measured, reached=passes(median(values)))


def verdicts(rows: list[Row]) -> list[Verdict]:
    return [*_throughput(rows), *_latency(rows), *_safety(rows), *_product(rows)]


def _throughput(rows: list[Row]) -> list[Verdict]:
    at = ("ours", 10_000)
    found = [
        _judge("claim+complete, 4 workers, 10k, by the limit in C", ">= 0.4",
               ratios(rows, at, ("limit", 10_000), 4), lambda v: v >= 0.4),
        _judge("the same by the bare renames", ">= 0.25",
               ratios(rows, at, ("renames", 10_000), 4), lambda v: v >= 0.25),
    ]  # fmt: skip
    for backlog in (1000, 10_000, 100_000):
        best, values = _best_peer(rows, backlog)
        found.append(_judge(f"ahead of every peer, 4 workers, {short(backlog)}", "> 1", values,
                            lambda v: v > 1, note=f"nearest is {best}"))  # fmt: skip
    found += [
        _judge("by the mv loop, 4 workers, 10k", ">= 300", ratios(rows, at, ("mv", 10_000), 4),
               lambda v: v >= 300),
        _judge("100k by 10k, 4 workers", ">= 0.7", ratios(rows, ("ours", 100_000), at, 4),
               lambda v: v >= 0.7),
    ]  # fmt: skip
    return found


def _best_peer(rows: list[Row], backlog: int) -> tuple[str, list[float]]:
    worst: tuple[str, list[float]] = ("", [])
    for name, entry in PEERS.items():
        if name.startswith("ours"):
            continue
        values = ratios(rows, ("ours", backlog), (name, backlog), 4)
        if values and (not worst[1] or median(values) < median(worst[1])):
            worst = (entry.label, values)
    return worst


def _p99(rows: list[Row], measure: str, peer: str) -> list[float]:
    return [row["p99_ms"] for row in select(rows, measure=measure, peer=peer) if "p99_ms" in row]


def _latency(rows: list[Row]) -> list[Verdict]:
    servers = [value for peer in ("redis", "nats") for value in _p99(rows, "idle", peer)]
    ours = _p99(rows, "idle", "ours")
    values = [median(ours) / min(servers)] if ours and servers else []
    return [
        _judge("drop to claim, idle, p99, by the better of redis and NATS", "<= 2", values,
               lambda v: v <= 2),
        _judge("an urgent task in a busy drain, p99", "< 20 ms", _p99(rows, "urgent", "ours"),
               lambda v: v < 20, " ms"),
    ]  # fmt: skip


def _safety(rows: list[Row]) -> list[Verdict]:
    doubles = [float(row["doubles"]) for row in select(rows, peer="ours") if "doubles" in row]
    back = [row["after_s"] * 1000 for row in select(rows, measure="pool_kill") if row["after_s"]]
    return [
        _judge("double claims", "0", [max(doubles)] if doubles else [], lambda v: v == 0),
        _judge("food of a killed worker is back, largest of the kills", "<= 100 ms",
               [max(back)] if back else [], lambda v: v <= 100, " ms"),
    ]  # fmt: skip


def _product(rows: list[Row]) -> list[Verdict]:
    times = {row["command"]: row["median_ms"] for row in select(rows, measure="command")}
    click = times.get("import click")
    firsts = {row["which"]: row["secs"] for row in select(rows, measure="first_result")}
    pool = select(rows, measure="idle_pool")

    def by_click(command: str, more: float = 0.0) -> list[float]:
        took = times.get(command)
        return [(took - more) / click] if took and click else []

    def by_bare(command: str) -> list[float]:
        took, bare = times.get(command), times.get("python3 -S -c pass")
        return [took / bare] if took and bare else []

    def seconds(which: str) -> list[float]:
        return [firsts[which]] if which in firsts else []

    return [
        _judge("`snakepit status --json` by `import click`", "<= 3",
               by_click("snakepit status --json"), lambda v: v <= 3),
        _judge("`snakepit --help` by `import click`", "<= 1.5",
               by_click("snakepit --help"), lambda v: v <= 1.5),
        _judge("`python3 agents.py status --json` less 50 ms, by `import click`", "<= 3",
               by_click("python3 agents.py status --json", 50), lambda v: v <= 3),
        _judge("`python3 agents.py --help` less 50 ms, by `import click`", "<= 1.5",
               by_click("python3 agents.py --help", 50), lambda v: v <= 1.5),
        _judge("a program's hook by `python3 -S -c pass`", "<= 2",
               by_bare("a program's hook"), lambda v: v <= 2),
        _judge("idle pool of 10, CPU, all its processes", "< 1 % of a core",
               [row["cpu_percent"] for row in pool], lambda v: v < 1, " %"),
        _judge("memory of a worker (RSS)", "< 30 MB",
               [row["worker_rss_mb"] for row in pool], lambda v: v < 30, " MB"),
        _judge("the same with its guard", "< 35 MB",
               [row["with_guard_rss_mb"] for row in pool], lambda v: v < 35, " MB"),
        _judge("first result of command 1, with the downloads", "< 60 s", seconds("first"),
               lambda v: v < 60, " s"),
        _judge("first result of command 1, the second time", "< 3 s", seconds("second"),
               lambda v: v < 3, " s"),
    ]  # fmt: skip
