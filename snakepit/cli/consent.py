"""Owns asking a person, once, whether a program that was found by itself may act without asking."""

import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

import click

from snakepit.cli.options import Invocation

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config


def ask_consent(
    call: Invocation,
    config: "Config",
    agents: "tuple[Agent, ...]",
    environ: Mapping[str, str],
    *,
    yes: bool,
) -> None:
    """Without a terminal and without --yes nothing is asked, and what needs consent is not started."""
    if not any(agent.is_auto for agent in agents):
        return
    from snakepit.pool.consent import give, wanted

    found = wanted(config, agents, environ)
    if not found:
        return
    call.notice("agents.toml names no program; this one was found, and acts without asking:")
    for one in found:
        for line in one.said.splitlines():
            call.notice(f"  {line}")
    if not yes and not (sys.stdin.isatty() and sys.stderr.isatty() and not call.as_json):
        call.notice(
            "not started: nobody consented; agents.py up --yes, or [defaults] consent = true"
        )
        return
    if yes or click.confirm("May it?", default=False, err=True):
        give(config, found)
