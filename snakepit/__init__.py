"""A worker pool of coding agents over a filesystem queue."""

__version__ = "0.1.0"
