"""Owns what can be decided without touching the world."""
