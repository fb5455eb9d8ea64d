"""Owns what `up` says: what runs, how to look at it, how to feed it, how to stop it; and its --wait."""

import os
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from snakepit.cli.options import Invocation
from snakepit.errors import EnvironmentMissing, SnakepitError, UsageProblem

if TYPE_CHECKING:
    from snakepit.config.model import Config
    from snakepit.pool.context import Pit
    from snakepit.pool.feed import Fed
    from snakepit.pool.follow import Ending
    from snakepit.pool.launch import Started
    from snakepit.pool.up import Up
    from snakepit.session.tmux import TmuxHost

SHOWN = 12


def bring_up(call: Invocation, sources: Sequence[str], *, wait: bool, yes: bool) -> None:
    """Check, feed, start, and tell; with `wait` follow the one task that was fed."""
    from snakepit.cli.consent import ask_consent
    from snakepit.cli.feed_verb import prepare_source, publish_all, read_sources
    from snakepit.cli.fleet_verbs import open_host
    from snakepit.config.overrides import load_overrides
    from snakepit.pool.change import overrides_path
    from snakepit.pool.environment import without_identity
    from snakepit.pool.up import bring_up as bring_up_fleet

    if wait and not sources:
        msg = "--wait follows what --feed feeds"
        raise UsageProblem(msg, fix="agents.py up --feed examples/first-meal.md --wait")
    config = call.load(strict=True)
    environ = without_identity(os.environ)
    _check_machine(environ)
    pit = call.open()
    keys: dict[str, object | None] = {"priority": None}
    prepared = [prepare_source(pit, source, None, keys) for source in read_sources(sources)]
    if wait and len(prepared) > 1:
        msg = f"--wait follows one task, and {len(prepared)} were given"
        raise UsageProblem(msg, fix="leave --wait out; agents.py status --follow shows all")
    host = open_host(config)
    scale = load_overrides(overrides_path(config)).scale
    ask_consent(call, config, config.fleet(scale), environ, yes=yes)
    fed = publish_all(pit, prepared)
    found = bring_up_fleet(pit, host, environ, scale=scale)
    value = _value(config, host, found, fed)
    if not wait:
        summary = map(call.said, _summary(config, host, found))
        call.emit(value, [*summary, *_fed_lines(fed), *_hints(call, config, found)])
    else:
        ending = _follow(call, pit, host, found, fed[0])
        value["ended"] = _ending_json(ending)
        call.emit(value, [*_ending_lines(ending), *_hints(call, config, found)])
        if not ending.is_done:
            raise SystemExit(1)
    if not found.is_whole:
        raise SystemExit(1)


def _check_machine(environ: dict[str, str]) -> None:
    from snakepit.system.search import which

    if which("tmux", environ.get("PATH")) is None:
        msg = "tmux is not on PATH"
        raise EnvironmentMissing(msg, fix="apt-get install tmux, or brew install tmux")


def _follow(call: Invocation, pit: "Pit", host: "TmuxHost", found: "Up", fed: "Fed") -> "Ending":
    from snakepit.pool.follow import follow
    from snakepit.pool.status import why_nobody

    if not call.as_json:
        from snakepit.cli.output import print_lines

        print_lines(map(call.said, _summary(pit.config, host, found)))
        print_lines([f"fed {fed.name}, waiting for its end"])
    nobody = why_nobody(pit.config, pit.store, fed.task)
    if nobody:
        call.notice(f"waits: {nobody}")
    ending = follow(pit, fed.name, notice=lambda reason: call.notice(f"waits: {reason}"))
    if ending is None:
        msg = f"{fed.name}: nobody waits for it any more"
        raise SnakepitError(msg)
    return ending


