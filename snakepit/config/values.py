"""Owns turning one value of the file or of a variable into its type; ValueError says what is wrong."""

import math
import os
import re
import tomllib
import warnings
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NoReturn, TypeVar

from snakepit.config.key import NAME, VARIABLE, Key
from snakepit.config.model import Eats, Wake
from snakepit.config.problem import did_you_mean
from snakepit.core.duration import parse_duration

T = TypeVar("T")
RESERVED = "SNAKEPIT_"


def coerce(key: Key, value: object, base: str) -> object:
    """`base` is the folder that relative paths start from."""
    result = _READERS[key.type](key, value, base)
    if key.allowed and result not in key.allowed:
        choices = ", ".join(f'"{word}"' for word in key.allowed)
        _refuse(f"one of {choices}", value, did_you_mean(str(result), key.allowed))
    return result


def from_text(key: Key, text: str, base: str) -> object:
    """The same for a variable or a flag, where everything is text."""
    return coerce(key, _untext(key, text), base)


def _untext(key: Key, text: str) -> object:
    word = text.strip()
    if key.type == "flag" and word.lower() in _FLAGS:
        return _FLAGS[word.lower()]
    if key.type in ("integer", "number"):
        try:
            return int(word) if key.type == "integer" else float(word)
        except ValueError:
            return text
    if key.type in ("names", "texts", "paths", "eats", "environment", "wake"):
        if word[:1] in ("[", "{"):
            return _toml_value(word)
        return [part.strip() for part in word.split(",") if part.strip()]
    return text


_FLAGS = {"true": True, "1": True, "yes": True, "on": True}
_FLAGS |= {"false": False, "0": False, "no": False, "off": False}


def _toml_value(text: str) -> object:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError) as exc:
        message = f"is not a TOML value: {exc}"
        raise ValueError(message) from None


