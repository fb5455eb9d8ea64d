"""Owns the numbers of one run of the agent, with their defaults; it reads no file."""

from typing import NamedTuple

DEFAULT_WINDOW = 200_000  # tokens, where neither config nor server tells
SMALLEST_ANSWER = 256  # tokens


class Settings(NamedTuple):
    """0 is no limit for `max_tokens` and `budget_usd`, and "ask the server" for `context_tokens`."""

    model: str = ""
    base_url: str = ""
    max_turns: int = 200
    max_tokens: int = 0
    budget_usd: float = 0.0
    answer_tokens: int = 16_000
    context_tokens: int = 0
    compact_at: float = 0.6
    cache: bool = True
    retries: int = 10
    patience: float = 60.0
    request_timeout: float = 600.0
    command_timeout: float = 120.0


def settings_from(given: object) -> Settings:
    """From a record that has some of these names, or none."""
    known = {name: getattr(given, name) for name in Settings._fields if hasattr(given, name)}
    return Settings(**{name: value for name, value in known.items() if value is not None})
