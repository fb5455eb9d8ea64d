"""Owns what every verb shares: --config, --json, and opening the pit they name.

A verb is a click command that takes an `Invocation` first:

    @click.command(epilog="JSON: {...what --json prints...}")
    @click.argument("name")
    @verb_options
    def show(call: Invocation, name: str) -> None:
        '''One line, the same as in main.VERBS.

        \b
        Example: agents.py show first-meal
        '''
        pit = call.open()
        call.emit({"name": name}, [f"{name} waits"])
"""

import functools
import os
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import click

from snakepit.cli.called import DEFAULT_CONFIG, VARIABLE, as_called
from snakepit.errors import ConfigError, UsageProblem

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config import Config
    from snakepit.pool.context import Pit

IDENTITY = "SNAKEPIT_WORKER"


class Invocation:
    """One run of one verb: where its config is, how it answers; opens nothing until asked."""

    def __init__(self, arguments: Iterable[str] = ()) -> None:
        self.arguments = tuple(arguments)
        self.config_flag: str | None = None
        self.as_json = False
        self.debug = False
        self.log_dir: Path | None = None
        self._config: Config | None = None

    def config_path(self, *, as_agent: bool = False) -> "Path":
        """The flag, else ./agents.toml, else the snake's own pit, which agents' verbs ask first."""
        from pathlib import Path

        inherited = os.environ.get("SNAKEPIT_CONFIG", "")
        if self.config_flag:
            return Path(self.config_flag)
        if inherited and (as_agent or not os.path.exists(DEFAULT_CONFIG)):
            return Path(inherited)
        return Path(DEFAULT_CONFIG)

    def load(self, *, as_agent: bool = False, strict: bool = False) -> "Config":
        """The file's config; where it does not read, that of the running pool, unless `strict`."""
        if self._config is None:
            path = self.config_path(as_agent=as_agent)
            try:
                self._config = _read(path)
            except ConfigError as error:
                self._config = None if strict else self._in_use(path, error)
                if self._config is None:
                    raise
            self.log_dir = self._config.log_dir
        return self._config

    def _in_use(self, path: "Path", error: ConfigError) -> "Config | None":
        from snakepit.cli.in_use import config_of_running_pool, first_problem

        config = config_of_running_pool(path)
        if config is not None:
            problem = first_problem(error)
            self.notice(f"{problem}; this is the pool as it was started; see `agents.py check`")
        return config

    def use(self, config: "Config") -> None:
        """Go on with this config instead of reading one."""
        self._config = config
        self.log_dir = config.log_dir

    def open(self, *, as_agent: bool = False) -> "Pit":
        """The pit, which is closed when the verb ends."""
        from snakepit.pool.context import open_context

        pit = open_context(self.load(as_agent=as_agent))
        click.get_current_context().call_on_close(pit.close)
        return pit

    def emit(self, value: object, lines: Iterable[str] = ()) -> None:
        """Answer once: `value` as one JSON object under --json, else the lines."""
        from snakepit.cli.output import print_json, print_lines

        if self.as_json:
            print_json(value)
        else:
            print_lines(lines)

    def table(
        self, value: object, header: tuple[str, ...], rows: Iterable[tuple[str, ...]]
    ) -> None:
        """Answer once with a table: rich on a terminal, tab-separated lines in a pipe."""
        from snakepit.cli.output import print_json, print_table

        if self.as_json:
            print_json(value)
        else:
            print_table(header, rows)

    def notice(self, line: str) -> None:
        """Say what is no answer: on stderr, so that stdout stays the answer."""
        from snakepit.cli.output import print_notice

        print_notice(self.said(line))

    def said(self, text: str) -> str:
        """Our own text, its `agents.py VERB` as this reader can type it."""
        return as_called(text, self.config_flag)

    def refuse_from_inside(self, verb: str, *, from_inside: bool) -> None:
        """Keep a snake of this pit from acting on the pool that runs it."""
        if from_inside or not os.environ.get(IDENTITY):
            return
        worker = worker_inside(self.load().pit_dir)
        if worker:
            msg = f"{verb}: refused from inside {worker}, a snake of this pit"
            raise UsageProblem(msg, fix=f"agents.py {verb} --from-inside, if that is what you mean")

    def step_outside(self) -> None:
        """In a pane of this pit, let a process outside of it run this very command, and exit as that does.

        Returns where we are outside already, or where no guard is left to start it.
        """
        from snakepit.pool.environment import kept_environment, without_identity
        from snakepit.pool.handover import hand_over
        from snakepit.pool.program import module_argv

        config = self.load()
        env = {**without_identity(os.environ), **kept_environment(config.state_dir)}
        if VARIABLE in os.environ:
            env[VARIABLE] = os.environ[VARIABLE]
        words = ("--config", str(config.path), *self.arguments)
        handed = hand_over(config, module_argv("snakepit.cli.main", *words), env)
        if handed is not None:
            from snakepit.cli.output import pass_on

            raise SystemExit(handed.relay(pass_on))


def _read(path: "Path") -> "Config":
    from snakepit.config import load

    if not path.is_file():
        msg = f"no config file {path}"
        raise ConfigError(msg, fix="agents.py init, or name one with --config FILE")
    return load(path, environ=os.environ, flags=None)


def worker_inside(pit_dir: "Path") -> str | None:
    """The snake of this very pit that runs us; None for a person, and for another pit's snake."""
    worker = os.environ.get(IDENTITY)
    pit = os.environ.get("SNAKEPIT_PIT", "")
    if worker and os.path.realpath(pit) == os.path.realpath(pit_dir):
        return worker
    return None


def config_callback(ctx: click.Context, _param: click.Parameter, value: str | None) -> None:
    if value:
        ctx.obj.config_flag = value


def _json_callback(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ctx.obj.as_json = ctx.obj.as_json or value


def _debug_callback(ctx: click.Context, _param: click.Parameter, value: bool) -> None:
    ctx.obj.debug = ctx.obj.debug or value


def verb_options(function: Callable[..., None]) -> Callable[..., None]:
    """Add --config, --json and --debug, and pass the Invocation as the first argument."""

    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        function(click.get_current_context().obj, *args, **kwargs)

    for option in (
        click.option(
            "--debug", is_flag=True, hidden=True, expose_value=False, callback=_debug_callback
        ),
        click.option(
            "--json",
            is_flag=True,
            is_eager=True,
            expose_value=False,
            callback=_json_callback,
            help="Print one JSON object.",
        ),
        click.option(
            "--config",
            metavar="FILE",
            expose_value=False,
            callback=config_callback,
            help="The agents.toml to use [./agents.toml].",
        ),
    ):
        run = option(run)
    return run


from_inside_option = click.option(
    "--from-inside", is_flag=True, help="Do it although a snake of this pit asks for it."
)