def show(value: object) -> str:
    """The value as one short word for a message."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        cut = value if len(value) <= 40 else value[:37] + "..."
        return '"' + cut.replace("\n", "\\n").replace("\0", "\\u0000") + '"'
    if isinstance(value, Mapping):
        return "a table"
    if isinstance(value, list):
        return "a list"
    if isinstance(value, int) and abs(value) > 10**18:
        return "a huge number"
    return str(value)


def _refuse(wanted: str, value: object, hint: str = "") -> NoReturn:
    message = f"must be {wanted}, not {show(value)}{hint}"
    raise ValueError(message)


def _text(key: Key, value: object, base: str) -> str:
    if not isinstance(value, str):
        hint = f'; write "{show(value)}"' if isinstance(value, int | float) else ""
        _refuse("text in quotes", value, hint)
    if "\0" in value:
        message = "must not hold a NUL character"
        raise ValueError(message)
    if key.pattern and key.type == "text":
        _match(key, value)
    if key.most is not None and len(value) > key.most:
        message = f"must have at most {key.most:.0f} characters, not {len(value)}"
        raise ValueError(message)
    return value


def _match(key: Key, value: str) -> None:
    if key.pattern and not re.fullmatch(key.pattern, value):
        message = f"must be {key.pattern_doc}, not {show(value)}"
        raise ValueError(message)


def _flag(key: Key, value: object, base: str) -> bool:
    if not isinstance(value, bool):
        _refuse("true or false", value)
    return value


def _integer(key: Key, value: object, base: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        _refuse("a whole number", value)
    _within(key, value)
    return value


def _number(key: Key, value: object, base: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        _refuse("a number", value)
    _within(key, value)
    if abs(value) > 10**15 or not math.isfinite(value):
        _refuse("a reasonable number", value)
    return float(value)


def _duration(key: Key, value: object, base: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        _refuse('a duration: seconds, or "90s", "30m", "2h", "1d"', value)
    try:
        seconds = parse_duration(value)
    except (ValueError, OverflowError):
        _refuse('a duration: seconds, or "90s", "30m", "2h", "1d"', value)
    _within(key, seconds)
    return seconds


def _within(key: Key, value: float) -> None:
    if key.least is not None and value < key.least:
        _refuse(f"{key.least:g} or more", value)
    if key.most is not None and value > key.most:
        _refuse(f"{key.most:g} or less", value)
    if key.above is not None and value <= key.above:
        _refuse(f"more than {key.above:g}", value)


def _path(key: Key, value: object, base: str) -> Path:
    text = _text(key, value, base)
    if not text.strip():
        _refuse("a path", value)
    return Path(os.path.normpath(os.path.join(base, os.path.expanduser(text))))


def _paths(key: Key, value: object, base: str) -> tuple[Path, ...]:
    return tuple(_path(key, item, base) for item in _list(value, "paths"))


def _list(value: object, what: str) -> list[object]:
    if not isinstance(value, list):
        _refuse(f"a list of {what}", value)
    return value


def _regex(key: Key, value: object, base: str) -> str:
    pattern = _text(key, value, base)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(pattern)
    except (re.error, OverflowError, RecursionError) as exc:
        message = f"is not a regular expression: {exc}"
        raise ValueError(message) from None
    return pattern


def _names(key: Key, value: object, base: str) -> tuple[str, ...]:
    found: list[str] = []
    for item in _list(value, "names"):
        if not isinstance(item, str):
            _refuse("a list of names", item)
        _match(key, item)
        _not_reserved(item)
        if item not in found:
            found.append(item)
    return tuple(found)


def _texts(key: Key, value: object, base: str) -> tuple[str, ...]:
    for item in _list(value, "texts"):
        if not isinstance(item, str) or "\0" in item:
            _refuse("a list of texts in quotes", item)
    return tuple(str(item) for item in _list(value, "texts"))


def _map(key: Key, value: object, base: str) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        _refuse('a table of texts: { name = "value" }', value)
    for name, text in value.items():
        if not isinstance(text, str) or "\0" in text:
            message = f"{name} must be text in quotes, not {show(text)}"
            raise ValueError(message)
    return dict(value)


def _rule(key: Key, value: object, base: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        _refuse('a table: { path = "value" }', value)
    for path, wanted in value.items():
        if not isinstance(wanted, str | int | float):
            message = f"{path} must be text, a number, true or false, not {show(wanted)}"
            raise ValueError(message)
        if isinstance(wanted, str) and wanted not in ("*", "!", "?"):
            _regex(key, wanted, base)
    return dict(value)


def _not_reserved(name: str) -> None:
    if name.startswith(RESERVED):
        message = f'"{name}": {RESERVED}… names the snake itself and is set by the pool'
        raise ValueError(message)


def _environment(key: Key, value: object, base: str) -> Mapping[str, str]:
    if not isinstance(value, Mapping):
        _refuse('a table of texts: { NAME = "value" }', value)
    for name, text in value.items():
        if not re.fullmatch(VARIABLE, str(name)):
            message = f"{show(name)} is not the name of an environment variable"
            raise ValueError(message)
        _not_reserved(str(name))
        if not isinstance(text, str) or "\0" in text:
            hint = f'; write {name} = "{show(text)}"' if isinstance(text, int | float) else ""
            message = f"{name} must be text in quotes, not {show(text)}{hint}"
            raise ValueError(message)
    return dict(value)


GROWING = ("waste", "scraps")
_INTERVAL = Key("agent", "interval", "duration", None, "", above=0)
_PROMPT_FILE = Key("agent", "prompt_file", "path", None, "")


def _wake(key: Key, value: object, base: str) -> Wake:
    known = ("interval", "prompt_file", "grown")
    table = _subtable(value, known, "{ interval, prompt_file }")
    for name in ("interval", "prompt_file"):
        if name not in table:
            message = f'needs "{name}"'
            raise ValueError(message)
    return Wake(
        interval=_named("interval", _duration, _INTERVAL, table["interval"], base),
        prompt_file=_named("prompt_file", _path, _PROMPT_FILE, table["prompt_file"], base),
        grown=_grown(table.get("grown", [])),
    )


def _grown(value: object) -> tuple[str, ...]:
    found = _list(value, "grown")
    if any(folder not in GROWING for folder in found):
        _refuse(f"grown: a list of {' and '.join(GROWING)}", value)
    return tuple(str(folder) for folder in found)


def _named(
    name: str, reader: Callable[[Key, object, str], T], key: Key, value: object, base: str
) -> T:
    try:
        return reader(key, value, base)
    except ValueError as exc:
        message = f"{name} {exc}"
        raise ValueError(message) from None


def _eats(key: Key, value: object, base: str) -> Eats:
    if isinstance(value, str):
        return Eats(species=_words([value], "species"))
    if isinstance(value, list):
        return Eats(species=_words(value, "species"))
    table = _subtable(value, ("species", "labels"), "a list of species, or { species, labels }")
    if "species" not in table:
        message = 'needs "species"'
        raise ValueError(message)
    return Eats(
        species=_words(table["species"], "species"),
        labels=_words(table.get("labels", []), "labels"),
    )


def _words(value: object, what: str) -> tuple[str, ...]:
    for item in _list(value, what):
        if not isinstance(item, str) or not item.strip() or "\0" in item:
            _refuse(f"a list of {what}", item)
        if what == "species" and not re.fullmatch(NAME, item):
            message = f"species {show(item)} may have only a-z, 0-9 and -, and no - in front"
            raise ValueError(message)
    words = tuple(dict.fromkeys(str(item) for item in _list(value, what)))
    if what == "species" and not words:
        message = "must name at least one species"
        raise ValueError(message)
    return words


def _subtable(value: object, known: tuple[str, ...], wanted: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        _refuse(wanted, value)
    wrong = [
        f'has no key "{name}"{did_you_mean(name, known)}' for name in value if name not in known
    ]
    if wrong:
        raise ValueError("; ".join(wrong))
    return value


_READERS: Mapping[str, Callable[[Key, object, str], object]] = {
    "text": _text,
    "flag": _flag,
    "integer": _integer,
    "number": _number,
    "duration": _duration,
    "path": _path,
    "paths": _paths,
    "regex": _regex,
    "names": _names,
    "texts": _texts,
    "map": _map,
    "rule": _rule,
    "environment": _environment,
    "wake": _wake,
    "eats": _eats,
}
