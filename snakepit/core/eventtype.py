"""Owns what the table of events says of one type."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class EventType:
    """`fields`: what stands beside seq, id, ts, type and, where it concerns one, task, worker, attempt."""

    doc: str
    fields: Mapping[str, str] = field(default_factory=dict)
