"""Owns the page made of one run's rows: targets first, then the tables they rest on."""

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from bench.peers import PEERS
from bench.stats import median, short, spread
from bench.targets import ratios, select, verdicts

Row = dict[str, Any]
LABELS = {
    "limit": "*limit: the protocol in C*",
    "renames": "*limit: two bare renames*",
    **{name: entry.label for name, entry in PEERS.items()},
}
LABELS["ours"] = "**snakepit**"
KILLS = Path(__file__).with_name("kills.md")  # by hand: longer than a run of the bench
ORDER = ("renames", "limit", *PEERS)


def brief(row: Row) -> str:
    """One row as a few words for the progress lines."""
    if "absent" in row:
        return str(row["absent"])
    if "per_s" in row:
        more = f" x{row['workers']}" if "workers" in row else " put"
        twice = f", {row['doubles']} DOUBLE" if row.get("doubles") else ""
        return f"{short(row['per_s'])}/s{more}{twice}"
    for key in ("p50_ms", "median_ms", "secs", "after_s", "cpu_percent"):
        if row.get(key) is not None:
            return f"{key} {short(row[key])}"
    return "nothing"


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    rows = [head, ["---"] * len(head), *lines]
    return "\n".join("| " + " | ".join(row) + " |" for row in rows)


def page(answer: dict[str, Any]) -> str:
    rows: list[Row] = answer["rows"]
    parts = [_head(answer), _targets(rows)]
    backlogs = sorted({row["backlog"] for row in select(rows, measure="drain", durable=False)})
    parts += [_drains(rows, backlog, durable=False) for backlog in backlogs]
    parts += [_drains(rows, row, durable=True) for row in
              sorted({row["backlog"] for row in select(rows, measure="drain", durable=True)})]  # fmt: skip
    parts += [_latency(rows), _killed(rows), _pool(rows), _commands(rows), _tail(answer)]
    parts.append(KILLS.read_text().strip())
    return "\n\n".join(part for part in parts if part) + "\n"


def _head(answer: dict[str, Any]) -> str:
    m = answer["machine"]
    versions = ", ".join(f"{name} {version}" for name, version in m["versions"].items())
    servers = ", ".join(version for version in m["servers"].values() if version)
    quick = "\n\n**A quick run: its numbers are a smoke test.**" if _is_quick(answer) else ""
    return f"""# Benchmarks

Written by `python bench/queue.py` from one run; the numbers are this machine's, the ratios are what
counts. A cell is the median of the rounds with the least and the most in brackets.{quick}

Run {m["at"]} at commit {m["commit"]}: {m["cores"]} cores, {m["processor"]}, {m["memory_gb"]} GB,
Linux {m["kernel"]}, {m["filesystem"]}, Python {m["python"]}; load {m["load_before"]} before and
{m["load_after"]} after (much of it the bench's own). It took {answer["seconds"]:.0f} s.
{versions}; {servers}.

Same work everywhere: tasks of 400 bytes, put one by one by one producer, claimed, read and
acknowledged by separate processes that start together. Peers keep no result; snakepit appends one,
and writes its two lines in the event journal. A measurement ends when the queue is empty or after
a few seconds. Queues take turns within each round; one number without brackets comes from the first
round alone: a queue that looks through its backlog at each claim, or snakepit without its daemon.
"With its server or daemon": redis-server, nats-server, and the process that keeps snakepit's index.

The peers are installed by `pip install -r requirements/bench.txt` and `apt-get install
redis-server`; what is absent is named below. `--quick` takes two minutes, `--help` tells the rest."""


def _is_quick(answer: dict[str, Any]) -> bool:
    return str(answer["options"]["quick"]) == "True"


def _targets(rows: list[Row]) -> str:
    lines = [(v.target, v.wanted, v.measured, v.word) for v in verdicts(rows)]
    return "## Targets\n\n" + table(("target", "wanted", "measured", ""), lines)


def _peers_in(rows: list[Row]) -> list[str]:
    there = {row["peer"] for row in rows}
    return [name for name in ORDER if name in there]


