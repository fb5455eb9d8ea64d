"""Owns the verbs about agent programs: backends, probe."""

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from snakepit.cli.options import Invocation, verb_options

if TYPE_CHECKING:
    from snakepit.pool.catalog import Row


@click.command(
    epilog='JSON: [{"name", "program", "lacks", "version", "standing": "known", "newer", "older" or '
    '"unknown", "seen", "feeds", "agents", "unverified", "card"}]'
)
@verb_options
def backends(call: Invocation) -> None:
    """List agent programs: here or not, version, feeding.

    Each is asked its version. "Not tried" is what nobody ever verified; `probe` tries the rest
    on the program that is installed here.

    \b
    Example: agents.py backends
    """
    from snakepit.pool.catalog import catalog

    rows = catalog(call.load(), dict(os.environ))
    call.emit([row.to_json() for row in rows], list(_lines(rows)))


def _lines(rows: "list[Row]") -> Iterator[str]:
    for row in sorted(rows, key=lambda row: (bool(row.lacks), not row.agents)):
        used = f"  used by {', '.join(row.agents)}" if row.agents else ""
        yield f"{row.name:<10} {row.lacks or row.program or 'built in'}{used}"
        if row.lacks:
            continue
        facts = [f"fed: {', '.join(row.feeds)}", row.said_version, _probed(row)]
        yield f"{'':<10} {'; '.join(filter(None, facts))}"
        if row.unverified:
            yield f"{'':<10} not tried: {', '.join(row.unverified)}"


def _probed(row: "Row") -> str:
    if not row.card:
        return ""
    words = f"probed {row.card.get('at', '')}"
    if row.card.get("version") != row.version:
        words += f" as {row.card.get('version') or 'another version'}"
    return words


@click.command(
    epilog='JSON: {"backend", "version", "standing", "at", "checks": {name: [true, false or null, said]}}'
)
@click.argument("name")
@verb_options
def probe(call: Invocation, name: str) -> None:
    """Try an agent program on a scratch session.

    It starts the program on a tmux server of its own, types short, long and multi-line prompts,
    interrupts it, ends it, and runs it once as for a task: about six calls of its model, with your
    login. What was found is kept in state/backends/; exit 1 when something did not work.

    \b
    Example: agents.py probe NAME
    """
    from snakepit.config.auto import lacking
    from snakepit.errors import EnvironmentMissing, UsageProblem
    from snakepit.pool.catalog import every_backend
    from snakepit.pool.environment import without_identity
    from snakepit.pool.probe import Check
    from snakepit.pool.probe import probe as try_it

    config = call.load()
    known = every_backend(config)
    if name not in known:
        msg = f"no [backend.{name}]"
        raise UsageProblem(msg, fix="agents.py backends lists them")
    environ = without_identity(os.environ)
    lack = lacking(known[name], environ)
    if lack:
        raise EnvironmentMissing(lack, fix=f"install it, or set [backend.{name}] bin")

    def tell(check: Check) -> None:
        word = {True: "yes", False: "no", None: "-"}[check.found]
        call.notice(f"{check.name:<16} {word:<4} {check.said}".rstrip())

    card = try_it(config, known[name], environ, tell=tell)
    failed = [key for key, (found, _) in card["checks"].items() if found is False]
    said = ", ".join(failed)
    call.emit(dict(card), [f"{name}: {f'not here: {said}' if failed else 'all works here'}"])
    if failed:
        raise SystemExit(1)
