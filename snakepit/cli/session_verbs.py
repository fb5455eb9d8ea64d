"""Owns the verbs that look into sessions: attach, logs, log follow-all."""

import os
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from snakepit import clock
from snakepit.cli.options import Invocation, verb_options
from snakepit.cli.output import printable
from snakepit.errors import NotFound, SessionGone, UsageProblem

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config import Config
    from snakepit.session.base import Pane
    from snakepit.session.tmux import TmuxHost

WATCHDOG = "watchdog"  # the session that shows the daemon's live view
START_S = 20.0  # until the daemon has started who is called
BUSY = 0.1  # seconds between two looks at a log that grows
IDLE = 0.5  # seconds between two looks at logs that do not


@click.command(
    epilog='JSON: {"name", "session", "line", "read_only"}; with --json nothing is attached.'
)
@click.argument("name", required=False)
@click.option("--write", is_flag=True, help="Also type into a pane that the pit drives.")
@verb_options
def attach(call: Invocation, name: str | None, write: bool) -> None:
    """Look at a snake in its tmux session.

    A pane in which a worker runs is shown read-only; with --write, Ctrl-C in it asks before the
    food goes back. Leave with C-b d.

    \b
    Example: agents.py attach snake-1
    """
    config, host = _open_host(call)
    running = _running(config, host)
    if name is not None and _short(config, name) not in running:
        running = _called(config, host, _short(config, name)) or running
    if not running:
        msg = f"no session runs on tmux socket {config.socket!r}"
        raise SessionGone(msg, fix="agents.py up")
    name = name or _choose(list(running), ask=not call.as_json)
    pane = running.get(_short(config, name))
    if pane is None:
        raise _not_running(config, name, list(running))
    read_only = pane.driven and not write
    line = host.attach_line(pane.session)
    if call.as_json:
        call.emit({"name": name, "session": pane.session, "line": line, "read_only": read_only})
        return
    _become(host, pane, line, read_only=read_only)


@click.command(epilog='JSON: {"name", "lines": [...]}; not with -f.')
@click.argument("name")
@click.option("-f", "--follow", is_flag=True, help="Go on with what comes, until Ctrl-C.")
@click.option(
    "-n", "--lines", "count", type=click.IntRange(-1), default=100, show_default=True,
    help="How many of the last lines, -1 for all.",
)  # fmt: skip
@verb_options
def logs(call: Invocation, name: str, follow: bool, count: int) -> None:
    """Print what a snake's pane showed, readable.

    \b
    Example: agents.py logs snake-1 -f
    """
    from snakepit.session.follow import Follower, last_lines

    if follow and call.as_json:
        msg = "logs: --follow has no JSON"
        raise UsageProblem(msg, fix="agents.py events --follow --json gives one object a line")
    path = _raw_log(call.load(), name)
    if not follow:
        lines = last_lines(path, count)
        call.emit({"name": name, "lines": lines}, lines)
        return
    follower = Follower(path, count)
    _print(follower.backlog)
    _loop(lambda now: _print(follower.step(now)))


@click.group()
def log() -> None:
    """Write readable logs of all panes."""


@log.command("follow-all")
@click.option(
    "-n", "--lines", "count", type=click.IntRange(-1), default=5, show_default=True,
    help="How many of the last lines of each, -1 for all.",
)  # fmt: skip
@verb_options
def follow_all(call: Invocation, count: int) -> None:
    """Print what all panes show, each line with its name, until Ctrl-C.

    \b
    Example: agents.py log follow-all
    """
    from snakepit.session.follow import AllFollower, NamedLine

    config = call.load()
    # Not the pane that runs this very verb, which would read its own lines for ever, nor the view.
    own = {s.name for s in config.services if "follow-all" in (*s.own, *s.command.split())}
    names = [agent.name for agent in config.agents] + [s.name for s in config.services]
    width = max((len(name) for name in names), default=0)
    follower = AllFollower(config.log_dir / "raw", count=count, without=frozenset(own | {WATCHDOG}))

    def show(lines: list[NamedLine]) -> bool:
        return _print([f"{line.name:<{width}} | {line.text}" for line in lines])

    show(follower.backlog)
    _loop(lambda now: show(follower.step(now)))