def _drains(rows: list[Row], backlog: int, *, durable: bool) -> str:
    mine = select(rows, backlog=backlog, durable=durable)
    counts = sorted({row["workers"] for row in select(mine, measure="drain") if "workers" in row})
    told = 4 if 4 in counts else (counts[-1] if counts else 0)
    lines = []
    for peer in _peers_in(mine):
        drains = select(mine, measure="drain", peer=peer)
        if drains and all("absent" in row for row in drains):
            continue
        puts = [row["per_s"] for row in select(mine, measure="put", peer=peer)]
        cells = [LABELS[peer], spread(puts)]
        cells += [spread([r["per_s"] for r in select(drains, workers=count)]) for count in counts]
        at = select(drains, workers=told)
        cpu = [row["cpu_us"] + row.get("beside_cpu_us", 0.0) for row in at if "cpu_us" in row]
        cells.append(short(median(cpu)) if cpu else "-")
        cells.append(_memory(at))
        cells.append(_times(rows, mine, peer, backlog, told, durable=durable))
        doubles = sum(row.get("doubles", 0) for row in drains)
        done = sum(row.get("done", 0) for row in drains)
        cells.append(f"**{doubles}** of {done}" if doubles else f"0 of {done}")
        if durable:
            cells.append(next((row["note"] for row in drains if "note" in row), "fsync"))
        lines.append(cells)
    head = ["", "put/s", *(f"claim+complete/s, {count} workers" for count in counts)]
    head += [f"CPU us a task, {told} workers, with its server or daemon"]
    head += ["MB a worker + beside", f"snakepit is, {told} workers", "claimed twice"]
    title = f"## Backlog {short(backlog)}"
    if durable:
        title = f"## Durable: each step synced, backlog {short(backlog)}"
        head.append("by")
        without = [LABELS[name] for name in _peers_in(mine) if _is_absent(mine, name)]
        note = f"\n\nNo such setting: {', '.join(without)}." if without else ""
        return f"{title}\n\n" + table(head, lines) + note
    return f"{title}\n\n" + table(head, lines) + _prepared(mine)


def _memory(rows: list[Row]) -> str:
    """Peak RSS of one worker, and PSS of the server or daemon beside them."""
    worker = [row["rss_mb"] for row in rows if "rss_mb" in row]
    beside = [row["beside_pss_mb"] for row in rows if "beside_pss_mb" in row]
    if not worker:
        return "-"
    return f"{median(worker):.0f}" + (f" + {median(beside):.0f}" if beside else "")


def _is_absent(rows: list[Row], peer: str) -> bool:
    drains = select(rows, measure="drain", peer=peer)
    return bool(drains) and all("absent" in row for row in drains)


def _times(rows: list[Row], mine: list[Row], peer: str, backlog: int, count: int,
           *, durable: bool) -> str:  # fmt: skip
    if peer == "ours":
        return "1"
    if durable:
        ours = [r["per_s"] for r in select(mine, measure="drain", peer="ours", workers=count)]
        theirs = [r["per_s"] for r in select(mine, measure="drain", peer=peer, workers=count)]
        both = ours and theirs and median(theirs)
        return f"{short(median(ours) / median(theirs))} x" if both else "-"
    values = ratios(rows, ("ours", backlog), (peer, backlog), count)
    return f"{spread(values)} x" if values else "-"


def _prepared(rows: list[Row]) -> str:
    secs = [r["prepare_s"] for r in select(rows, measure="drain", peer="ours") if "prepare_s" in r]
    if not secs:
        return ""
    return (
        f"\n\nBefore the drain snakepit's daemon had read and indexed the backlog, as it does while "
        f"tasks come; all of it at once took {short(median(secs))} s."
    )


