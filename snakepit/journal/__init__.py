"""Owns events.jsonl: what happened, appended and numbered."""
