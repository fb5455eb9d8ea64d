"""Owns what is known of a program by what it tells of itself: is it in a turn, in a tool, asking, refused.

A pure fold over its hooks. Silence proves nothing: a turn that a person interrupted ends without a word.
"""

from collections.abc import Mapping
from typing import NamedTuple

from snakepit.core import hooked
from snakepit.core.hooked import Told


class Signals(NamedTuple):
    """Instants in unix seconds, 0 for never. `failure` is of the last turn, empty where that ended well.

    `crons`: wake-ups that the program has planned for itself; `background`: what it left running.
    """

    generation: str = ""
    session: str = ""
    transcript: str = ""
    last: float = 0.0
    session_began: float = 0.0
    session_ended: float = 0.0
    turn_began: float = 0.0
    turn_ended: float = 0.0
    turns: int = 0
    failure: str = ""
    failure_text: str = ""
    tool: str = ""
    tool_call: str = ""
    tool_began: float = 0.0
    asks: float = 0.0
    notice: str = ""
    crons: int = 0
    background: int = 0

    @property
    def in_turn(self) -> bool:
        return self.turn_began > self.turn_ended

    @property
    def in_tool(self) -> bool:
        return self.in_turn and bool(self.tool)

    @property
    def is_waiting(self) -> bool:
        """It asks a person, and nothing has gone on since."""
        return bool(self.asks)

    def after(self, found: Told, at: float, generation: str = "") -> "Signals":
        known = self
        if generation and generation != known.generation:
            known = Signals(generation=generation)
        known = known._replace(
            last=max(known.last, at),
            session=found.session or known.session,
            transcript=found.transcript or known.transcript,
        )
        step = _STEPS.get(found.kind)
        return step(known, found, at) if step else known

    def to_json(self) -> dict[str, object]:
        return dict(self._asdict())

    @classmethod
    def from_json(cls, raw: Mapping[str, object]) -> "Signals":
        """Lenient: what is of another type is as if it were not there."""
        empty = cls()._asdict()
        kept: dict[str, object] = {}
        for name, default in empty.items():
            value = raw.get(name)
            if isinstance(value, str) and isinstance(default, str):
                kept[name] = value
            elif _is_number(value) and _is_number(default):
                kept[name] = type(default)(value)
        return cls(**kept)  # type: ignore[arg-type]


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _session_start(known: Signals, _found: Told, at: float) -> Signals:
    return known._replace(session_began=at, session_ended=0.0, tool="", tool_call="", asks=0.0)


def _session_end(known: Signals, _found: Told, at: float) -> Signals:
    ended = known.turn_ended if not known.in_turn else at
    return known._replace(session_ended=at, turn_ended=ended, tool="", tool_call="", asks=0.0)


def _prompt(known: Signals, _found: Told, at: float) -> Signals:
    return known._replace(
        turn_began=at,
        turns=known.turns + 1,
        failure="",
        failure_text="",
        tool="",
        tool_call="",
        asks=0.0,
        notice="",
    )


def _call(known: Signals, found: Told, at: float) -> Signals:
    began = known.turn_began if known.in_turn else at  # its prompt was not told
    return known._replace(
        turn_began=began, tool=found.tool, tool_call=found.call, tool_began=at, asks=0.0
    )


def _result(known: Signals, found: Told, _at: float) -> Signals:
    if known.tool_call and found.call and found.call != known.tool_call:
        return known._replace(asks=0.0)  # one of several that run at once
    return known._replace(tool="", tool_call="", asks=0.0)


def _asks(known: Signals, _found: Told, at: float) -> Signals:
    return known._replace(asks=at)


def _notice(known: Signals, found: Told, at: float) -> Signals:
    kind = found.said.get("notification_type")
    named = kind if isinstance(kind, str) else ""
    asks = at if "permission" in named and not known.asks else known.asks
    return known._replace(notice=named, asks=asks)


def _stop(known: Signals, found: Told, at: float) -> Signals:
    return known._replace(
        turn_ended=at,
        tool="",
        tool_call="",
        asks=0.0,
        failure="",
        failure_text="",
        crons=found.crons,
        background=found.background,
    )


def _failed(known: Signals, found: Told, at: float) -> Signals:
    ended = _stop(known, found, at)
    return ended._replace(failure=found.failure, failure_text=found.text[:500])


_STEPS = {
    hooked.SESSION_START: _session_start,
    hooked.SESSION_END: _session_end,
    hooked.PROMPT: _prompt,
    hooked.CALL: _call,
    hooked.RESULT: _result,
    hooked.ASKS: _asks,
    hooked.NOTICE: _notice,
    hooked.STOP: _stop,
    hooked.FAILED: _failed,
}
