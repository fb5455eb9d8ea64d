"""Owns agents.toml: its keys, their meaning and their checks."""
