"""Owns the states of a task and which event leads from one to the next: the only place that says so."""

from enum import StrEnum


class State(StrEnum):
    QUEUED = "queued"
    CLAIMED = "claimed"
    DONE = "done"
    DEAD = "dead"
