"""Owns the pool that has nothing to eat: its CPU and memory, and how soon a killed worker's food is back."""

import json
import os
import secrets
import signal
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench import clock
from bench.options import Options

if TYPE_CHECKING:
    from bench.product import Clone

Row = dict[str, Any]
READY_S = 60.0
BACK_S = 30.0
CONFIG = """[defaults]
tmux_socket = "{socket}"

[[pool]]
name = "snake"
count = {count}
backend = "script"
"""
ROLES = (  # by what stands in the command line
    ("guard.py", "guard"),
    ("snakepit.worker", "worker"),
    ("snakepit.daemon.view", "view of the daemon"),
    ("snakepit.daemon", "daemon"),
    (" daemon", "daemon"),
)
MEAL = """---
species: script
---
```bash run
sleep 600
```
"""


def measure(clone: "Clone", options: Options) -> list[Row]:
    """Start the pool with its own config, watch it idle, then kill its workers at work one by one."""
    home = clone.folder / "idle"
    home.mkdir()
    config = home / "agents.toml"
    socket = f"snakepit-bench-{secrets.token_hex(4)}"
    config.write_text(CONFIG.format(socket=socket, count=options.pool_size))
    try:
        said = clone.agents("up", "--config", str(config))
        if said.returncode:
            raise RuntimeError(f"up answered {said.returncode}: {said.stderr[-600:]}")
        claimed = home / "pit" / "claimed"
        _wait(lambda: len(_workers(claimed)) >= options.pool_size, READY_S, "all workers")
        clock.pause(2.0 if options.quick else 10.0)  # starting is not idling
        rows = [watch((str(home), socket), options.pool_size, options.idle_s)]
        rows += kills(clone, home, config, options.pool_size)
    finally:
        clone.agents("down", "--config", str(config), "--grace", "1")
        end_marked((str(home), socket))
    return rows


def _wait(predicate: Any, seconds: float, what: str) -> None:
    deadline = clock.now() + seconds
    while not predicate():
        if clock.now() > deadline:
            raise RuntimeError(f"waited {seconds} s for {what}")
        clock.pause(0.01)


def _workers(claimed: Path) -> list[str]:
    return [name for name in os.listdir(claimed) if (claimed / name / ".worker.json").exists()]


# Watching ---------------------------------------------------------------------------------------


def processes(marks: tuple[str, ...]) -> dict[int, str]:
    """Every process whose command line names the pool, and what descends from one; with its role."""
    lines: dict[int, str] = {}
    parents: dict[int, int] = {}
    for name in filter(str.isdigit, os.listdir("/proc")):
        try:
            raw = Path(f"/proc/{name}/cmdline").read_bytes()
            stat = Path(f"/proc/{name}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            continue
        lines[int(name)] = raw.replace(b"\0", b" ").decode(errors="replace")
        parents[int(name)] = int(stat[1])
    found = {pid for pid, line in lines.items() if any(mark in line for mark in marks)}
    found.discard(os.getpid())
    grown = True
    while grown:
        more = {pid for pid, parent in parents.items() if parent in found} - found
        found |= more
        grown = bool(more)
    return {pid: _role(lines[pid]) for pid in found}


def _role(line: str) -> str:
    program = line.split(" ")[0]
    if program.startswith("tmux") or program.endswith("/tmux"):
        return "tmux"
    for part, role in ROLES:
        if part in line:
            return role
    return "other"


def cpu_ns(pid: int) -> int:
    total = 0
    for task in os.listdir(f"/proc/{pid}/task"):
        total += int(Path(f"/proc/{pid}/task/{task}/schedstat").read_text().split()[0])
    return total


def memory_mb(pid: int) -> tuple[float, float]:
    """RSS and PSS."""
    sums = {"Rss": 0, "Pss": 0}
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        key, _, rest = line.partition(":")
        if key in sums:
            sums[key] += int(rest.split()[0])
    return sums["Rss"] / 1024, sums["Pss"] / 1024


def watch(marks: tuple[str, ...], workers: int, seconds: float) -> Row:
    """A process that ended meanwhile is left out; one that began counts with all it used."""
    before = {pid: cpu_ns(pid) for pid in processes(marks)}
    start = clock.now()
    clock.pause(seconds)
    took = clock.now() - start
    roles: dict[str, dict[str, float]] = {}
    for pid, role in processes(marks).items():
        try:
            used, (rss, pss) = cpu_ns(pid) - before.get(pid, 0), memory_mb(pid)
        except OSError:
            continue
        of = roles.setdefault(role, {"n": 0, "cpu_percent": 0.0, "rss_mb": 0.0, "pss_mb": 0.0})
        of["n"] += 1
        of["cpu_percent"] += used / took / 1e7
        of["rss_mb"] += rss
        of["pss_mb"] += pss
    total = {key: sum(of[key] for of in roles.values()) for key in ("cpu_percent", "pss_mb")}
    for of in roles.values():
        of["rss_mb"] /= of["n"]
        of["pss_mb"] /= of["n"]
    if "worker" not in roles:
        raise RuntimeError(f"no worker process found among {sorted(roles)}")
    worker = roles["worker"]["rss_mb"]
    return {
        "measure": "idle_pool",
        "workers": workers,
        "secs": took,
        **total,
        "worker_rss_mb": worker,
        "with_guard_rss_mb": worker + roles.get("guard", {}).get("rss_mb", 0.0),
        "roles": roles,
    }


# Killing ----------------------------------------------------------------------------------------


def kills(clone: "Clone", home: Path, config: Path, workers: int) -> list[Row]:
    """Each worker holds a long meal and is killed once; food back = the file is in food/ or claimed anew."""
    meal = home / "meal.md"
    meal.write_text(MEAL)
    for _ in range(workers):
        clone.agents("feed", "--config", str(config), str(meal))
    claimed, food = home / "pit" / "claimed", home / "pit" / "food"

    def held() -> dict[str, str]:
        return {name: path.parent.name for path in claimed.glob("*/*.md") if (name := path.name)}

    _wait(lambda: len(held()) >= workers, READY_S, "a meal for each worker")
    rows = []
    for name, worker in held().items():
        record = json.loads((claimed / worker / ".worker.json").read_text())
        folder = (claimed / worker).stat().st_ino
        start = clock.now()
        os.kill(record["pid"], signal.SIGKILL)
        rows.append(
            {
                "measure": "pool_kill",
                "worker": worker,
                "after_s": _back_after(name, food, claimed, folder, start),
            }
        )
        clock.pause(0.2)
    return rows


def _back_after(name: str, food: Path, claimed: Path, folder: int, start: float) -> float | None:
    """Seconds until the file waits again or lies in another life's folder."""
    while clock.now() < start + BACK_S:
        if (food / name).exists():
            return clock.now() - start
        for path in claimed.glob(f"*/{name}"):
            try:
                if path.parent.stat().st_ino != folder:
                    return clock.now() - start
            except FileNotFoundError:
                continue
        clock.pause(0.0005)
    return None


# Ending -----------------------------------------------------------------------------------------


def end_marked(marks: tuple[str, ...]) -> None:
    """What `down` left of the pool we started, by pid."""
    for pid in processes(marks):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            continue


def end_all(clone: "Clone") -> None:
    if Path(clone.venv_python).exists():
        clone.agents("down", "--grace", "1")
    end_marked((str(clone.folder),))
