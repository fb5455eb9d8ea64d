"""Owns what only one kind of operating system has, with a portable path beside each."""
