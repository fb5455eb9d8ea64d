"""Owns what a key of agents.toml is; it holds no key."""

from typing import Literal, NamedTuple

Type = Literal[
    "text",
    "flag",
    "integer",
    "number",
    "duration",
    "path",
    "paths",
    "regex",
    "names",
    "texts",
    "map",
    "rule",
    "environment",
    "wake",
    "eats",
]
Shape = Literal["single", "named", "array"]
Applies = Literal["now", "reload", "restart"]

NAME = r"[a-z0-9][a-z0-9-]*"
BACKEND_NAME = r"[A-Za-z0-9][A-Za-z0-9_-]*"
VARIABLE = r"[A-Za-z_][A-Za-z0-9_]*"


class Table(NamedTuple):
    """`shape`: [name], [name.NAME] or [[name]]."""

    name: str
    shape: Shape
    doc: str

    @property
    def header(self) -> str:
        return {
            "single": f"[{self.name}]",
            "named": f"[{self.name}.NAME]",
            "array": f"[[{self.name}]]",
        }[self.shape]


class Key(NamedTuple):
    """One key. `default` is in file form; None means that the doc says where the value comes from.

    `applies`: "now" on a saved file, "reload" on `agents.py reload`, "restart" after down and up.
    `most` is the largest number, or the longest text.
    """

    table: str
    name: str
    type: Type
    default: object
    doc: str
    applies: Applies = "reload"
    allowed: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None
    above: float | None = None  # greater than this; for what may not be zero
    pattern: str = ""
    pattern_doc: str = ""
    required: bool = False
    default_doc: str = ""
