"""Owns reading agents.toml: text in, a Config or every problem at once; it changes nothing on disk."""

import os
import stat
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from snakepit.config.auto import in_use
from snakepit.config.build import build
from snakepit.config.model import Config
from snakepit.config.problem import Finding, Problem, as_error
from snakepit.config.rules import check_rules
from snakepit.config.sections import check_names, fill, read_sections
from snakepit.config.settings import apply_settings

MAX_BYTES = 4 * 1024 * 1024


class Loaded(NamedTuple):
    """Either a config or problems, never both and never neither."""

    config: Config | None
    problems: tuple[Problem, ...]


def load(
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Config:
    """Raise ConfigError with all problems. Flags are named as in the file: "pit.path"."""
    loaded = try_load(path, environ=environ, flags=flags)
    if loaded.config is None:
        raise as_error(path, loaded.problems)
    return loaded.config


def try_load(
    path: Path,
    *,
    environ: Mapping[str, str] | None = None,
    flags: Mapping[str, object] | None = None,
) -> Loaded:
    """The same without raising, for who keeps an old config when the new one is bad."""
    real = Path(os.path.realpath(path))
    try:
        text = _read(real)
    except (OSError, ValueError) as exc:
        return Loaded(None, (Problem("", "", _reason(exc)),))
    return parse(text, real, environ=environ or {}, flags=flags or {})


def _read(path: Path) -> str:
    return read_file(path).decode("utf-8-sig")


def read_file(path: Path) -> bytes:
    """OSError or ValueError for what is no plain file of a bearable size; never waits for a writer."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)  # a FIFO has no end
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            message = "is not a regular file"
            raise ValueError(message)
        data = file.read(MAX_BYTES + 1)
    if len(data) > MAX_BYTES:
        message = f"is larger than {MAX_BYTES // 1024 // 1024} MB"
        raise ValueError(message)
    return data


def _reason(exc: Exception) -> str:
    if isinstance(exc, UnicodeDecodeError):
        return f"is not UTF-8 (byte {exc.start})"
    if isinstance(exc, OSError):
        return f"cannot be read: {exc.strerror}"
    return str(exc)


def parse(
    text: str, path: Path, *, environ: Mapping[str, str], flags: Mapping[str, object]
) -> Loaded:
    """`path` must be absolute; it is not opened."""
    try:
        raw = tomllib.loads(text)
    except (ValueError, RecursionError) as exc:
        return Loaded(None, (_syntax_problem(exc),))
    return assemble(raw, path, environ=environ, flags=flags, text=text)


def _syntax_problem(exc: Exception) -> Problem:
    import re

    if isinstance(exc, RecursionError):
        return Problem("", "", "is nested too deeply")
    place = re.search(r"\(at line (\d+), column (\d+)\)", str(exc))
    message = str(exc)[: place.start()].rstrip() if place else str(exc)
    column = f" (column {place.group(2)})" if place else ""
    return Problem("", "", f"not TOML: {message}{column}", int(place.group(1)) if place else 0)


def assemble(
    raw: Mapping[str, object],
    path: Path,
    *,
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    text: str = "",
) -> Loaded:
    """The last step, from parsed TOML; `text` gives the problems their lines."""
    findings: list[Finding] = []
    sections = read_sections(raw, findings)
    check_names(sections, findings)
    apply_settings(sections, environ, flags, findings)
    base = str(path.parent)
    sections, chosen = in_use(sections, base, environ)
    for section in sections:
        fill(section, base, findings)
    notes: list[str] = []
    config = build(path, sections, notes, chosen)
    check_rules(config, sections, findings)
    if findings:
        return Loaded(None, _with_lines(findings, text))
    return Loaded(config, ())


def _with_lines(findings: list[Finding], text: str) -> tuple[Problem, ...]:
    from snakepit.config.lines import line_of, lines_of

    lines = lines_of(text)
    found = [problem._replace(line=line_of(place, lines)) for place, problem in findings]
    return tuple(sorted(dict.fromkeys(found), key=lambda problem: problem.line))
