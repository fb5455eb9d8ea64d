"""Owns the use cases: the only code that joins adapters, makes transitions and writes their events."""
