"""Owns what an agent's program gets from us at its start beside its prompt: hooks, and our verbs as an MCP server."""

import functools
import importlib.util
import json
import os
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.agents.given import Given, Way, give, write_anew
from snakepit.pool.applied import STATE
from snakepit.pool.program import ROOT, module_argv
from snakepit.pool.spool import make_folder, spool_path

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config

HOOK = ROOT / "snakepit" / "hook.py"
IDENTITY = "identity.json"


def equip(config: "Config", agent: "Agent", folder: Path, identity: Mapping[str, str]) -> Given:
    """Written into `folder`, which is this launch's own. Without a way to give them, nothing is given."""
    backend = config.backend_of(agent)
    ways: list[Way] = []
    if agent.hooks and backend.hooks:
        make_folder(config)
        ways.append(backend.hooks)
    server: list[str] = []
    if agent.mcp and backend.mcp and has_server():
        ways.append(backend.mcp)
        server = module_argv("snakepit.mcp", str(folder / IDENTITY))
        own = {**identity, STATE: str(config.state_dir)}
        write_anew(folder / IDENTITY, json.dumps(own))
    if not ways:
        return Given()
    hook = [sys.executable, "-I", "-S", str(HOOK), str(spool_path(config, agent.name))]
    return give(ways, folder, hook=hook, status=[*hook, "status"], server=server)


@functools.cache
def has_server() -> bool:
    """Whether the SDK is installed beside us."""
    return importlib.util.find_spec("mcp") is not None


def interactive_folder(config: "Config", agent: "Agent") -> Path:
    """What the last launch of that agent was given; the next one replaces it."""
    return Path(os.fspath(config.state_dir)) / "given" / agent.name
