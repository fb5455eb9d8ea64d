"""Owns what runs in a worker's pane."""
