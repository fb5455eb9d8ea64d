"""Owns what is set from outside the file: SNAKEPIT_SET_<TABLE>_<KEY> variables, and flags above them."""

from collections.abc import Iterator, Mapping

from snakepit.config.keys import BY_TABLE
from snakepit.config.problem import FROM_ENVIRONMENT, Finding, Problem
from snakepit.config.sections import Section


def apply_settings(
    sections: list[Section],
    environ: Mapping[str, str],
    flags: Mapping[str, object],
    findings: list[Finding],
) -> None:
    """Give each section its settings; a name that sets nothing is a finding."""
    variables = {name: text for name, text in environ.items() if name.startswith(FROM_ENVIRONMENT)}
    if variables:
        _apply(dict(_variable_names(sections)), variables, findings)
    if flags:
        _apply(dict(_flag_paths(sections)), flags, findings)


Target = tuple[Section, str]


def _apply(
    targets: Mapping[str, Target], given: Mapping[str, object], findings: list[Finding]
) -> None:
    for name, value in sorted(given.items()):
        if name in targets:
            section, key = targets[name]
            section.settings[key] = (name, value)
        else:
            message = f"sets no key of this config{_near(name, targets)}"
            findings.append(Finding((), Problem(name, "", message)))


def _near(name: str, targets: Mapping[str, Target]) -> str:
    import difflib

    near = difflib.get_close_matches(name, list(targets), n=1, cutoff=0.8)
    return f"; did you mean {near[0]}?" if near else ""


def variable_name(*parts: str) -> str:
    """SNAKEPIT_SET_BACKEND_DEMO_BIN for ("backend", "demo", "bin")."""
    return FROM_ENVIRONMENT + "_".join(part.upper().replace("-", "_") for part in parts if part)


def _variable_names(sections: list[Section]) -> Iterator[tuple[str, Target]]:
    for section, key in _targets(sections):
        yield variable_name(section.table.name, section.name, key), (section, key)


def _flag_paths(sections: list[Section]) -> Iterator[tuple[str, Target]]:
    for section, key in _targets(sections):
        parts = (section.table.name, section.name, key)
        yield ".".join(part for part in parts if part), (section, key)


def _targets(sections: list[Section]) -> Iterator[Target]:
    for section in sections:
        if section.table.shape != "single" and not section.name:
            continue
        for key in BY_TABLE[section.table.name]:
            if key != "name":
                yield section, key
