"""Owns what `check` looks for beyond the file itself: folders and files that it names."""

import os
from collections.abc import Iterator
from pathlib import Path

from snakepit.config.model import Config
from snakepit.config.problem import Problem


def missing(config: Config) -> Iterator[Problem]:
    """What the config names and nobody finds; `load` does not mind, but agents would."""
    if config.defaults.tmux_conf is not None and not config.defaults.tmux_conf.is_file():
        yield Problem("[defaults]", "tmux_conf", f"no such file: {config.defaults.tmux_conf}")
    for root in config.pit.roots:
        yield from _folder("[pit]", "roots", root)
    singles = [(f"[[agent]] {agent.name}", agent) for agent in config.agents if not agent.pool]
    pools = [(f"[[pool]] {pool.name}", pool.template) for pool in config.pools]
    for label, agent in (*singles, *pools):
        yield from _folder(label, "dir", agent.dir)
        if agent.wake is not None and not agent.wake.prompt_file.is_file():
            yield Problem(label, "wake", f"no such file: {agent.wake.prompt_file}")
        if agent.prompt_file is not None and not agent.prompt_file.is_file():
            yield Problem(label, "prompt_file", f"no such file: {agent.prompt_file}")
    for service in config.services:
        yield from _folder(f"[[service]] {service.name}", "dir", service.dir)


def _folder(label: str, key: str, path: Path) -> Iterator[Problem]:
    if not os.path.isdir(path):
        yield Problem(label, key, f"no such folder: {path}")
