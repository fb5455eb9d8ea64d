"""Owns the stand-in as a command: `python -m tests.standin --port 8377 --log requests.jsonl`."""

import argparse
import contextlib
import sys
from pathlib import Path

from tests.standin.server import Standin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--log", type=Path, help="request log, a line of JSON for each")
    given = parser.parse_args()
    standin = Standin(given.port, log=given.log)
    sys.stdout.write(f"stand-in on http://127.0.0.1:{standin.port}\n")
    sys.stdout.flush()
    with contextlib.suppress(KeyboardInterrupt):
        standin.wait()


if __name__ == "__main__":
    main()
