"""Owns a checker of the part of JSON Schema that ours is written in; an unknown word is an error."""

import re
from collections.abc import Mapping
from typing import Any

KNOWN = {
    "$schema", "$ref", "title", "description", "default", "definitions", "type", "properties",
    "additionalProperties", "propertyNames", "required", "items", "minItems", "anyOf", "enum",
    "pattern", "minLength", "maxLength", "minimum", "maximum", "exclusiveMinimum",
}  # fmt: skip
TYPES: Mapping[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
}


def accepts(value: object, schema: Any, root: Any) -> bool:
    if schema is True:
        return True
    if schema is False:
        return False
    unknown = set(schema) - KNOWN
    assert not unknown, unknown
    if "$ref" in schema:
        return accepts(value, root["definitions"][schema["$ref"].rsplit("/", 1)[1]], root)
    kind = schema.get("type")
    if kind and not _is(value, kind):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "anyOf" in schema and not any(accepts(value, option, root) for option in schema["anyOf"]):
        return False
    if isinstance(value, str):
        return _text(value, schema)
    if isinstance(value, dict):
        return _table(value, schema, root)
    if isinstance(value, list):
        items = schema.get("items", True)
        return len(value) >= schema.get("minItems", 0) and all(
            accepts(v, items, root) for v in value
        )
    return _number(value, schema)


def _text(value: str, schema: Any) -> bool:
    fits = schema.get("minLength", 0) <= len(value) <= schema.get("maxLength", len(value))
    return fits and ("pattern" not in schema or bool(re.search(schema["pattern"], value)))


def _number(value: object, schema: Any) -> bool:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return True
    return (
        value >= schema.get("minimum", value)
        and value <= schema.get("maximum", value)
        and ("exclusiveMinimum" not in schema or value > schema["exclusiveMinimum"])
    )


def _table(value: dict[str, object], schema: Any, root: Any) -> bool:
    properties = schema.get("properties", {})
    others = schema.get("additionalProperties", True)
    names = schema.get("propertyNames", True)
    return all(name in value for name in schema.get("required", ())) and all(
        accepts(name, names, root) and accepts(item, properties.get(name, others), root)
        for name, item in value.items()
    )


def _is(value: object, kind: str) -> bool:
    if isinstance(value, bool):
        return kind == "boolean"
    return isinstance(value, TYPES[kind])
