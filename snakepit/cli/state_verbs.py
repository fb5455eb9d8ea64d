"""Owns the verbs that look: status, events, doctor, fsck; only `fsck --fix` changes anything."""

import os
import sys
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from snakepit.cli.options import Invocation, from_inside_option, verb_options
from snakepit.errors import ConfigError, UsageProblem

if TYPE_CHECKING:
    from snakepit.config.model import Config
    from snakepit.core.events import Event
    from snakepit.core.view import StatusView

FOLLOW_LOOK_S = 0.25  # a look at one file's size; what is drawn is gathered only when it grew
FOLLOW_REDRAW_S = 5.0  # ages on the screen go on although nothing happens
CLEAR = "\x1b[H\x1b[2J"
SHOWN_EVENTS = 20


@click.command(
    epilog='JSON: {"pit", "config", "daemon", "daemon_pid", "paused", "counts": {"food", "claimed", '
    '"done", "scraps"}, "workers": [{"name", "state", "backend", "species", "pool", "task", '
    '"attempt", "since_s", "restarts", "attach", "note"}], "services": [{"name", "state"}], '
    '"waits": [{"reason", "count", "names"}], "limits": [{"account", "scope", "kind", "until", '
    '"since", "source", "detail", "refused", "over", "words", "workers", "waiting"}], "scaled", '
    '"paused_workers", "notes", "attach", "usage": {"since", "total", "models"}, "used"}'
)
@click.option("-f", "--follow", is_flag=True, help="Stay, and show every change.")
@verb_options
def status(call: Invocation, follow: bool) -> None:
    """Show food, snakes, and what waits for what.

    Works when nothing runs, and starts nothing. A snake is waiting (for food), working, running
    (an interactive program, see its screen), resting (its account is at a limit), starting, paused,
    silent, degraded (restarting did not help), dead, stopped, or has no model.

    \b
    Example: agents.py status --follow
    """
    from snakepit.pool.status import view

    config = call.load()
    if not follow:
        _show_status(call, view(config))
        return
    for _ in _changes(config):
        seen = view(config)
        if not call.as_json and sys.stdout.isatty():
            sys.stdout.write(CLEAR)
        _show_status(call, seen)
        sys.stdout.flush()


def _show_status(call: Invocation, seen: "StatusView") -> None:
    from snakepit.cli.output import print_lines, print_table
    from snakepit.core.view import (
        head_lines,
        plain_lines,
        shown_workers,
        tail_lines,
        worker_cells,
    )

    if call.as_json:
        call.emit(seen.to_json())
    elif sys.stdout.isatty() and seen.workers:
        print_lines(map(call.said, head_lines(seen)))
        print_table(("snake", "state", "food", ""), map(worker_cells, shown_workers(seen)))
        print_lines(map(call.said, tail_lines(seen)))
    else:
        print_lines(map(call.said, plain_lines(seen)))


def _changes(config: "Config") -> Iterator[None]:
    """Once at once, then whenever an event was written, and every few seconds."""
    import threading

    from snakepit import clock

    pause = threading.Event()
    path = config.log_dir / "events.jsonl"
    while True:
        before, drawn = _size(path), clock.monotonic()
        yield
        while _size(path) == before and clock.monotonic() - drawn < FOLLOW_REDRAW_S:
            pause.wait(FOLLOW_LOOK_S)


def _size(path: "os.PathLike[str]") -> tuple[int, int]:
    try:
        found = os.stat(path)
    except FileNotFoundError:
        return (0, 0)
    return (found.st_ino, found.st_size)


