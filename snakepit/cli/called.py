"""Owns how hints name this program: as it was called, and with the config it was called with."""

import os
import re
import shlex

VARIABLE = "SNAKEPIT_CALLED"  # set by agents.py, for the one process that it becomes
DEFAULT_CONFIG = "agents.toml"
WITHOUT_CONFIG = ("init",)

_HINT = re.compile(r"(?<![\w./-])agents\.py ([a-z]+)\b(?! it\b)")


def program() -> str:
    """`python3 agents.py` in a checkout, `snakepit` where it is installed."""
    return os.environ.get(VARIABLE) or "snakepit"


def as_called(text: str, config: str | None = None) -> str:
    """The text with each `agents.py VERB` as its reader can type it; `config` is the --config given."""
    if "agents.py " not in text:
        return text
    is_default = not config or os.path.realpath(config) == os.path.realpath(DEFAULT_CONFIG)
    option = "" if is_default else f" --config {shlex.quote(str(config))}"

    def typed(found: "re.Match[str]") -> str:
        verb = found[1]
        return f"{program()} {verb}{'' if verb in WITHOUT_CONFIG else option}"

    return _HINT.sub(typed, text)
