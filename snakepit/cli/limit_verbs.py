"""Owns the verb about accounts that rest."""

from dataclasses import asdict
from typing import TYPE_CHECKING

import click

from snakepit.cli.options import Invocation, from_inside_option, verb_options
from snakepit.errors import NotFound

if TYPE_CHECKING:
    from snakepit.pool.limits import Rest


@click.command(
    epilog='JSON: {"limits": [{"account", "scope", "kind", "until", "since", "source", "detail", '
    '"refused", "over", "words", "workers"}], "lifted": [{"account", "scope"}]}'
)
@click.option("--lift", metavar="ACCOUNT", help="End its rest now: its name, or how that begins.")
@from_inside_option
@verb_options
def limits(call: Invocation, lift: str | None, from_inside: bool) -> None:
    """Show which accounts rest; --lift ends a rest.

    A vendor that refuses (limit, overload, no sign-in, no credit) sends all snakes of the account
    to rest until the time it named, else for [watchdog] limit_probe_fallback. Then one snake tries
    first and the others follow when it is answered. A lift counts for all at once; what is
    refused after it makes the account rest again.

    \b
    Examples:
      agents.py limits
      agents.py limits --lift claude
    """
    from snakepit.pool import limits as accounts
    from snakepit.pool.resting import limit_views, resting_agents
    from snakepit.pool.status import current_agents

    pit = call.open()
    lifted: list[Rest] = []
    if lift is not None:
        call.refuse_from_inside("limits --lift", from_inside=from_inside)
        lifted = accounts.lift(pit, _account(accounts.records(pit.config), lift))
    rests = resting_agents(pit.config, current_agents(pit.config))
    views = limit_views(pit.config, rests)
    value = {
        "limits": [asdict(view) for view in views],
        "lifted": [{"account": found.account, "scope": found.scope} for found in lifted],
    }
    lines = [f"{found.account}: lifted; its snakes claim again" for found in lifted]
    for view in views:
        lines.append(f"{view.account}: {view.words}")
        if view.detail:
            lines.append(f"  it said: {' '.join(view.detail.split())}")
        if view.workers:
            lines.append(f"  resting: {', '.join(view.workers)}")
        lines.append(call.said(f"  end it now: agents.py limits --lift {view.account}"))
    call.emit(value, lines or ["no account rests"])


def _account(found: "list[Rest]", wanted: str) -> str:
    """The one account that has this name or begins so."""
    resting = {rest.account for rest in found if not rest.lifted}
    near = {name for name in resting if name.startswith(wanted.lower())} or {
        name for name in resting if name.endswith(f"-{wanted.lower()}")
    }
    if wanted in resting or len(near) == 1:
        return wanted if wanted in resting else next(iter(near))
    names = ", ".join(sorted(near or resting))
    msg = f"{wanted!r} begins several accounts" if near else f"no account {wanted!r} rests"
    raise NotFound(msg, fix=f"say which: {names}" if names else "agents.py status")
