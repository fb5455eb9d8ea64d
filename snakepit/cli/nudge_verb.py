"""Owns the verb that gives a running program a text: nudge."""

from typing import TYPE_CHECKING

import click

from snakepit.cli.options import Invocation, verb_options
from snakepit.cli.parts import given_text
from snakepit.errors import AgentError, NotFound, NothingToClaim, SnakepitError, UsageProblem

if TYPE_CHECKING:
    from snakepit.config.model import Agent
    from snakepit.pool.deliver import Delivery

GO_ON = "Go on with what you have claimed, or settle it: done, fail or release."
SOURCE = {"hook": "program itself", "log": "program's own record", "screen": "screen"}


@click.command(
    epilog='JSON: {"name", "outcome", "reason", "proof", "mark"}; exit 0 delivered, 5 queued (nothing was '
    "typed; try again later), 1 refused or ambiguous."
)
@click.argument("name")
@click.argument("text", required=False, metavar="[FILE|-]")
@click.option("-m", "--message", help="The text itself.")
@click.option("--again", is_flag=True, help="Also when it may have come already.")
@verb_options
def nudge(call: Invocation, name: str, text: str | None, message: str | None, again: bool) -> None:
    """Give a text to an interactive snake, as if typed.

    Without a text it is asked to go on. Nothing is typed while a question, a half-typed line or a
    person is in its pane. A command of the program, as /compact, goes in as keys.

    \b
    Example: agents.py nudge snake-1 -m "Look at pit/scraps/ first."
    """
    from snakepit.pool.deliver import deliver
    from snakepit.session.tmux import TmuxHost

    pit = call.open()
    agent = pit.config.member_of(name.removeprefix(pit.config.defaults.session_prefix))
    if agent is None:
        msg = f"no snake is called {name!r}"
        raise NotFound(msg, fix="agents.py status names them")
    if pit.config.is_driven(agent):
        msg = f"{agent.name} runs its tasks without a prompt to type at"
        raise UsageProblem(msg, fix="agents.py feed gives it a task")
    words = GO_ON if message is None and text is None else given_text(text, message)
    host = TmuxHost(pit.config.socket)
    done = deliver(pit, host, agent, words, why="nudge", again=again)
    problem = _problem(agent, done)
    if call.as_json:
        call.emit({"name": agent.name, **done._asdict()})
        click.get_current_context().exit(problem.exit_code if problem else 0)
    if problem:
        raise problem
    call.emit(None, [f"{agent.name}: delivered, as the {SOURCE[done.proof]} tells"])


def _problem(agent: "Agent", done: "Delivery") -> SnakepitError | None:
    from snakepit.pool.deliver import Outcome

    if done.outcome is Outcome.QUEUED:
        msg = f"nothing was typed: {done.reason}"
        return NothingToClaim(msg, fix="try again later")
    if done.outcome is Outcome.REFUSED:
        msg = f"nothing was typed: {done.reason}"
        return AgentError(msg, fix=f"agents.py attach {agent.name}")
    if done.outcome is Outcome.AMBIGUOUS:
        msg = f"typed, but {done.reason}"
        return AgentError(msg, fix=f"agents.py attach {agent.name}; --again sends it all the same")
    return None
