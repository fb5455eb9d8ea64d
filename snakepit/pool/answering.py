"""Owns answering the questions of a program that starts: by label, one key at a time, as the config allows.

Before each key the screen is looked at again: the same question in the same state twice, the program
itself at its keys, nobody typing. What the config does not allow waits for a person.
"""

from typing import TYPE_CHECKING, NamedTuple

from snakepit import clock
from snakepit.core.composer import Reading, read_screen
from snakepit.core.dialogs import CONFIRM, Question, may_answer, next_key
from snakepit.pool.deliver import PERSON_S, pane_lock, wait_until
from snakepit.pool.occupant import Occupant, occupant
from snakepit.system import process

if TYPE_CHECKING:
    from snakepit.config.model import Agent
    from snakepit.pool.context import Pit
    from snakepit.session.base import Host, Look

MOST_KEYS = 20
CHANGE_S = 2.0  # until a key shows on the screen
SETTLED_S = 0.25  # a screen that stayed the same for this long is drawn
FINAL = (CONFIRM,)


class Sight(NamedTuple):
    look: "Look"
    reading: Reading


def see(pit: "Pit", host: "Host", agent: "Agent") -> Sight:
    look = host.look(pit.config.session_name(agent))
    backend = pit.config.backend_of(agent)
    return Sight(look, read_screen(look.rows, backend.screen, backend.dialogs, bright=look.bright))


def consents(pit: "Pit", agent: "Agent", pid: int) -> dict[str, bool]:
    """What the config has agreed to already: trust by key, no questions by its flags, a key by giving it."""
    backend = pit.config.backend_of(agent)
    given = process.environ_of(pid)
    return {
        "trust_workspace": agent.trust_workspace,
        "permissions": any(flag in backend.flags for flag in backend.asks_nothing),
        "api_key": any(given.get(name) for name in backend.account.env),
    }


def answer(pit: "Pit", host: "Host", agent: "Agent") -> bool:
    """Answer the question that is on the screen now; True when it is gone, told in the journal."""
    with pane_lock(pit.config, agent.name, wait_s=0.0) as is_mine:
        return is_mine and _answer(pit, host, agent)


def _answer(pit: "Pit", host: "Host", agent: "Agent") -> bool:
    session = pit.config.session_name(agent)
    first = _settled(pit, host, agent)
    if first is None or first.reading.question is None:
        return False
    question = first.reading.question
    for _ in range(MOST_KEYS):
        sight = _settled(pit, host, agent)
        key = _key(pit, agent, sight, question.name)
        if sight is None or key is None:
            return False
        chosen = _chosen(sight.reading.question)
        host.send_key(session, key)
        if not _changes(pit, host, agent, sight):
            return False
        if key in FINAL or question.table is None or not question.table.choose:
            pit.journal.append(
                "dialog.answered",
                worker=agent.name,
                dialog=question.name,
                says=question.says,
                answer=chosen or key,
            )
            return True
    return False


def _settled(pit: "Pit", host: "Host", agent: "Agent") -> Sight | None:
    """A sight that did not change for a moment; None while the screen is being drawn."""
    first = see(pit, host, agent)
    later = clock.monotonic() + SETTLED_S
    wait_until(lambda: clock.monotonic() >= later, SETTLED_S)
    second = see(pit, host, agent)
    return second if second.look.rows == first.look.rows else None


def _changes(pit: "Pit", host: "Host", agent: "Agent", before: Sight) -> bool:
    return wait_until(lambda: see(pit, host, agent).look.rows != before.look.rows, CHANGE_S)


def _key(pit: "Pit", agent: "Agent", sight: Sight | None, name: str) -> str | None:
    """The next key, if this is still that question, the program reads the keys, and the config agrees."""
    question = sight.reading.question if sight else None
    if sight is None or question is None or question.name != name:
        return None
    who = occupant(pit, agent, sight.look.pane)
    if not isinstance(who, Occupant) or clock.wall() - sight.look.typed_at < PERSON_S:
        return None
    if sight.look.in_mode or not may_answer(question.table, consents(pit, agent, who.pid)):
        return None
    return next_key(question)


def _chosen(question: Question | None) -> str:
    if question is None or question.menu is None or question.menu.chosen is None:
        return ""
    return question.menu.options[question.menu.chosen].label
