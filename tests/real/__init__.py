"""The real agent programs, as `scripts/install-clis` brings them, against the vendors' stand-in."""
