"""Owns the start of the server: `python -m snakepit.mcp [IDENTITY]`.

IDENTITY is a private file with the variables that say for whom it acts: some programs give a server
no environment of theirs.
"""

import json
import os
import sys

from snakepit.errors import EnvironmentMissing, SnakepitError, UsageProblem


def main(arguments: list[str]) -> int:
    try:
        if arguments:
            os.environ.update(read_identity(arguments[0]))
        start()
    except SnakepitError as error:
        print(f"snakepit.mcp: {error}", file=sys.stderr, flush=True)
        return error.exit_code
    except KeyboardInterrupt:
        return 130
    return 0


def start() -> None:
    try:
        from snakepit.mcp.server import serve
    except ModuleNotFoundError as error:
        msg = f"the MCP server needs the package {error.name}"
        raise EnvironmentMissing(msg, fix=f"{sys.executable} -m pip install 'mcp>=2.3'") from error
    serve()


def read_identity(path: str) -> dict[str, str]:
    try:
        with open(path, encoding="utf-8") as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        msg = f"cannot read who this server acts for, {path}: {error}"
        raise UsageProblem(msg, fix="run it inside a snake, without an argument") from error
    return {str(name): str(value) for name, value in found.items()}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
