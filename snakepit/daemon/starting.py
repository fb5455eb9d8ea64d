"""Owns the watch over interactive programs that start, and over questions that wait for a person.

While one starts its questions are answered as the config allows; from its first prompt on it is only looked
at: a question then is the agent's or the account's, and a person's to answer.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.composer import State
from snakepit.core.dialogs import may_answer, next_key
from snakepit.errors import SessionError
from snakepit.pool.answering import Sight, answer, consents, see
from snakepit.pool.fleet import load_fleet
from snakepit.store.base import Verdict

if TYPE_CHECKING:
    from snakepit.config.model import Agent
    from snakepit.pool.context import Pit
    from snakepit.session.base import Host
    from snakepit.store.base import LifeRecord

CALM_S = 5.0  # between two looks at a program that has begun
MOST_TRIES = 8  # answers to one question; then it is a person's


@dataclass(slots=True, kw_only=True)
class Begun:
    """One life of a program, since it was first looked at."""

    generation: str
    since: float
    is_ready: bool = False
    is_open: bool = False  # it took texts at the last look
    waits: str = ""  # what it asks a person
    seen: str = (
        ""  # what it asked at the last look: a screen that is being drawn asks strange things
    )
    tried: str = ""  # the question that was answered last, and how often in a row without success
    tries: int = 0
    look_at: float = 0.0


class StartWatch:
    def __init__(self, pit: "Pit", host: "Host") -> None:
        self._pit = pit
        self._host = host
        self._begun: dict[str, Begun] = {}

    @property
    def waiting(self) -> dict[str, str]:
        """Who waits for a person, and what is asked."""
        return {name: begun.waits for name, begun in self._begun.items() if begun.waits}

    def is_ready(self, worker: str, generation: str) -> bool:
        """Whether that life has taken texts once, and no question is open."""
        begun = self._begun.get(worker)
        return bool(begun and begun.generation == generation and begun.is_ready and not begun.waits)

    def step(self, now: float) -> None:
        config = self._pit.config
        members = (config.member_of(name) for name in load_fleet(config).members)
        agents = [agent for agent in members if agent and not config.is_driven(agent)]
        if not agents:
            self._begun.clear()
            return
        lives = {life.worker: life for life in self._pit.store.lives()}
        for agent in agents:
            life = lives.get(agent.name)
            if life is None or life.verdict is not Verdict.ALIVE:
                self._begun.pop(agent.name, None)
                continue
            begun = self._of(agent, life, now)
            if now >= begun.look_at:
                self._look(agent, begun, now)

    def _of(self, agent: "Agent", life: "LifeRecord", now: float) -> Begun:
        begun = self._begun.get(agent.name)
        if begun is None or begun.generation != life.generation:
            begun = Begun(generation=life.generation, since=now)
            self._begun[agent.name] = begun
        return begun

    def _look(self, agent: "Agent", begun: Begun, now: float) -> None:
        try:
            sight = see(self._pit, self._host, agent)
            if self._is_ours(agent, begun, sight):
                self._answer(agent, begun, sight)
                sight = see(self._pit, self._host, agent)
        except SessionError:
            return  # its pane is gone, or tmux does not answer: whoever keeps sessions tells
        self._judge(agent, begun, sight, now)
        is_calm = begun.is_ready and begun.seen == begun.waits
        begun.look_at = now + CALM_S if is_calm else now

    def _answer(self, agent: "Agent", begun: Begun, sight: Sight) -> None:
        question = sight.reading.question
        name = question.name if question else ""
        begun.tries = begun.tries + 1 if begun.tried == name else 1
        begun.tried = name
        if answer(self._pit, self._host, agent):
            begun.tries = 0

    def _is_ours(self, agent: "Agent", begun: Begun, sight: Sight) -> bool:
        question = sight.reading.question
        if begun.is_ready or question is None or next_key(question) is None:
            return False
        if begun.tried == question.name and begun.tries >= MOST_TRIES:
            return False
        life = next((one for one in self._pit.store.lives() if one.worker == agent.name), None)
        return life is not None and may_answer(question.table, consents(self._pit, agent, life.pid))

    def _judge(self, agent: "Agent", begun: Begun, sight: Sight, now: float) -> None:
        reading = sight.reading
        was_open, begun.is_open = begun.is_open, reading.state in (State.READY, State.WORKING)
        if not begun.is_ready and was_open and begun.is_open:
            begun.is_ready = True
            self._pit.journal.append(
                "session.ready",
                worker=agent.name,
                seconds=round(clock.monotonic() - begun.since, 1),
                generation=begun.generation,
            )
        question = reading.question
        if question is not None and not self._is_ours(agent, begun, sight):
            is_drawn, begun.seen = begun.seen == question.says, question.says
            if is_drawn and begun.waits != question.says:
                begun.waits = question.says
                self._pit.journal.append(
                    "dialog.waits", worker=agent.name, dialog=question.name, says=question.says
                )
        elif question is None:
            begun.seen = ""
        if question is None and begun.waits and reading.state is not State.UNKNOWN:
            self._pit.journal.append("dialog.gone", worker=agent.name, says=begun.waits)
            begun.waits = ""
