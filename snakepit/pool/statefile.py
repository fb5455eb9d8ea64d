"""Owns how small records in <log_dir>/state/ are kept: whole or not at all, private."""

import json
import os
from collections.abc import Mapping
from pathlib import Path


def read_state(path: Path) -> dict[str, object]:
    """The record, or an empty one: a missing or damaged file must never stop the fleet."""
    try:
        found = json.loads(path.read_bytes())
    except (OSError, ValueError, RecursionError):
        return {}
    return found if isinstance(found, dict) else {}


def write_state(path: Path, record: Mapping[str, object]) -> None:
    """Replace the record by one rename; readers see the old one or the new one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    hidden = path.with_name(f".{path.name}.{os.urandom(4).hex()}")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with os.fdopen(os.open(hidden, flags, 0o600), "w", encoding="utf-8") as file:
            json.dump(record, file, indent=1, ensure_ascii=True)
        os.replace(hidden, path)
    except OSError:
        hidden.unlink(missing_ok=True)
        raise


def strings(found: object) -> tuple[str, ...]:
    """The strings of a list that was read from a record."""
    return tuple(item for item in found if isinstance(item, str)) if isinstance(found, list) else ()
