"""Owns wake timers: an agent's prompt file is submitted every interval, only while it holds nothing.

When it was woken last is on disk, so that a daemon that starts anew does not wake twice.
"""

from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.errors import SessionError
from snakepit.pool.end import held_by, living
from snakepit.pool.fleet import load_fleet
from snakepit.pool.statefile import read_state, write_state
from snakepit.session.base import Host

if TYPE_CHECKING:
    from snakepit.config.model import Agent
    from snakepit.pool.context import Pit

DEFAULT_KEY = "Enter"


class WakeTimers:
    def __init__(self, pit: "Pit", host: Host) -> None:
        self._pit = pit
        self._host = host

    def step(self, now: float) -> None:
        config = self._pit.config
        members = [config.member_of(name) for name in load_fleet(config).members]
        woken = [agent for agent in members if agent is not None and self._is_woken(agent)]
        if not woken:
            return
        busy = {life.worker for life in living(self._pit) if held_by(self._pit, [life])}
        alive = {pane.session for pane in self._host.panes() if not pane.dead}
        for agent in woken:
            if agent.name not in busy and config.session_name(agent) in alive:
                self._wake(agent, clock.wall())

    def _is_woken(self, agent: "Agent") -> bool:
        return agent.wake is not None and not self._pit.config.is_driven(agent)

    def _wake(self, agent: "Agent", wall: float) -> None:
        """A first sight starts the interval; a clock that jumped back starts it anew."""
        assert agent.wake is not None
        path = self._pit.config.state_dir / "wakes" / f"{agent.name}.json"
        last = read_state(path).get("last")
        if not isinstance(last, int | float) or last > wall:
            write_state(path, {"last": wall})
            return
        if wall - last < agent.wake.interval:
            return
        write_state(path, {"last": wall})
        session = self._pit.config.session_name(agent)
        try:
            prompt = agent.wake.prompt_file.read_text(encoding="utf-8")
            self._host.send_text(session, prompt.strip())
            self._host.send_key(
                session, self._pit.config.backend_of(agent).submit_key or DEFAULT_KEY
            )
        except (OSError, UnicodeDecodeError, SessionError) as error:
            self._pit.journal.append(
                "log.error", worker=agent.name, message=str(error), where="daemon.wake"
            )
            return
        self._pit.journal.append("wake.sent", worker=agent.name, prompt=agent.wake.prompt_file.name)
