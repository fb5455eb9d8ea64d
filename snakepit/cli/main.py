"""Owns the entry point and the table of verbs; imports nothing but click until a verb is run."""

import errno
import importlib
import os
import sys
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import click

from snakepit import __version__
from snakepit.cli.called import program
from snakepit.cli.options import Invocation, config_callback
from snakepit.cli.output import show_error, show_internal_error
from snakepit.errors import SnakepitError, StoreError

INTERRUPTED = 130  # 128 + SIGINT, as a shell reports it
FULL = frozenset((errno.ENOSPC, errno.EDQUOT, errno.EROFS))
PIPE_CLOSED = 141  # 128 + SIGPIPE


class Verb(NamedTuple):
    module: str
    attribute: str
    help: str


FAMILIES: dict[str, dict[str, Verb]] = {
    "The pool": {
        "init": Verb("config_verbs", "init", "Write a commented agents.toml for a new folder."),
        "up": Verb("fleet_verbs", "up", "Start the pool; twice gives the same fleet."),
        "down": Verb("fleet_verbs", "down", "End the pool and give claimed food back."),
        "status": Verb("state_verbs", "status", "Show food, snakes, and what waits for what."),
        "attach": Verb("session_verbs", "attach", "Look at a snake in its tmux session."),
        "logs": Verb("session_verbs", "logs", "Print what a snake's pane showed, readable."),
        "scale": Verb("fleet_verbs", "scale", "Change how many snakes a pool has."),
        "pause": Verb("fleet_verbs", "pause", "Claim nothing new; running meals go on."),
        "resume": Verb("fleet_verbs", "resume", "Claim again after a pause."),
        "nudge": Verb("nudge_verb", "nudge", "Give a text to an interactive snake, as if typed."),
        "limits": Verb("limit_verbs", "limits", "Show which accounts rest; --lift ends a rest."),
        "restart": Verb("fleet_verbs", "restart", "Restart a snake; its food goes back uncounted."),
        "reload": Verb("fleet_verbs", "reload", "Apply a changed agents.toml, commands included."),
    },
    "Food": {
        "feed": Verb("feed_verb", "feed", "Put tasks into food/: files, globs, stdin or -m."),
        "ls": Verb("task_verbs", "ls", "List tasks: food, claimed, done or scraps."),
        "show": Verb("task_verbs", "show", "Tell how a task was read and what happened."),
        "retry": Verb("task_verbs", "retry", "Move a task from scraps/ back to food/."),
        "cancel": Verb("task_verbs", "cancel", "Move a task to scraps/, ending its run."),
        "allow": Verb("task_verbs", "allow", "Allow a task that a snake wrote to run its code."),
    },
    "For agents, inside a snake": {
        "claim": Verb("agent_verbs", "claim", "Claim the next task, or one by name."),
        "done": Verb("agent_verbs", "done", "Settle the claimed task with a result."),
        "fail": Verb("agent_verbs", "fail", "Give the claimed task up with a reason."),
        "split": Verb("agent_verbs", "split", "Replace the claimed task by smaller parts."),
        "release": Verb("agent_verbs", "release", "Give the claimed task back, uncounted."),
        "wait": Verb("agent_verbs", "wait", "Wait until there may be something to claim."),
        "beat": Verb("agent_verbs", "beat", "Record progress on the claimed task."),
        "mcp": Verb("mcp_verb", "mcp", "Serve the agents' verbs as MCP tools on stdio."),
    },
    "Care": {
        "check": Verb("config_verbs", "check", "Validate agents.toml; all problems at once."),
        "backends": Verb(
            "backend_verbs", "backends", "List agent programs: here or not, version, feeding."
        ),
        "probe": Verb("backend_verbs", "probe", "Try an agent program on a scratch session."),
        "doctor": Verb("state_verbs", "doctor", "Check the machine; print each fix."),
        "fsck": Verb("state_verbs", "fsck", "Prove that each task is in exactly one place."),
        "clean": Verb("fleet_verbs", "clean", "Remove old waste, never tasks."),
        "events": Verb("state_verbs", "events", "Print what happened, from events.jsonl."),
        "log": Verb("session_verbs", "log", "Write readable logs of all panes."),
        "schema": Verb("config_verbs", "schema", "Print the JSON Schema of agents.toml."),
        "completion": Verb("completion", "completion", "Print the completion script of a shell."),
        "daemon": Verb("fleet_verbs", "daemon", "Run the daemon; `up` starts it by itself."),
    },
}
VERBS: dict[str, Verb] = {
    name: verb for family in FAMILIES.values() for name, verb in family.items()
}


