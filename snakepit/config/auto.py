"""Owns which backends a config uses, and which program `backend = "auto"` stands for; it starts nothing."""

import os
from collections.abc import Mapping

from snakepit.config import tables
from snakepit.config.build import backend_of, served
from snakepit.config.key import Table
from snakepit.config.keys import BY_TABLE
from snakepit.config.model import AUTO, PROGRAM, Backend
from snakepit.config.sections import Section, fill
from snakepit.system.search import program_of, which

NOTHING_HERE = "no agent CLI on PATH, no API key; see `agents.py doctor`"
Used = tuple[list[Section], str]


def in_use(sections: list[Section], base: str, environ: Mapping[str, str]) -> Used:
    """The sections without built-in backends that nothing names, and what `auto` found, "" for nothing.

    Where nothing is found, the backend `auto` is one without a program.
    """
    backends = {s.name: s for s in sections if s.table.name == "backend"}
    named = {name for section in sections for name in _names(section)}
    chosen = ""
    if AUTO in named and AUTO not in backends:
        chosen = choose(backends, base, environ, server=_server(sections))
        named.add(chosen)
    used = [
        section
        for section in sections
        if section.table.name != "backend"
        or section.name in named
        or section.in_file
        or section.settings
    ]
    if AUTO in named and not chosen:
        used.append(nothing())
    return used, chosen


def _names(section: Section) -> list[str]:
    """The backend that an agent, a pool or the defaults name, as far as it is a text."""
    key = BY_TABLE[section.table.name].get("backend")
    if key is None:
        return []
    given = section.given.get("backend", key.default)
    value = section.settings["backend"][1] if "backend" in section.settings else given
    return [value] if isinstance(value, str) else []


def _server(sections: list[Section]) -> object:
    """[anthropic] base_url, as far as it is known before the sections are filled."""
    (section,) = (section for section in sections if section.table.name == "anthropic")
    given = section.given.get("base_url")
    return section.settings["base_url"][1] if "base_url" in section.settings else given


def choose(
    backends: Mapping[str, Section], base: str, environ: Mapping[str, str], *, server: object = ""
) -> str:
    """The first of the order that can be started here."""
    for name in tables.order():
        section = backends.get(name)
        if section is not None:
            fill(section, base, [])
            if is_here(served(backend_of(section), server), environ):
                return name
    return ""


def is_here(backend: Backend, environ: Mapping[str, str]) -> bool:
    """Its program is on the path, and one of the variables it needs is set."""
    if backend.needs_env and not any(environ.get(name) for name in backend.needs_env):
        return False
    if backend.runner != PROGRAM:
        return True
    try:
        program = "sh" if backend.prompt_delivery == "exec" else program_of(backend.bin)
    except ValueError:
        return False
    return bool(program) and which(program, environ.get("PATH", "")) is not None


def nothing() -> Section:
    return Section(Table("backend", "named", ""), AUTO, ("backend", AUTO), {})


def installed(environ: Mapping[str, str]) -> dict[str, str]:
    """The built-in programs on the search path, each with where it is; those of `auto` first."""
    order = tables.order()
    found: dict[str, str] = {}
    for name in (*order, *(name for name in tables.names() if name not in order)):
        raw = tables.head(name)
        line = raw.get("bin")
        if isinstance(line, str) and line and raw.get("thinks", True):
            path = which(program_of(line), environ.get("PATH", os.defpath))
            if path is not None:
                found[name] = path
    return found


def lacking(backend: Backend, environ: Mapping[str, str]) -> str:
    """Why a backend cannot be started here, in words; "" where it can."""
    if is_here(backend, environ):
        return ""
    if backend.name == AUTO:
        return NOTHING_HERE
    if backend.needs_env and not any(environ.get(name) for name in backend.needs_env):
        return f"none of {', '.join(backend.needs_env)} is set"
    words = backend.bin.split(maxsplit=1)
    return f"{words[0] if words else backend.name} is not on PATH"


def in_words() -> str:
    """What `auto` looked for, for who is told that nothing was found."""
    heads = {name: tables.head(name) for name in tables.order()}
    programs = [str(raw["bin"]) for raw in heads.values() if raw.get("bin")]
    names = [str(name) for raw in heads.values() for name in _list(raw.get("needs_env"))]
    return f"none of {', '.join(programs)} on PATH, and none of {', '.join(names)} set"


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []
