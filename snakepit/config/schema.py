"""Owns the JSON Schema of agents.toml, made from the table of keys."""

from collections.abc import Iterable

from snakepit.config import tables
from snakepit.config.deep_keys import BY_DEEP, DEEP
from snakepit.config.key import BACKEND_NAME, NAME, VARIABLE, Key, Table
from snakepit.config.keys import BY_TABLE, TABLES
from snakepit.config.values import GROWING

Schema = dict[str, object]
_SIMPLE = ("string", "number", "boolean")
DURATION = r"^\s*(\d+(\.\d+)?\s*[smhd]?|(\d+(\.\d+)?\s*[smhd]\s*)+)$"


def schema() -> Schema:
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "agents.toml of snakepit",
        "type": "object",
        "additionalProperties": False,
        "properties": {table.name: _table(table) for table in TABLES},
        "definitions": {table.name: _body(table) for table in TABLES},
    }


def _body(table: Table) -> Schema:
    keys = BY_TABLE[table.name].values()
    body: Schema = {
        "description": table.doc,
        "type": "object",
        "additionalProperties": False,
        "properties": _properties(keys),
    }
    required = [key.name for key in keys if key.required]
    if required:
        body["required"] = required
    if table.name == "backend":
        properties: Schema = {"properties": {**_properties(keys), **_below()}}
        body |= properties
    return body


def _properties(keys: Iterable[Key]) -> Schema:
    return {key.name: _key(key) for key in keys}


def _below() -> Schema:
    """The tables below a [backend.NAME]."""
    found: Schema = {}
    for table in DEEP:
        body = _closed(_properties(BY_DEEP[table.name].values()), [])
        if table.shape == "named":
            body = {"type": "object", "additionalProperties": body}
        found[table.name] = {"description": table.doc, **body}
    return found


def _table(table: Table) -> Schema:
    body: Schema = {"$ref": f"#/definitions/{table.name}"}
    if table.shape == "single":
        return body
    if table.shape == "array":
        return {"description": table.doc, "type": "array", "items": body}
    return {
        "description": table.doc,
        "type": "object",
        "propertyNames": {"pattern": f"^{BACKEND_NAME}$"},
        "properties": dict.fromkeys(tables.names(), body),
        "additionalProperties": body,
    }


def _key(key: Key) -> Schema:
    found: Schema = {"description": _plain(key), **_shape(key)}
    if key.default is not None:
        found["default"] = key.default
    return found


def _plain(key: Key) -> str:
    return f"{key.doc} Default: {key.default_doc}." if key.default_doc else key.doc


def _shape(key: Key) -> Schema:
    word: Schema = {"type": "string", "minLength": 1}
    variable: Schema = {"type": "string", "pattern": f"^{VARIABLE}$"}
    species: Schema = {"type": "array", "minItems": 1, "items": {**word, "pattern": f"^{NAME}$"}}
    interval = _duration({"exclusiveMinimum": 0})
    shapes: dict[str, Schema] = {
        "text": {"type": "string", **_text_limits(key)},
        "flag": {"type": "boolean"},
        "integer": {"type": "integer", **_bounds(key)},
        "number": {"type": "number", **_bounds(key)},
        "duration": _duration(_bounds(key)),
        "path": word,
        "paths": {"type": "array", "items": word},
        "regex": {"type": "string"},
        "names": {"type": "array", "items": variable},
        "texts": {"type": "array", "items": {"type": "string"}},
        "map": {"type": "object", "additionalProperties": {"type": "string"}},
        "rule": {
            "type": "object",
            "additionalProperties": {"anyOf": [{"type": word} for word in _SIMPLE]},
        },
        "environment": {
            "type": "object",
            "propertyNames": {"pattern": f"^{VARIABLE}$"},
            "additionalProperties": {"type": "string"},
        },
        "wake": _closed(
            {
                "interval": interval,
                "prompt_file": word,
                "grown": {"type": "array", "items": {"enum": list(GROWING)}},
            },
            ["interval", "prompt_file"],
        ),
        "eats": {
            "anyOf": [
                {**word, "pattern": f"^{NAME}$"},
                species,
                _closed(
                    {"species": species, "labels": {"type": "array", "items": word}}, ["species"]
                ),
            ]
        },
    }
    return shapes[key.type]


def _duration(bounds: Schema) -> Schema:
    return {"anyOf": [{"type": "number", **bounds}, {"type": "string", "pattern": DURATION}]}


def _closed(properties: Schema, required: list[str]) -> Schema:
    found: Schema = {"type": "object", "additionalProperties": False, "properties": properties}
    return {**found, "required": required} if required else found


def _text_limits(key: Key) -> Schema:
    if key.allowed:
        return {"enum": list(key.allowed)}
    found: Schema = {}
    if key.pattern:
        found["pattern"] = r"\S" if key.pattern.startswith("(?s)") else f"^{key.pattern}$"
    if key.most is not None:
        found["maxLength"] = int(key.most)
    return found


def _bounds(key: Key) -> Schema:
    limits = {"minimum": key.least, "maximum": key.most, "exclusiveMinimum": key.above}
    found: Schema = {name: limit for name, limit in limits.items() if limit is not None}
    return found or {"minimum": 0}