def _open_host(call: Invocation) -> "tuple[Config, TmuxHost]":
    from snakepit.session.tmux import TmuxHost

    config = call.load()
    return config, TmuxHost(config.socket)


def _running(config: "Config", host: "TmuxHost") -> "dict[str, Pane]":
    """Return the panes of this pit by the names a person uses, agents first."""
    panes = {pane.session: pane for pane in host.panes()}
    prefix = config.defaults.session_prefix
    names = [agent.name for agent in config.agents] + [s.name for s in config.services]
    ordered = [*names, WATCHDOG, *(s.removeprefix(prefix) for s in panes if s.startswith(prefix))]
    return {name: panes[prefix + name] for name in ordered if prefix + name in panes}


def _called(config: "Config", host: "TmuxHost", name: str) -> "dict[str, Pane]":
    """Have the daemon start who starts on demand; what runs then."""
    from snakepit.pool import demand
    from snakepit.pool.attend import daemon_pid
    from snakepit.pool.deliver import wait_until

    agent = config.member_of(name)
    if agent is None or agent.start != demand.DEMAND or not daemon_pid(config):
        return {}
    demand.call(config, name)
    wait_until(lambda: name in _running(config, host), START_S)
    return _running(config, host)


def _short(config: "Config", name: str) -> str:
    return name.removeprefix(config.defaults.session_prefix)


def _choose(names: list[str], *, ask: bool) -> str:
    if len(names) == 1 or not ask or not sys.stdin.isatty():
        return names[0]
    for number, name in enumerate(names, 1):
        click.echo(f"{number:>3}  {name}", err=True)
    answer = click.prompt("attach to", default="1", err=True)
    if answer.isdigit() and 1 <= int(answer) <= len(names):
        return names[int(answer) - 1]
    return str(answer)


def _not_running(config: "Config", name: str, running: list[str]) -> NotFound:
    known = {agent.name for agent in config.agents} | {s.name for s in config.services}
    if _short(config, name) in known:
        msg = f"{name} has no session"
        return NotFound(msg, fix="agents.py up; agents.py status says why one does not start")
    msg = f"nothing is called {name!r}"
    return NotFound(msg, fix=f"what runs: {', '.join(running)}")


def _become(host: "TmuxHost", pane: "Pane", line: str, *, read_only: bool) -> None:
    """Replace this process by the tmux client."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        msg = "attach needs a terminal"
        raise UsageProblem(msg, fix=line)
    environ = dict(os.environ)
    outer = environ.get("TMUX", "").split(",")[0]
    if outer and os.path.realpath(outer) == os.path.realpath(host.socket_path()):
        argv = host.switch_argv(pane.session)
    else:
        environ = {k: v for k, v in environ.items() if k not in ("TMUX", "TMUX_PANE")}
        argv = host.attach_argv(pane.session, read_only=read_only)
        if read_only:
            sys.stderr.write("read-only; --write lets you type\n")
        if outer:
            sys.stderr.write("inside your own tmux: leave with C-b C-b d\n")
    sys.stdout.flush()
    sys.stderr.flush()
    os.execvpe(argv[0], argv, environ)


def _raw_log(config: "Config", name: str) -> "Path":
    folder = config.log_dir / "raw"
    path = folder / f"{_short(config, name)}.log"
    if "/" not in name and path.is_file():
        return path
    there = sorted(entry.stem for entry in folder.glob("*.log")) if folder.is_dir() else []
    msg = f"{name!r} has no log in {folder}"
    raise NotFound(msg, fix=f"there are: {', '.join(there)}" if there else "agents.py up")


def _print(lines: list[str]) -> bool:
    for line in lines:
        sys.stdout.write(printable(line) + "\n")
    if lines:
        sys.stdout.flush()
    return bool(lines)


def _loop(step: "Callable[[float], bool]") -> None:
    """Step until Ctrl-C; a step tells whether there was anything."""
    pause, stop = IDLE, threading.Event()
    while not stop.wait(pause):
        pause = BUSY if step(clock.monotonic()) else min(IDLE, pause * 1.5)
