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
