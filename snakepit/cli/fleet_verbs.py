"""Owns the verbs about the pool as a whole: up, down, daemon, restart, scale, pause, resume, reload, clean."""

import os
from typing import TYPE_CHECKING

import click

from snakepit.cli.options import Invocation, from_inside_option, verb_options
from snakepit.errors import ConfigError, NotFound, SnakepitError, UsageProblem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from snakepit.config.model import Config
    from snakepit.pool.end import Ended
    from snakepit.session.tmux import TmuxHost

GRACE = 10.0  # seconds


def open_host(config: "Config") -> "TmuxHost":
    from snakepit.pool.environment import without_identity
    from snakepit.session.tmux import TmuxHost

    environ = without_identity(os.environ)
    return TmuxHost(config.socket, tmux_conf=config.defaults.tmux_conf, environ=environ)


@click.command(
    epilog='JSON: {"agents": [{"name", "session", "state", "reason", "attach"}], "services": [...], '
    '"daemon": "started" or "running", "fed": [...], "ended": {...} or null}'
)
@click.option("--feed", "sources", multiple=True, metavar="FILE", help="Feed this file too.")
@click.option(
    "--wait", is_flag=True, help="Follow what was fed to its end; exit 1 if it is scraps."
)
@click.option(
    "--yes", is_flag=True, help="Consent that a program found by itself acts without asking."
)
@click.argument("more", nargs=-1, metavar="[FILE]...")
@verb_options
def up(
    call: Invocation, sources: tuple[str, ...], more: tuple[str, ...], wait: bool, yes: bool
) -> None:
    """Start the pool; twice gives the same fleet.

    \b
    Examples:
      agents.py up
      agents.py up --feed examples/first-meal.md --wait
    """
    from snakepit.cli.up_verb import bring_up

    if more and not sources:
        msg = f"up takes no {more[0]!r}"
        raise UsageProblem(msg, fix=f"agents.py up --feed {more[0]}")
    bring_up(call, (*sources, *more), wait=wait, yes=yes)


@click.command(
    epilog='JSON: {"sessions": [...], "workers": [...], "returned": [...], "killed": [...], '
    '"left": [pids], "daemon": true or false}'
)
@click.option(
    "--grace",
    type=click.FloatRange(0, 3600),
    default=GRACE,
    show_default=True,
    help="Seconds until what does not end is killed.",
)
@click.option("--drain", is_flag=True, help="Wait for running meals first.")
@from_inside_option
@verb_options
def down(call: Invocation, grace: float, drain: bool, from_inside: bool) -> None:
    """End the pool and give claimed food back.

    \b
    Examples:
      agents.py down
      agents.py down --drain
    """
    call.refuse_from_inside("down", from_inside=from_inside)
    from snakepit.pool.end import end_fleet
    from snakepit.pool.fleet import fleet_lock

    _load_even_if_broken(call)
    call.step_outside()
    pit = call.open()
    with fleet_lock(pit.config):
        host = open_host(pit.config)
        ended = end_fleet(pit, host, grace_s=grace, drain=drain, tell=call.notice)
    call.emit(ended_json(ended), ended_lines(ended))
    if ended.left:
        pids = ", ".join(str(pid) for pid in ended.left)
        msg = f"still running: {pids}"
        raise SnakepitError(msg, fix=f"look at them: ps -fp {pids.replace(' ', '')}")


def _load_even_if_broken(call: Invocation) -> None:
    """A file that somebody broke meanwhile must not keep a pool from ending."""
    from snakepit.pool.applied import load_in_use

    try:
        call.load(strict=True)
    except ConfigError:
        call.use(load_in_use(call.config_path(), os.environ))
        call.notice(f"{call.config_path()} is broken; ending the pool as it was started")


def ended_json(ended: "Ended") -> dict[str, object]:
    return {
        "sessions": list(ended.sessions),
        "workers": list(ended.workers),
        "returned": list(ended.returned),
        "killed": list(ended.killed),
        "left": list(ended.left),
        "daemon": ended.daemon,
    }


def ended_lines(ended: "Ended") -> "Iterator[str]":
    if ended.is_nothing:
        yield "nothing was running"
        return
    what = [counted(len(ended.workers), "snake"), counted(len(ended.sessions), "session")]
    if ended.daemon:
        what.append("the daemon")
    if not (ended.workers or ended.sessions or ended.daemon):
        yield "nothing was running"
    elif not ended.left:
        yield f"ended: {', '.join(what)}; nothing is left running"
    if ended.killed:
        yield f"had to be killed: {', '.join(ended.killed)}"
    if ended.returned:
        shown = ", ".join(ended.returned[:5]) + (" …" if len(ended.returned) > 5 else "")
        yield f"given back, no attempt counted: {shown}"


def counted(number: int, word: str) -> str:
    return f"{number} {word}" if number == 1 else f"{number} {word}s"


@click.command()
@verb_options
def daemon(call: Invocation) -> None:
    """Run the daemon; `up` starts it by itself.

    It serves in the foreground until Ctrl-C: index, reaping, restarts, reload, cleaning.

    \b
    Example: agents.py daemon
    """
    from snakepit.daemon.start import serve
    from snakepit.pool.attend import daemon_pid

    config = call.load()
    pid = daemon_pid(config)
    if pid is not None:
        call.emit({"pid": pid, "state": "running"}, [f"the daemon runs already (pid {pid})"])
        return
    os.umask(0o077)
    raise SystemExit(serve(config.path, always=True))


