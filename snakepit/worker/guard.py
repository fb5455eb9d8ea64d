"""Owns the entry to pane_guard, which so is loaded compiled: 0.9 MB less in every pane."""

import os
import sys

if __name__ == "__main__":
    sys.path[:] = [os.path.dirname(os.path.abspath(__file__)), *sys.path]
    from pane_guard import main  # type: ignore[import-not-found]

    os._exit(main())
