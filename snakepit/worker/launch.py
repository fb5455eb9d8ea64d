"""Owns becoming an interactive CLI: `python -m snakepit.worker.launch --config FILE --agent NAME`.

The process opens the life and then execs the CLI, so the life's pid is the CLI's own: no lock proves it, its start
time does. Everything the CLI starts bears the life's generation in its environment.
"""

import os
import signal
import sys
from typing import TYPE_CHECKING, NoReturn

from snakepit.errors import AgentError, EnvironmentMissing, SnakepitError, UsageProblem
from snakepit.worker.arguments import Arguments, read_arguments
from snakepit.worker.identity import OURS_ALONE, identity, with_own_command

if TYPE_CHECKING:
    from collections.abc import Mapping

    from snakepit.agents.given import Given
    from snakepit.config.model import Agent, Config


def main() -> int:
    try:
        launch(read_arguments(sys.argv[1:]))
    except SnakepitError as error:
        print(f"snakepit.worker.launch: {error}", file=sys.stderr, flush=True)
        return error.exit_code


def launch(arguments: Arguments) -> NoReturn:
    from snakepit.agents.launchplan import find_program, plan
    from snakepit.pool.applied import load_in_use
    from snakepit.pool.canary import Account
    from snakepit.pool.context import opened
    from snakepit.pool.resume import take_resume_id
    from snakepit.pool.role import role_of
    from snakepit.pool.tree import end_life, open_mark
    from snakepit.system.process import leave_mark
    from snakepit.worker.caretaker import guard_pid

    config = load_in_use(arguments.config, os.environ)
    agent = config.member_of(arguments.agent)
    if agent is None:
        msg = f"no [[agent]] or pool member {arguments.agent!r} in {config.path}"
        raise UsageProblem(msg, fix="agents.py status names them")
    backend = config.backend_of(agent)
    if find_program(backend) is None:
        msg = f"[backend.{backend.name}] bin = {backend.bin!r} is not on PATH"
        raise EnvironmentMissing(msg, fix="install it, or see agents.py doctor")
    with opened(config) as pit:
        life = pit.store.open_worker(
            agent.name,
            session=config.session_name(agent),
            lock=False,
            guard=guard_pid(),
            end_life=end_life,
        )
        pit.journal.append(
            "worker.started",
            worker=agent.name,
            generation=life.generation,
            pid=life.record.pid,
            species=sorted(agent.diet.species),
        )
    own = identity(config, agent.name, life.generation)
    given = equipped(config, agent, own)
    made = plan(
        backend,
        agent,
        session=config.session_name(agent),
        kickoff=role_of(agent),
        resume_id=take_resume_id(config, agent),
        more=given.argv,
    )
    env = with_own_command({**backend.start.env, **given.env, **os.environ, **own})
    Account(config, agent, env)  # noted: who reads its hooks has another environment
    for name in OURS_ALONE:
        env.pop(name, None)
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores them, and exec would hand that on
    leave_mark(open_mark(life.generation))
    try:
        os.chdir(agent.dir)
        os.execvpe(made.argv[0], made.argv, env)
    except OSError as error:
        msg = f"cannot start {made.argv[0]} in {agent.dir}: {error.strerror}"
        raise AgentError(msg, fix=f"see [backend.{backend.name}] in {config.path}") from error


def equipped(config: "Config", agent: "Agent", own: "Mapping[str, str]") -> "Given":
    """Its hooks and our MCP server; the program starts without them where they cannot be written."""
    from snakepit.agents.given import Given
    from snakepit.pool.equip import equip, interactive_folder

    try:
        return equip(config, agent, interactive_folder(config, agent), own)
    except OSError as error:
        print(f"snakepit.worker.launch: no hooks and no MCP server: {error}", file=sys.stderr)
        return Given()


if __name__ == "__main__":
    sys.exit(main())
