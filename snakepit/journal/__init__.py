"""Owns events.jsonl: what happened, appended and numbered."""

from snakepit.journal.journal import Journal as Journal
