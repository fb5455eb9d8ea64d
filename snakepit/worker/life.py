"""Owns one worker process from the first claimable moment to its orderly end."""

from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.pool.canary import Account
from snakepit.pool.context import Pit
from snakepit.pool.tree import end_life, open_mark
from snakepit.system import process
from snakepit.worker.attention import Attention
from snakepit.worker.caretaker import Caretaker
from snakepit.worker.loop import Worker
from snakepit.worker.pauses import Pauses
from snakepit.worker.screen import Screen

if TYPE_CHECKING:
    from snakepit.config.model import Agent


def run_worker(pit: Pit, agent: "Agent", *, guard: int = 0) -> None:
    """Until a signal asks it to end; WorkerNameTaken while another life has the name."""
    config = pit.config
    is_subreaper = process.set_subreaper()
    screen = Screen(config.log_dir / "raw" / f"{agent.name}.log", pit.redactor)
    caretaker = Caretaker(pit, screen)

    def tick() -> None:
        """A pool of which every worker is busy must not be without its daemon."""
        pit.store.stop_keeping()
        caretaker.step(clock.monotonic())

    attention = Attention(screen, poke=pit.store.poke, tick=tick)
    attention.listen()
    try:
        life = pit.store.open_worker(
            agent.name, session=config.session_name(agent), guard=guard, end_life=end_life
        )
        process.leave_mark(open_mark(life.generation))
        pit.journal.append(
            "worker.started",
            worker=agent.name,
            generation=life.generation,
            pid=life.record.pid,
            species=sorted(agent.diet.species),
        )
        worker = Worker(
            pit=pit,
            agent=agent,
            life=life,
            screen=screen,
            attention=attention,
            caretaker=caretaker,
            pauses=Pauses(config, agent.name),
            account=Account(config, agent),
            is_subreaper=is_subreaper,
        )
        screen.say(f"{agent.name} eats {', '.join(sorted(agent.diet.species))}")
        try:
            while worker.step():
                pass
        finally:
            worker.close()
            caretaker.leave()
    finally:
        attention.close()
        screen.close()
