"""Owns the verbs about agents.toml itself: check, init, schema."""

import os
from typing import TYPE_CHECKING

import click

from snakepit.cli.called import as_called
from snakepit.cli.options import Invocation, verb_options
from snakepit.errors import ConfigError, SnakepitError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from snakepit.config import Config, Problem


@click.command(
    epilog='JSON: {"ok", "path", "problems": [{"table", "key", "message", "line"}], "notes"}'
)
@verb_options
def check(call: Invocation) -> None:
    """Validate agents.toml; all problems at once.

    Exit 3 when there are any. It starts nothing and changes nothing.

    \b
    Example: agents.py check --config agents.toml
    """
    from snakepit.config import try_load
    from snakepit.config.presence import missing
    from snakepit.config.problem import as_error

    path = call.config_path()
    if not path.is_file():
        msg = f"no config file {path}"
        raise ConfigError(msg, fix="agents.py init, or name one with --config FILE")
    config, problems = try_load(path, environ=os.environ)
    if config is not None:
        problems = tuple(missing(config))
    notes = _notes(config) if config is not None else []
    if problems and not call.as_json:
        raise as_error(path, problems)
    call.emit(_checked(path, problems, notes), map(call.said, _summary(path, config, notes)))
    if problems:
        raise click.exceptions.Exit(ConfigError.exit_code)


def _checked(path: "Path", problems: "Sequence[Problem]", notes: list[str]) -> dict[str, object]:
    found = [problem._asdict() for problem in problems]
    return {"ok": not problems, "path": str(path), "problems": found, "notes": notes}


def _summary(path: "Path", config: "Config | None", notes: list[str]) -> list[str]:
    if config is None:
        return []
    agents, services = len(config.agents), len(config.services)
    counts = f"{agents} agent{'s'[: agents != 1]}, {services} service{'s'[: services != 1]}"
    return [f"{path} is right: {counts}", *(f"note: {note}" for note in notes)]


def _notes(config: "Config") -> list[str]:
    from snakepit.agents.launchplan import find_program
    from snakepit.config.auto import lacking

    notes = list(config.notes)
    if not config.agents:
        notes.append("no [[agent]] and no [[pool]]: nobody eats")
    for name in dict.fromkeys(agent.backend for agent in config.agents):
        backend = config.backends[name]
        if find_program(backend) is None:
            who = ", ".join(agent.name for agent in config.agents if agent.backend == name)
            notes.append(f"no model: {lacking(backend, os.environ)}; not started: {who}")
    return notes


@click.command(epilog='JSON: {"folder", "created", "kept", "excluded", "agents"}')
@click.argument("folder", default=".", metavar="[DIR]")
@verb_options
def init(call: Invocation, folder: str) -> None:
    """Write a commented agents.toml for a new folder.

    With it come prompts/ and pit/. What is there is never overwritten. In a git repository the
    new files are put into .git/info/exclude, so that they show up in nobody's commit.

    \b
    Example: agents.py init ~/project
    """
    from pathlib import Path

    from snakepit.config.scaffold import exclude_from_git, write_scaffold

    root = Path(os.path.abspath(os.path.expanduser(folder)))
    try:
        pit, logs = _own_folders(root)
        made = write_scaffold(root, pit)
        ours = [f"{os.path.relpath(path, root)}/" for path in (pit, logs)]
        files = [name for name in made.created if not name.startswith(tuple(ours))]
        names = [name for name in (*files, *ours) if not name.startswith("..")]
        excluded = exclude_from_git(root, names)
    except OSError as exc:
        msg = f"{root} cannot be set up: {exc.strerror}: {exc.filename}"
        raise SnakepitError(msg, fix="choose a folder that you may write") from exc
    programs = found_programs()
    value = {
        "folder": str(root),
        "created": list(made.created),
        "kept": list(made.kept),
        "excluded": list(excluded),
        "agents": programs,
    }
    call.emit(value, _told(root, made.created, made.kept, excluded, programs))


def _own_folders(root: "Path") -> "tuple[Path, Path]":
    """Make the folder and its pit; the pit and the log folder, as an agents.toml there names them."""
    from snakepit.config.loader import load, parse
    from snakepit.config.problem import as_error
    from snakepit.config.scaffold import CONFIG
    from snakepit.config.template import page
    from snakepit.store.files import open_pit

    path = root / CONFIG
    if path.exists():
        config = load(path, environ=os.environ)
    else:
        found, problems = parse(page(), path, environ=os.environ, flags={})
        if found is None:
            raise as_error(path, problems)
        config = found
    config.pit_dir.mkdir(parents=True, exist_ok=True)
    open_pit(config.pit_dir, durable=config.pit.durable).close()
    return config.pit_dir, config.log_dir


def found_programs() -> dict[str, str]:
    """The agent programs on PATH, each with where it is."""
    from snakepit.config.auto import installed

    return installed(os.environ)


def _told(
    root: "Path",
    created: "Sequence[str]",
    kept: "Sequence[str]",
    excluded: "Sequence[str]",
    programs: "dict[str, str]",
) -> list[str]:
    lines = [f"{root}: a pit"]
    lines += [f"  written  {name}" for name in created]
    lines += [f"  kept     {name}" for name in kept]
    if excluded:
        lines.append(f"git does not see: {' '.join(excluded)} (.git/info/exclude)")
    if programs:
        lines.append(f"agent programs found: {', '.join(programs)}; agents.toml shows how they eat")
    else:
        lines.append("no agent program on PATH: tasks with `run` blocks are eaten, the rest waits")
    here = os.path.abspath(".") == str(root)
    next_step = as_called("agents.py up", None if here else str(root / "agents.toml"))
    return [*lines, f"next: {next_step}"]


@click.command()
@verb_options
def schema(call: Invocation) -> None:
    """Print the JSON Schema of agents.toml.

    Editors read it from the first line of the file: `#:schema agents.schema.json`.

    \b
    Example: agents.py schema > agents.schema.json
    """
    import json

    from snakepit.config.schema import schema as make_schema

    call.emit(make_schema(), json.dumps(make_schema(), indent=2, ensure_ascii=False).splitlines())
