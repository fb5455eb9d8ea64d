"""Owns wake timers: an agent is told its prompt file every interval, only while it holds nothing.

An interactive snake is told in its pane; one that our worker drives gets it as a task of its own. When it
was last is on disk, so that a daemon that starts anew does not wake twice.
"""

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.errors import SnakepitError
from snakepit.pool.end import held_by, living
from snakepit.pool.feed import feed_one, fresh_name
from snakepit.pool.fleet import load_fleet
from snakepit.pool.statefile import read_state, write_state
from snakepit.session.base import Host

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Wake
    from snakepit.pool.context import Pit
    from snakepit.pool.deliver import Delivery

    Tell = Callable[[Agent, str], Delivery]

AGAIN_S = 60.0  # until one that could not be told is told again
TASK = "wake-"  # and the agent's name: what such a task is called


class WakeTimers:
    """`tell` gives a text to an interactive snake."""

    def __init__(self, pit: "Pit", host: Host, tell: "Tell | None" = None) -> None:
        self._pit = pit
        self._host = host
        self._given = tell or self._deliver

    def step(self, now: float) -> None:
        config = self._pit.config
        members = [config.member_of(name) for name in load_fleet(config).members]
        woken = [agent for agent in members if agent is not None and agent.wake is not None]
        if not woken:
            return
        busy = {life.worker for life in living(self._pit) if held_by(self._pit, [life])}
        alive = {pane.session for pane in self._host.panes() if not pane.dead}
        for agent in woken:
            if agent.name not in busy and config.session_name(agent) in alive:
                self._wake(agent, clock.wall())

    def _wake(self, agent: "Agent", wall: float) -> None:
        """A first sight starts the interval; a clock that jumped back starts it anew."""
        wake = agent.wake
        assert wake is not None
        path = self._pit.config.state_dir / "wakes" / f"{agent.name}.json"
        record = read_state(path)
        last = record.get("last")
        if not isinstance(last, int | float) or last > wall:
            write_state(path, {"last": wall, "seen": self._newest(agent, wake)})
            return
        if wall - last < wake.interval or self._waits(record):
            return
        newest = self._newest(agent, wake)
        told = {**record, "last": wall, "seen": newest}
        if wake.grown and not _has_grown(record.get("seen"), newest):
            write_state(path, told)
            return
        write_state(path, told)
        try:
            prompt = wake.prompt_file.read_text(encoding="utf-8").strip()
            if self._pit.config.is_driven(agent):
                write_state(path, {**told, "task": self._feed(agent, prompt)})
            elif not self._given(agent, prompt).is_over:
                write_state(path, {**record, "last": wall - wake.interval + AGAIN_S})
                return
        except (OSError, UnicodeDecodeError, SnakepitError) as error:
            self._pit.journal.append(
                "log.error", worker=agent.name, message=str(error), where="daemon.wake"
            )
            return
        self._pit.journal.append("wake.sent", worker=agent.name, prompt=wake.prompt_file.name)

    def _deliver(self, agent: "Agent", prompt: str) -> "Delivery":
        """The same text at another time is another text: it is not looked for."""
        from snakepit.pool.deliver import deliver

        return deliver(self._pit, self._host, agent, prompt, why="wake", only_idle=True, again=True)

    def _feed(self, agent: "Agent", prompt: str) -> str:
        name = fresh_name(f"{TASK}{agent.name}.md")
        keys = {"to": agent.name, "species": agent.eats.species[0]}
        return feed_one(self._pit, name, prompt.encode(), **keys).name

    def _waits(self, record: Mapping[str, object]) -> bool:
        """The last one was not even eaten yet."""
        task = record.get("task")
        if not isinstance(task, str):
            return False
        places = self._pit.store.locate(task)
        return any(place.state in (State.QUEUED, State.CLAIMED) for place in places)

    def _newest(self, agent: "Agent", wake: "Wake") -> list[int]:
        """The latest change in each folder that counts, but for what the waking itself left there."""
        own = f"{TASK}{agent.name}-"
        root = self._pit.config.pit_dir
        return [_newest(root / folder, own) for folder in wake.grown]


def _has_grown(seen: object, newest: list[int]) -> bool:
    if not isinstance(seen, list) or len(seen) != len(newest):
        return True
    return any(now > before for before, now in zip(seen, newest, strict=True))


def _newest(folder: Path, own: str) -> int:
    with os.scandir(folder) as entries:
        return max(
            _changes(entry for entry in entries if not entry.name.startswith(own)), default=0
        )


def _changes(entries: "Iterable[os.DirEntry[str]]") -> Iterable[int]:
    """When each came or got another attempt; what goes meanwhile is left out."""
    for entry in entries:
        try:
            yield entry.stat(follow_symlinks=False).st_ctime_ns
        except FileNotFoundError:
            continue