@click.command(epilog='JSON: {"events": [...]}; with -f one event a line. Fields: docs/events.md')
@click.option("-f", "--follow", is_flag=True, help="Stay, and print what happens.")
@click.option("--since", type=click.IntRange(0), help="Only events after this seq.")
@click.option("-n", "--lines", default=SHOWN_EVENTS, show_default=True, help="The last so many.")
@click.option("--type", "kinds", multiple=True, help="Only this type; `task.` is all of tasks.")
@click.option("--task", help="Only this task.")
@verb_options
def events(
    call: Invocation,
    follow: bool,
    since: int | None,
    lines: int,
    kinds: tuple[str, ...],
    task: str | None,
) -> None:
    """Print what happened, from events.jsonl.

    Without --since the last 20, or -n; with a filter the last 20 that match.

    \b
    Examples:
      agents.py events -f
      agents.py events --since 1200 --type task. --json
    """
    from snakepit.core.events import EVENTS

    for kind in kinds:
        if not any(_is_kind(known, kind) for known in EVENTS):
            msg = f"no event type {kind!r}"
            raise UsageProblem(msg, fix="docs/events.md lists them; `task.` is all of tasks")
    pit = call.open()

    def wanted(event: "Event") -> bool:
        of_task = task is None or event.task in (task, f"{task}.md")
        return of_task and (not kinds or any(_is_kind(event.type, kind) for kind in kinds))

    found = [event for event in pit.journal.read(since or 0) if wanted(event)]
    shown = found if since is not None else found[-lines:]
    if not follow:
        call.emit({"events": [e.to_json() for e in shown]}, (_event_line(e) for e in shown))
        return
    last = max((event.seq or 0 for event in found), default=since or 0)
    for event in shown:
        _say(call, event)
    for event in pit.journal.read(last, follow=True):
        if wanted(event):
            _say(call, event)


def _is_kind(known: str, asked: str) -> bool:
    return known == asked or (asked.endswith(".") and known.startswith(asked))


def _say(call: Invocation, event: "Event") -> None:
    call.emit(event.to_json(), [_event_line(event)])
    sys.stdout.flush()


def _event_line(event: "Event") -> str:
    words = [str(event.seq or "-"), event.ts, event.type]
    words += [word for word in (event.task, event.worker) if word]
    words += [f"{key}={value}" for key, value in event.data.items() if value not in (None, "")]
    return "  ".join(" ".join(word.split()) for word in words)


@click.command(epilog='JSON: {"ok", "findings": [{"check", "level", "what", "fix"}]}')
@verb_options
def doctor(call: Invocation) -> None:
    """Check the machine; print each fix.

    Exit 4 when something is missing that the pool cannot do without; a warning does not count.

    \b
    Example: agents.py doctor
    """
    from snakepit.pool import doctor as examination

    try:
        config = call.load(strict=True)
    except ConfigError as exc:
        findings = examination.without_config(exc, environ=os.environ)
    else:
        findings = examination.examine(config, environ=os.environ)
    is_ok = all(finding.level != "problem" for finding in findings)
    lines = []
    for finding in findings:
        lines.append(f"{finding.level:<8} {finding.check}: {finding.what}")
        if finding.fix:
            lines.append(f"         fix: {call.said(finding.fix)}")
    call.emit({"ok": is_ok, "findings": [finding.to_json() for finding in findings]}, lines)
    if not is_ok:
        raise SystemExit(4)


@click.command(
    epilog='JSON: {"ok", "violations": [{"severity", "rule", "name", "what", "fix"}], '
    '"recovered": [{"name", "worker", "state", "attempt", "reason"}]}'
)
@click.option("--fix", is_flag=True, help="Give back what dead snakes hold, and nothing else.")
@from_inside_option
@verb_options
def fsck(call: Invocation, fix: bool, from_inside: bool) -> None:
    """Prove that each task is in exactly one place.

    Reports what two scans agree on: a name in two places, a claim without an owner, a half-done
    split, needs that cannot be met, events that differ from the folders. Exit 1 on a problem; a
    note is allowed. --fix is recovery, as every snake does it; what is left is yours to decide.

    \b
    Example: agents.py fsck --fix
    """
    from snakepit.pool import fsck as examination
    from snakepit.pool.reap import reap

    if fix:
        call.refuse_from_inside("fsck --fix", from_inside=from_inside)
    pit = call.open()
    recovered = reap(pit) if fix else []
    violations = examination.examine(pit)
    is_ok = all(violation.severity != "problem" for violation in violations)
    value = {
        "ok": is_ok,
        "violations": [violation.to_json() for violation in violations],
        "recovered": [
            {
                "name": item.name,
                "worker": item.worker,
                "state": item.state.value,
                "attempt": item.attempt,
                "reason": item.reason,
            }
            for item in recovered
        ],
    }
    lines = [f"gave back {item.name} of {item.worker}: {item.reason}" for item in recovered]
    for violation in violations:
        lines.append(f"{violation.severity}: {violation.rule}: {violation.name}: {violation.what}")
        if violation.fix:
            lines.append(f"  fix: {call.said(violation.fix)}")
    if is_ok:
        lines.append("each task is in exactly one place")
    call.emit(value, lines)
    if not is_ok:
        raise SystemExit(1)
