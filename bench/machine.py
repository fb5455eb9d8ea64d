"""Owns the facts of the machine and the versions that stand above every table."""

import importlib.metadata
import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

from bench import clock
from bench.servers import version_of

PACKAGES = ("huey", "persist-queue", "litequeue", "kombu", "redis", "nats-py", "click")


def filesystem_of(path: Path) -> str:
    """The type and options of the mount that holds `path`, as the kernel says."""
    best, said = "", "unknown"
    for line in Path("/proc/self/mounts").read_text().splitlines():
        _, where, kind, options = line.split()[:4]
        inside = path.is_relative_to(where.replace("\\040", " "))
        if inside and len(where) >= len(best):
            best, said = where, f"{kind} ({options})"
    return said


def processor() -> str:
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def commit() -> str:
    here = Path(__file__).parent
    said = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, cwd=here
    )
    return said.stdout.strip() or "unknown"


def facts(root: Path) -> dict[str, Any]:
    versions = {}
    for package in PACKAGES:
        try:
            versions[package] = importlib.metadata.version(package)
        except importlib.metadata.PackageNotFoundError:
            continue
    memory = Path("/proc/meminfo").read_text().splitlines()[0].split()[1]
    return {
        "at": clock.today(),
        "commit": commit(),
        "cores": os.cpu_count(),
        "processor": processor(),
        "memory_gb": round(int(memory) / 1e6),
        "kernel": platform.release(),
        "filesystem": filesystem_of(root),
        "python": sys.version.split()[0],
        "versions": versions,
        "servers": {name: version_of(name) for name in ("redis-server", "nats-server")},
        "load_before": round(os.getloadavg()[0], 2),
    }
