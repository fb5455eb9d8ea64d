"""Owns the long-running process that keeps the pool alive."""
