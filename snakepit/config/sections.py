"""Owns the way from parsed TOML to sections of checked values; every mistake becomes a finding."""

from collections.abc import Iterator, Mapping

from snakepit.config import tables
from snakepit.config.key import BACKEND_NAME, Key, Table
from snakepit.config.keys import BY_TABLE, TABLE, TABLES
from snakepit.config.problem import Finding, Place, Problem, did_you_mean
from snakepit.config.values import coerce, from_text, show

_LATER = {"loop": "a [loop] of phases is not something this program runs; remove the table"}


class Section:
    """One table of the file, or a table that only has defaults. `settings` hold text from outside the
    file by key, with the variable or flag it came from; they win over `given`."""

    def __init__(self, table: Table, name: str, place: Place, given: Mapping[str, object]) -> None:
        self.table = table
        self.name = name
        self.place = place
        self.given = given
        self.settings: dict[str, tuple[str, object]] = {}
        self.values: dict[str, object] = {}
        self.deep: dict[str, object] = {}
        self.in_file = True  # else a built-in backend that the file does not change

    @property
    def label(self) -> str:
        if self.table.shape == "array":
            return f"[[{self.table.name}]] {self.name}".rstrip()
        return f"[{self.table.name}.{self.name}]" if self.name else f"[{self.table.name}]"


def read_sections(raw: Mapping[str, object], findings: list[Finding]) -> list[Section]:
    """Every table as a section, single ones and built-in backends also when the file lacks them."""
    unknown = [name for name in raw if name not in TABLE]
    findings.extend(Finding((n,), Problem(f"[{n}]", "", _unknown_table(n))) for n in unknown)
    found: list[Section] = []
    for table in TABLES:
        value = raw.get(table.name)
        if table.shape == "single":
            found.append(Section(table, "", (table.name,), _single(table, value, findings)))
        elif table.shape == "named":
            found.extend(_named(table, value, findings))
        else:
            found.extend(_array(table, value, findings))
    return found


def _unknown_table(name: str) -> str:
    if name in _LATER:
        return _LATER[name]
    tables = [table for table, keys in BY_TABLE.items() if name in keys]
    if tables:
        return f"unknown here; the key belongs under {TABLE[tables[0]].header}"
    return f"unknown table{did_you_mean(name, TABLE)}"


def _misshapen(table: Table, findings: list[Finding]) -> None:
    message = f"must be written as {table.header}"
    findings.append(Finding((table.name,), Problem(f"[{table.name}]", "", message)))


def _single(table: Table, value: object, findings: list[Finding]) -> Mapping[str, object]:
    if isinstance(value, dict):
        return value
    if value is not None:
        _misshapen(table, findings)
    return {}


def _named(table: Table, value: object, findings: list[Finding]) -> Iterator[Section]:
    given: dict[str, Mapping[str, object]] = {name: {} for name in tables.names()}
    if isinstance(value, dict):
        if all(isinstance(item, dict) for item in value.values()):
            given |= value
        else:
            _misshapen(table, findings)
    elif value is not None:
        _misshapen(table, findings)
    for name, keys in given.items():
        section = Section(table, name, (table.name, name), keys)
        section.in_file = isinstance(value, dict) and name in value
        yield section


def _array(table: Table, value: object, findings: list[Finding]) -> Iterator[Section]:
    if value is None:
        return
    if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
        _misshapen(table, findings)
        return
    for number, keys in enumerate(value):
        name = keys.get("name", "")
        label = name if isinstance(name, str) and name.isprintable() else ""
        yield Section(table, label, (table.name, number), keys)


def fill(section: Section, base: str, findings: list[Finding]) -> None:
    """Check what is given, then take setting, file, built-in or default for every key."""
    keys = BY_TABLE[section.table.name]
    is_backend = section.table.name == "backend"
    if is_backend:
        _check_deep(section, findings)
    for name in section.given:
        if name not in keys and not (is_backend and name in tables.DEEP_NAMES):
            message = f"unknown key{_hint(section.table, name)}"
            _add(findings, section, name, message)
    for key in keys.values():
        try:
            section.values[key.name] = _value(section, key, base)
        except ValueError as exc:
            section.values[key.name] = _fallback(key, base)
            if key.name in section.settings:
                source = section.settings[key.name][0]
                findings.append(Finding((), Problem(source, "", str(exc))))
            else:
                _add(findings, section, key.name, str(exc))


def _value(section: Section, key: Key, base: str) -> object:
    if key.name in section.settings:
        value = section.settings[key.name][1]
        return from_text(key, value, base) if isinstance(value, str) else coerce(key, value, base)
    if key.name in section.given:
        return coerce(key, section.given[key.name], base)
    if key.required:
        message = "is missing"
        raise ValueError(message)
    if section.table.name == "backend":
        found = tables.head(built_in_name(section)).get(key.name)
        if found is not None:
            return coerce(key, found, base) if found != "" else found
    return _fallback(key, base)


def built_in_name(section: Section) -> str:
    """The built-in program that a [backend.NAME] changes or is like; "" for one of its own."""
    like = section.settings.get("like", ("", section.given.get("like")))[1]
    name = like if isinstance(like, str) and like else section.name
    return name if name in tables.names() else ""


def _check_deep(section: Section, findings: list[Finding]) -> None:
    section.deep = {k: v for k, v in section.given.items() if k in tables.DEEP_NAMES}
    if section.deep:
        from snakepit.config.deep import wrong

        for place, message in wrong(section.deep):
            label = ".".join((section.label[1:-1], *place[:-1]))
            problem = Problem(f"[{label}]", place[-1], message)
            findings.append(Finding((*section.place, *place), problem))


def _fallback(key: Key, base: str) -> object:
    return None if key.default is None else coerce(key, key.default, base)


def _add(findings: list[Finding], section: Section, key: str, message: str) -> None:
    findings.append(Finding((*section.place, key), Problem(section.label, key, message)))


def _hint(table: Table, name: str) -> str:
    near = did_you_mean(name, BY_TABLE[table.name])
    if near:
        return near
    others = [other for other, keys in BY_TABLE.items() if name in keys]
    return f"; it belongs under {TABLE[others[0]].header}" if others else ""


def check_names(sections: list[Section], findings: list[Finding]) -> None:
    import re

    for section in sections:
        if section.table.name == "backend" and not re.fullmatch(BACKEND_NAME, section.name):
            message = f"{show(section.name)} may have only letters, digits, - and _"
            findings.append(Finding(section.place, Problem("[backend.NAME]", "", message)))