def _latency(rows: list[Row]) -> str:
    text = ""
    titles = {
        "idle": "## From drop to claim, idle\n\nOne worker waits the library's own way; the stamp is "
        "taken before the producer writes.",
        "urgent": "## An urgent task in a busy drain\n\n4 workers drain a backlog while urgent tasks "
        "are dropped, 20 ms apart.",
    }
    for measure, title in titles.items():
        found = select(rows, measure=measure)
        lines: list[Sequence[str]] = []
        for row in found:
            if "p50_ms" not in row:
                why = row.get("absent") or f"none of {row['dropped']} came"
                lines.append((LABELS[row["peer"]], why, "", "", "", ""))
                continue
            ms = [f"{row[key]:.2f}" for key in ("p50_ms", "p99_ms", "max_ms")]
            came = f"{row['n']} of {row['dropped']}"
            how = row.get("wait") or f"backlog {short(row['backlog'])}"
            lines.append((LABELS[row["peer"]], *ms, came, how))
        if lines:
            head = ("", "p50 ms", "p99 ms", "most ms", "came", "how")
            text += f"{title}\n\n{table(head, lines)}\n\n"
    return text.strip()


def _killed(rows: list[Row]) -> str:
    lines = []
    for row in select(rows, measure="killed"):
        if not row["claimed"]:
            told = "the first worker got nothing"
        elif row["after_s"] is not None:
            told = f"back after {row['after_s'] * 1000:.0f} ms"
        elif row["by"]:
            told = f"not within {row['waited_s']:.0f} s; back after an explicit {row['by']}"
        else:
            told = f"not back within {row['waited_s']:.0f} s"
        lines.append((LABELS[row["peer"]], told))
    return (
        "## The task of a worker killed with SIGKILL\n\n" + table(("", ""), lines) if lines else ""
    )


def _pool(rows: list[Row]) -> str:
    parts = []
    for row in select(rows, measure="idle_pool"):
        lines = [
            (
                role,
                str(of["n"]),
                f"{of['cpu_percent']:.3f}",
                f"{of['rss_mb']:.1f}",
                f"{of['pss_mb']:.1f}",
            )
            for role, of in row["roles"].items()
        ]
        head = ("", "processes", "CPU, % of a core", "RSS MB each", "PSS MB each")
        parts.append(
            f"A pool of {row['workers']} script workers by `up`, nothing to eat, watched for "
            f"{row['secs']:.0f} s: {row['cpu_percent']:.2f} % of one core and "
            f"{row['pss_mb']:.0f} MB (PSS) in all.\n\n" + table(head, lines)
        )
    back = [r["after_s"] * 1000 for r in select(rows, measure="pool_kill") if r["after_s"]]
    lost = [r for r in select(rows, measure="pool_kill") if not r["after_s"]]
    if back or lost:
        parts.append(
            f"{len(back) + len(lost)} workers of that pool killed with SIGKILL in the middle of a task: "
            + (f"its food was back after {spread(back)} ms. " if back else "")
            + (f"{len(lost)} were not back within 30 s." if lost else "")
        )
    return "## The pool\n\n" + "\n\n".join(parts) if parts else ""


def _commands(rows: list[Row]) -> str:
    found = select(rows, measure="command")
    click = next((row["median_ms"] for row in found if row["command"] == "import click"), None)
    lines = []
    for row in found:
        times = f"{row['median_ms'] / click:.2f}" if click else "-"
        least, most = row["least_ms"], row["most_ms"]
        cell = f"{row['median_ms']:.0f} ({least:.0f} to {most:.0f})"
        lines.append((f"`{row['command']}`", cell, times))
    firsts = [
        f"first result of command 1, {row['which']} time: {row['secs']:.1f} s"
        for row in select(rows, measure="first_result")
    ]
    text = table(("", "ms", "by `import click`"), lines) if lines else ""
    parts = [part for part in (text, "; ".join(firsts)) if part]
    return "## Commands\n\n" + "\n\n".join(parts) if parts else ""


def _tail(answer: dict[str, Any]) -> str:
    lines = [f"- {name}: {why}" for name, why in answer["absent"].items()]
    lines += [f"- failed: {failure}" for failure in answer["failures"]]
    lines += [f"- {r['measure']}: {r['absent']}" for r in answer["rows"]
              if "absent" in r and "peer" not in r]  # fmt: skip
    return "## Not measured\n\n" + "\n".join(lines) if lines else ""
