"""Owns the entry of a worker: `python -m snakepit.worker --config FILE --agent NAME`.

Outside of a pane it first puts itself under a guard, so that nothing it starts can outlive it.
"""

import os
import sys

from snakepit.errors import SnakepitError, UsageProblem
from snakepit.worker.arguments import Arguments, read_arguments


def main() -> int:
    try:
        arguments = read_arguments(sys.argv[1:])
        return work(arguments)
    except SnakepitError as error:
        print(f"snakepit.worker: {error}", file=sys.stderr, flush=True)
        return error.exit_code


def work(arguments: Arguments) -> int:
    from snakepit.pool.applied import load_in_use
    from snakepit.pool.context import opened
    from snakepit.worker.caretaker import guard_pid

    config = load_in_use(arguments.config, os.environ)
    agent = config.member_of(arguments.agent)
    if agent is None:
        msg = f"no [[agent]] or pool member {arguments.agent!r} in {config.path}"
        raise UsageProblem(msg, fix="agents.py status names them")
    if not guard_pid():
        become_guarded(config.state_dir / "launch", agent.name)
    with opened(config) as pit:
        from snakepit.worker.life import run_worker

        run_worker(pit, agent, guard=guard_pid())
    return 0


def become_guarded(folder: "os.PathLike[str]", name: str) -> None:
    """The same command again, below a guard; does not return."""
    from pathlib import Path

    from snakepit.session import launchfile

    env = {key: value for key, value in os.environ.items() if key != "SNAKEPIT_GUARD"}
    path = launchfile.write(Path(folder), f"by-hand-{name}", [*sys.orig_argv], env, Path.cwd())
    command = launchfile.pane_command(path)
    os.execv(command[0], command)


if __name__ == "__main__":
    sys.exit(main())