class LazyGroup(click.Group):
    """Knows every verb by name and one line; imports a verb's module only to run or explain it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(VERBS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        verb = VERBS.get(cmd_name)
        if verb is None:
            return None
        module = importlib.import_module(f"snakepit.cli.{verb.module}")
        command: click.Command = getattr(module, verb.attribute)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in VERBS and not args[0].startswith("-"):
            ctx.fail(f"no verb {args[0]!r}.{_did_you_mean(args[0], VERBS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for family, verbs in FAMILIES.items():
            with formatter.section(family):
                formatter.write_dl([(name, verb.help) for name, verb in verbs.items()])

    def main(  # type: ignore[override]
        self,
        args: Sequence[str] | None = None,
        prog_name: str | None = None,
        **extra: object,
    ) -> None:
        """Run one command line and exit; every way out of the program is here."""
        arguments = list(sys.argv[1:] if args is None else args)
        call = Invocation(arguments)
        if "_SNAKEPIT_COMPLETE" in os.environ:
            super().main(arguments, prog_name, complete_var="_SNAKEPIT_COMPLETE", obj=call)
        sys.exit(self._run(arguments, prog_name or _program_name(), call))

    def _run(self, arguments: list[str], prog_name: str, call: Invocation) -> int:
        try:
            with self.make_context(prog_name, arguments, obj=call) as ctx:
                self.invoke(ctx)
                sys.stdout.flush()
            return 0
        except SystemExit as exc:
            return exc.code if isinstance(exc.code, int) else 1
        except BrokenPipeError:
            _silence_stdout()
            return PIPE_CLOSED
        except Exception as exc:
            return self._explain(exc, call)
        except KeyboardInterrupt:
            sys.stderr.write("\n")
            return INTERRUPTED

    def _explain(self, exc: Exception, call: Invocation) -> int:
        if isinstance(exc, click.exceptions.Exit):
            return exc.exit_code
        if isinstance(exc, click.Abort):
            sys.stderr.write("\n")
            return INTERRUPTED
        if isinstance(exc, click.ClickException):
            exc.show()
            return exc.exit_code
        if isinstance(exc, SnakepitError):
            exc.fix = call.said(exc.fix)
            show_error(exc, as_json=call.as_json, debug=call.debug)
            return exc.exit_code
        if isinstance(exc, OSError) and exc.errno in FULL:
            where = f": {exc.filename}" if exc.filename else ""
            fix = call.said("make room or make it writable; agents.py doctor looks")
            full = StoreError(f"not written: {exc.strerror}{where}", fix=fix)
            show_error(full, as_json=call.as_json, debug=call.debug)
            return full.exit_code
        show_internal_error(exc, log_dir=call.log_dir, debug=call.debug)
        return 1


def _did_you_mean(word: str, known: Iterable[str]) -> str:
    import difflib

    near = difflib.get_close_matches(word, list(known), n=1)
    return f" Did you mean {near[0]!r}?" if near else " See --help."


def _program_name() -> str:
    name = os.path.basename(sys.argv[0])
    return program() if name in ("__main__.py", "-c", "main.py", "") else name


def _silence_stdout() -> None:
    """Keep the interpreter from flushing into the closed pipe when it exits."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Example: agents.py up --feed examples/first-meal.md --wait",
)
@click.option(
    "--config",
    metavar="FILE",
    expose_value=False,
    callback=config_callback,
    help="The agents.toml to use [./agents.toml].",
)
@click.option(
    "--debug",
    is_flag=True,
    expose_value=False,
    callback=lambda ctx, _param, value: setattr(ctx.obj, "debug", value or ctx.obj.debug),
    help="Show the trace of an error.",
)
@click.version_option(__version__, prog_name="snakepit", message="%(prog)s %(version)s")
def app() -> None:
    """A pool of coding agents ("snakes") that eat markdown tasks from a folder."""


def main(arguments: Sequence[str] | None = None) -> None:
    app.main(arguments)


if __name__ == "__main__":
    main()