@click.command(epilog='JSON: {"name", "session", "returned": [...], "attach"}')
@click.argument("name")
@click.option("--grace", type=click.FloatRange(0, 3600), default=GRACE, show_default=True)
@from_inside_option
@verb_options
def restart(call: Invocation, name: str, grace: float, from_inside: bool) -> None:
    """Restart a snake; its food goes back uncounted.

    \b
    Example: agents.py restart snake-1
    """
    call.refuse_from_inside("restart", from_inside=from_inside)
    call.step_outside()
    from snakepit.pool.change import restart_one

    pit = call.open()
    host = open_host(pit.config)
    ended = restart_one(pit, host, name, grace_s=grace)
    session = pit.config.session_name(name)
    value = {
        "name": name,
        "session": session,
        "returned": list(ended.returned),
        "attach": host.attach_line(session),
    }
    given = f"; given back: {', '.join(ended.returned)}" if ended.returned else ""
    call.emit(value, [f"{name} is restarted{given}", f"look: {host.attach_line(session)}"])


@click.command(
    epilog='JSON: {"pool", "was", "count", "started": [...], "ended": [...], "leaving": [...], '
    '"waits_for_reload"}'
)
@click.argument("sizes", nargs=-1, required=True, metavar="POOL=N...")
@from_inside_option
@verb_options
def scale(call: Invocation, sizes: tuple[str, ...], from_inside: bool) -> None:
    """Change how many snakes a pool has.

    Idle snakes go first; a busy one leaves after its meal. The size outlives a restart.

    \b
    Example: agents.py scale snake=4
    """
    call.refuse_from_inside("scale", from_inside=from_inside)
    call.step_outside()
    from snakepit.pool.change import rescale

    pit = call.open()
    wanted = [_size(pit.config, size) for size in sizes]
    host = open_host(pit.config)
    changes = [rescale(pit, host, pool, count) for pool, count in wanted]
    values = [change.to_json() for change in changes]
    lines = [call.said(line) for change in changes for line in change.lines()]
    call.emit(values[0] if len(values) == 1 else {"pools": values}, lines)


def _size(config: "Config", text: str) -> tuple[str, int]:
    name, found, number = text.partition("=")
    if not found or not number.isdecimal() or int(number) > 1000:
        msg = f"{text!r} is not POOL=N"
        raise UsageProblem(msg, fix="agents.py scale snake=4")
    if config.pool(name) is None:
        known = ", ".join(pool.name for pool in config.pools) or "none"
        msg = f"no pool {name!r} in {config.path}"
        raise NotFound(msg, fix=f"pools: {known}")
    return name, int(number)


@click.command(epilog='JSON: {"paused": [names], "changed": true or false}')
@click.argument("name", required=False)
@verb_options
def pause(call: Invocation, name: str | None) -> None:
    """Claim nothing new; running meals go on. Without a name: all snakes.

    \b
    Examples:
      agents.py pause
      agents.py pause snake-2
    """
    _set_paused(call, name, paused=True)


@click.command(epilog='JSON: {"paused": [names], "changed": true or false}')
@click.argument("name", required=False)
@verb_options
def resume(call: Invocation, name: str | None) -> None:
    """Claim again after a pause. Without a name: all snakes, also those paused by name.

    \b
    Example: agents.py resume
    """
    _set_paused(call, name, paused=False)


def _set_paused(call: Invocation, name: str | None, *, paused: bool) -> None:
    from snakepit.pool.change import set_paused

    pit = call.open()
    changed, names = set_paused(pit, name, paused=paused)
    who = name or "every snake"
    now = "claims nothing new" if paused else "claims again"
    still = f" (paused: {', '.join(names)})" if names and not paused else ""
    line = f"{who} {now}{still}" if changed else f"{who}: nothing to change{still}"
    call.emit({"paused": list(names), "changed": changed}, [line])


@click.command(
    epilog='JSON: {"restarted": [...], "leaving": [...], "started": [...], "ended": [...]}'
)
@from_inside_option
@verb_options
def reload(call: Invocation, from_inside: bool) -> None:
    """Apply a changed agents.toml, commands included.

    Numbers count as soon as the file is saved. This also applies commands, bin, flags and env:
    idle snakes restart now, busy ones after their meal.

    \b
    Example: agents.py reload
    """
    call.load(strict=True)
    call.refuse_from_inside("reload", from_inside=from_inside)
    call.step_outside()
    from snakepit.pool.change import apply_config

    pit = call.open()
    change = apply_config(pit, open_host(pit.config), _environ())
    call.emit(change.to_json(), map(call.said, change.lines()))


@click.command(epilog='JSON: {"removed", "freed_bytes", "kept_bytes", "failed": [...]}')
@click.option("--dry-run", is_flag=True, help="Only say what would go.")
@verb_options
def clean(call: Invocation, dry_run: bool) -> None:
    """Remove old waste, never tasks.

    \b
    Example: agents.py clean --dry-run
    """
    from snakepit import clock
    from snakepit.pool.clean import clean as clean_waste

    pit = call.open()
    done = clean_waste(pit, clock.wall(), dry_run=dry_run)
    verb = "would remove" if dry_run else "removed"
    lines = [
        f"{verb} {counted(len(done.removed), 'attempt')}, {megabytes(done.freed_bytes)};"
        f" {megabytes(done.kept_bytes)} stay in {pit.config.pit_dir / 'waste'}",
        *(f"cannot remove {text}" for text in done.failed),
    ]
    value = {
        "removed": len(done.removed),
        "freed_bytes": done.freed_bytes,
        "kept_bytes": done.kept_bytes,
        "failed": list(done.failed),
    }
    call.emit(value, lines)
    if done.failed:
        raise SystemExit(1)


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f} MB"


def _environ() -> dict[str, str]:
    from snakepit.pool.environment import without_identity

    return without_identity(os.environ)