def _summary(config: "Config", host: "TmuxHost", found: "Up") -> Iterator[str]:
    from snakepit.pool.launch import VIEW, Standing

    running = found.of(Standing.STARTED, Standing.RUNNING)
    agents = [one for one in running if one.worker and one.worker not in found.failed]
    is_new = any(one.standing is Standing.STARTED for one in agents)
    names = ", ".join(one.name for one in agents[:SHOWN]) + (" …" if len(agents) > SHOWN else "")
    yield f"{'up' if is_new else 'running'}: {names or 'no snake'}"
    services = [one.name for one in running if not one.worker and one.name != VIEW]
    if services:
        yield f"services: {', '.join(services)}"
    yield from _grouped("", _told_calls(config, [one.name for one in agents]))
    without: dict[str, list[str]] = {}
    for one in found.of(Standing.NO_MODEL, Standing.ASLEEP):
        without.setdefault(one.reason, []).append(one.name)
    yield from _grouped("not started: ", without)
    for one in found.of(Standing.FAILED):
        yield f"failed: {one.name}: {one.reason}"
    for name, shown in found.failed.items():
        last = shown.splitlines()[-1] if shown else "it showed nothing"
        yield f"failed: {name}: {last}"
    if not found.is_daemon_ready:
        yield f"the daemon did not come up: see {config.log_dir / 'daemon.log'}"
    if found.has_pending_changes:
        yield "agents.toml has changes that wait for: agents.py reload"


def _told_calls(config: "Config", names: list[str]) -> dict[str, list[str]]:
    from snakepit.pool.role import model_calls

    found: dict[str, list[str]] = {}
    for name in names:
        agent = config.member_of(name)
        told = model_calls(config, agent) if agent is not None else ""
        if told:
            found.setdefault(told, []).append(name)
    return found


def _grouped(head: str, reasons: "Mapping[str, list[str]]") -> "Iterator[str]":
    """One line for each reason, not one for each snake."""
    for reason, names in reasons.items():
        yield f"{head}{', '.join(names)} ({reason})"


def _hints(call: Invocation, config: "Config", found: "Up") -> Iterator[str]:
    shown = next((one for one in _looked_at(found)), None)
    if shown is not None:
        from snakepit.pool.status import attach_line

        yield f"look:  {attach_line(config, shown.name)}   (leave: Ctrl-b d)"
    feed = call.said("agents.py feed FILE")
    yield f"feed:  drop a .md file into {config.pit_dir / 'food'}/, or: {feed}"
    yield call.said("stop:  agents.py down")


def _looked_at(found: "Up") -> "Iterator[Started]":
    from snakepit.pool.launch import Standing

    running = found.of(Standing.STARTED, Standing.RUNNING)
    yield from (one for one in running if one.worker)
    yield from running


def _fed_lines(fed: "Sequence[Fed]") -> Iterator[str]:
    for one in fed[:SHOWN]:
        yield f"fed {one.name}"
    if len(fed) > SHOWN:
        yield f"and {len(fed) - SHOWN} more"


def _ending_lines(ending: "Ending") -> Iterator[str]:
    if ending.is_done:
        yield from ("", *ending.text.splitlines(), "")
        yield f"done:  {ending.path}"
    else:
        yield f"scraps: {ending.path}"
        yield from (f"  {line}" for line in ending.text.splitlines())


def _ending_json(ending: "Ending") -> dict[str, object]:
    from snakepit.store.layout import FOLDER

    return {
        "name": ending.name,
        "state": FOLDER[ending.state],
        "path": str(ending.path),
        "result": ending.text if ending.is_done else None,
        "reason": None if ending.is_done else ending.text,
    }


def _value(
    config: "Config", host: "TmuxHost", found: "Up", fed: "Sequence[Fed]"
) -> dict[str, object]:
    from snakepit.pool.launch import VIEW

    def one_json(one: "Started") -> dict[str, object]:
        failed = found.failed.get(one.worker) if one.worker else None
        return {
            "name": one.name,
            "session": one.session,
            "state": "failed" if failed is not None else one.standing.value,
            "reason": failed or one.reason or None,
            "attach": host.attach_line(one.session),
        }

    return {
        "agents": [one_json(one) for one in found.sessions if one.worker],
        "services": [
            one_json(one) for one in found.sessions if not one.worker and one.name != VIEW
        ],
        "daemon": "started" if found.is_new_daemon else "running",
        "pending_changes": found.has_pending_changes,
        "pit": str(config.pit_dir),
        "fed": [{"name": one.name, "path": str(one.path)} for one in fed],
        "ended": None,
    }
