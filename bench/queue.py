"""Owns the command `python bench/queue.py`: one run, same work, all queues side by side.

This file's name hides the standard library's `queue`, so it gives its folder's place on the path to
the top of the repository before anything else is imported.
"""

import sys
from os.path import abspath, dirname

if __name__ == "__main__":
    sys.path[0] = dirname(dirname(abspath(__file__)))

    from bench.run import main

    sys.exit(main(sys.argv[1:]))
