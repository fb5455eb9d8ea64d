"""Owns the measurements of the queue and of the pool; nothing in the package imports it."""
