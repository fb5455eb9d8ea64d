"""Owns a person's consent that a program which nobody named may act without asking; it asks nobody.

It is given for one program, its flags, a folder and an account, and kept in state/consent.json. A backend
that agents.toml names needs none, nor does one that asks before it acts.
"""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from snakepit.config.auto import lacking
from snakepit.config.model import AUTO, PROGRAM
from snakepit.pool.statefile import read_state, write_state
from snakepit.system.search import program_of, which

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Backend, Config

FILE = "consent.json"
KEY = "given"
ANY = "*"  # it never asks, whatever its flags
WAITS = "waits for your consent; `agents.py up` asks, `agents.py up --yes` gives it"


class Wanted(NamedTuple):
    """`account` has a hash in place of values; `pays` is the same for a person."""

    backend: str
    program: str
    flags: str
    folder: str
    account: str
    pays: str = ""

    @property
    def said(self) -> str:
        flags = f" {self.flags}" if self.flags else ""
        return f"{self.program}{flags}\n  in {self.folder}\n  as {self.pays}"

    @property
    def recorded(self) -> list[str]:
        return [self.backend, self.program, self.flags, self.folder, self.account]


def missing(config: "Config", agent: "Agent", environ: Mapping[str, str]) -> str:
    """Why no session may be started for it: its program is not here, or nobody consented; else ""."""
    lack = lacking(config.backend_of(agent), {**environ, **agent.env})
    if lack or not agent.is_auto or config.defaults.consent:
        return lack
    found = _wanted(config, agent, environ)
    return WAITS if found is not None and found.recorded not in _given(config) else ""


def wanted(
    config: "Config", agents: "Iterable[Agent]", environ: Mapping[str, str]
) -> tuple[Wanted, ...]:
    """What a person has to be asked before these agents start; empty where nothing is open."""
    if config.defaults.consent:
        return ()
    given = _given(config)
    found = (_wanted(config, agent, environ) for agent in agents if agent.is_auto)
    return tuple(one for one in dict.fromkeys(filter(None, found)) if one.recorded not in given)


def give(config: "Config", agreed: Iterable[Wanted]) -> None:
    """Kept beside what was given before."""
    config.state_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    given = [*_given(config), *(one.recorded for one in agreed)]
    write_state(_path(config), {KEY: given})


def _wanted(config: "Config", agent: "Agent", environ: Mapping[str, str]) -> Wanted | None:
    backend = config.backend_of(agent)
    if (
        backend.name == AUTO
        or lacking(backend, {**environ, **agent.env})
        or not acts_alone(backend)
    ):
        return None
    from snakepit.pool.limits import account_of

    return Wanted(
        backend=backend.name,
        program=_program(backend, environ),
        flags=backend.flags,
        folder=str(agent.dir),
        account=account_of(config, agent, environ),
        pays=_pays(backend, {**environ, **agent.env}),
    )


def acts_alone(backend: "Backend") -> bool:
    """Whether it runs without permission prompts."""
    try:
        words = shlex.split(backend.flags)
    except ValueError:
        words = backend.flags.split()
    return ANY in backend.asks_nothing or any(word in backend.asks_nothing for word in words)


def _program(backend: "Backend", environ: Mapping[str, str]) -> str:
    if backend.runner != PROGRAM:
        return f"our own agent ({backend.name})"
    program = program_of(backend.bin)
    return which(program, environ.get("PATH")) or program


def _pays(backend: "Backend", environ: Mapping[str, str]) -> str:
    """Never a value, only where it comes from."""
    account = backend.account
    names = [name for name in account.env if environ.get(name)]
    if names:
        return f"{account.name} by your {', '.join(names)}"
    folder = next((environ[name] for name in account.folder_env if environ.get(name)), "")
    where = folder or account.folder
    return f"the login in {where}" if where else account.name or "whoever it is logged in as"


def _given(config: "Config") -> list[object]:
    found = read_state(_path(config)).get(KEY)
    return found if isinstance(found, list) else []


def _path(config: "Config") -> Path:
    return config.state_dir / FILE
