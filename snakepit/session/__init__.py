"""Owns tmux: the only layer that knows sessions and panes."""
