"""Owns the verb `mcp`: the agents' verbs as an MCP server, for programs that a person configures by hand."""

import os

import click

from snakepit.cli.options import Invocation, verb_options


@click.command(epilog="JSON: none; stdout is the protocol's.")
@verb_options
def mcp(call: Invocation) -> None:
    """Serve the agents' verbs as MCP tools on stdio.

    Claim, done, fail, split, release, feed, list, show, wait and beat act for the snake whose environment
    it inherits. Snakes of programs that can have a server get it by themselves.

    \b
    Example: claude mcp add snakepit -- snakepit mcp
    """
    from snakepit.mcp.__main__ import start

    os.environ["SNAKEPIT_CONFIG"] = str(call.config_path(as_agent=True))
    start()
