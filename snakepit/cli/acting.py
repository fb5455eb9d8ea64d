"""Owns the options that say for whom an agent's verb acts; the life that its environment names by default."""

import functools
import os
from collections.abc import Callable

import click

from snakepit.cli.options import Invocation, verb_options


def agent_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add the identity options and pass the call and an `Acting`; the life is adopted for the call only."""

    @functools.wraps(function)
    def run(
        call: Invocation, /, *, worker: str, generation: str, task: str, **rest: object
    ) -> None:
        from snakepit.pool.acting import acting_for, check_identity

        check_identity(worker, generation)
        with acting_for(call.open(as_agent=True), worker, generation, task) as acting:
            function(call, acting, **rest)

    wrapped = verb_options(run)
    for name, variable, text in (
        ("--task", "SNAKEPIT_TASK", "The claimed task."),
        ("--generation", "SNAKEPIT_GENERATION", "The life that holds it."),
        ("--worker", "SNAKEPIT_WORKER", "The snake that holds it."),
    ):
        wrapped = click.option(
            name,
            default=functools.partial(os.environ.get, variable, ""),
            help=f"{text} [${variable}]",
        )(wrapped)
    return wrapped
