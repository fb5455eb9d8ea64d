"""Owns the durable state: tasks as files, moved by rename."""
