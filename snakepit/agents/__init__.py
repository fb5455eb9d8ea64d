"""Owns what is known of agent programs, as data."""
