"""Owns the JSON Schema of agents.toml, made from the table of keys."""

from snakepit.config.builtin import BACKENDS
from snakepit.config.key import BACKEND_NAME, NAME, VARIABLE, Key, Table
from snakepit.config.keys import BY_TABLE, TABLES

Schema = dict[str, object]
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
        "properties": {key.name: _key(key) for key in keys},
    }
    required = [key.name for key in keys if key.required]
    if required:
        body["required"] = required
    return body


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
        "properties": dict.fromkeys(BACKENDS, body),
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
        "environment": {
            "type": "object",
            "propertyNames": {"pattern": f"^{VARIABLE}$"},
            "additionalProperties": {"type": "string"},
        },
        "wake": _closed({"interval": interval, "prompt_file": word}, ["interval", "prompt_file"]),
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
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "required": required,
    }


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
