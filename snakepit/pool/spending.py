"""Owns what all runs of a pit used so far, by model: one small file, counted up by whoever settles a run."""

import fcntl
import os
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.usage import Usage, said, total
from snakepit.pool.statefile import read_state, write_state

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from snakepit.config.model import Config


def spending_path(config: "Config") -> "Path":
    return config.state_dir / "usage.json"


def count(config: "Config", usage: Usage) -> None:
    """One step against every other process; what cannot be written is not worth a failed run."""
    if not usage:
        return
    path = spending_path(config)
    try:
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        lock = os.open(path.with_name(path.name + ".lock"), flags, 0o600)
    except OSError:
        return
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        record = read_state(path)
        models = spent(config)
        models[usage.model] = models.get(usage.model, Usage()) + usage
        since = record.get("since") or clock.stamp()
        by_model = {name: part.to_json() for name, part in models.items()}
        write_state(path, {"since": since, "models": by_model})
    except OSError:
        return
    finally:
        os.close(lock)


def spent(config: "Config") -> dict[str, Usage]:
    """By model, since the file was begun; remove it to begin anew."""
    models = read_state(spending_path(config)).get("models")
    if not isinstance(models, dict):
        return {}
    return {str(name): Usage.from_json(part) for name, part in models.items()}


def spending_json(config: "Config") -> "Mapping[str, object]":
    """For status: the sum and its parts; `cost_usd` is null where a part of it is unknown."""
    models = spent(config)
    whole = total(list(models.values()))
    return {
        "since": read_state(spending_path(config)).get("since"),
        "total": whole.to_json(),
        "models": {name: part.to_json() for name, part in models.items()},
    }


def spending_line(config: "Config") -> str:
    whole = total(list(spent(config).values()))
    since = str(read_state(spending_path(config)).get("since") or "")[:10]
    return f"{said(whole)} since {since}" if whole else ""
