"""Owns the arguments of a tool: their JSON Schema, and what is wrong with given ones, in plain words."""

from collections.abc import Mapping
from typing import Any

Given = Mapping[str, Any]
Property = dict[str, object]

_TYPES: Mapping[str, tuple[type, str]] = {
    "string": (str, "a text"),
    "boolean": (bool, "true or false"),
    "number": (float, "a number"),
    "integer": (int, "a whole number"),
    "array": (list, "a list"),
    "object": (dict, "an object"),
}


def text(says: str) -> Property:
    return {"type": "string", "description": says}


def flag(says: str) -> Property:
    return {"type": "boolean", "description": says}


def number(says: str, kind: str = "number") -> Property:
    return {"type": kind, "description": says}


def names(says: str) -> Property:
    return {"type": "array", "items": {"type": "string"}, "description": says}


def shape(*required: str, **properties: Property) -> dict[str, object]:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
    }


def problem(schema: Mapping[str, Any], given: object, where: str = "") -> str:
    """The first thing that is wrong, empty when nothing is; `where` names what is looked at."""
    kind = schema.get("type", "object")
    python, says = _TYPES[kind]
    is_number = kind == "number" and isinstance(given, int) and not isinstance(given, bool)
    if (kind == "integer" and isinstance(given, bool)) or not (
        isinstance(given, python) or is_number
    ):
        return f"{where or 'what was given'} must be {says}"
    if isinstance(given, list):
        found = (problem(schema["items"], item, f"each of {where}") for item in given)
        return next(filter(None, found), "")
    return _problem_in(schema, given, where) if isinstance(given, dict) else ""


def _problem_in(schema: Mapping[str, Any], given: Given, where: str) -> str:
    known = schema["properties"]
    place = f" in {where}" if where else ""
    for name in schema["required"]:
        if name not in given:
            return f"{name} is missing{place}"
    for name, value in given.items():
        if name not in known:
            return f"there is no {name}{place}, only {', '.join(known)}"
        wrong = problem(known[name], value, name)
        if wrong:
            return wrong
    return ""
