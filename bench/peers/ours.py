"""Owns snakepit as a peer, through its public API: the use cases of the pool, events written.

The companion is the process that keeps the index as the daemon does, in every measurement of it.
"""

import os
from typing import Any

from bench import clock
from bench.peers.base import Peer, seq_at, text_of

CONFIG = """[defaults]
log_dir = "log"

[pit]
path = "pit"
durable = "{durable}"

[[agent]]
name = "bench"
backend = "script"
"""
WAIT_S = 1.0


class Ours(Peer):
    durable_note = 'durable = "power" (its default)'
    kill_note = 'durable = "kill"; put is synced all the same'
    wait_note = "the worker's own wait, with the daemon's index"
    has_urgent = True
    has_companion = True

    def _open_pit(self) -> None:
        from snakepit.config.loader import load
        from snakepit.pool.context import open_context

        self.pit = open_context(load(self.home / "agents.toml", environ=os.environ))
        self.food = f"{self.home}/pit/food"
        self.life: Any = None

    def create(self) -> None:
        durable = "power" if self.durable else "kill"
        (self.home / "agents.toml").write_text(CONFIG.format(durable=durable))
        (self.home / "drops").mkdir()
        self._open_pit()

    def open(self) -> None:
        from snakepit.core.order import Diet
        from snakepit.pool import claim, feed, reap, settle

        self._open_pit()
        self.feed_one, self.claim_next = feed.feed_one, claim.claim_next
        self.complete, self.reap = settle.complete, reap.reap
        name = f"bench-{self.slot}"
        self.diet = Diet(species=frozenset({"worker"}), labels=frozenset(), worker=name)
        self.worker = name

    def _begin(self) -> Any:
        self.life = self.pit.store.open_worker(self.worker)
        return self.life

    def put(self, seq: int) -> None:
        self.feed_one(self.pit, f"p5-{seq:010d}.md", text_of(seq).encode())

    def fill(self, start: int, stop: int) -> None:
        for seq in range(start, stop):
            self._move_in(f"p5-{seq:010d}.md", text_of(seq))

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        priority = 0 if urgent else 5
        text = text_of(seq, clock.now(), priority=priority)
        self._move_in(f"p{priority}-{seq:010d}.md", text)

    def _move_in(self, name: str, text: str) -> None:
        """As a person drops food: written elsewhere, moved in."""
        with open(f"{self.home}/drops/{name}", "w") as out:
            out.write(text)
        os.rename(f"{self.home}/drops/{name}", f"{self.food}/{name}")

    def keep(self, told: Any) -> None:
        """Keep the index until killed; `told(seconds)` once all that waits is in it."""
        self._open_pit()
        start = clock.now()
        keeper = self.pit.store.keeper()
        while not keeper.acquire():
            clock.pause(0.01)
        keeper.step(0.0)
        told(clock.now() - start)
        while True:
            keeper.step(WAIT_S)

    def claim(self) -> tuple[Any, str | bytes] | None:
        claim = self.claim_next(self.pit, self.life or self._begin(), self.diet)
        return None if claim is None else (claim, claim.text)

    def finish(self, handle: Any) -> None:
        self.complete(self.pit, self.life, handle, "done")

    def wait(self) -> tuple[int, float]:
        while True:
            got = self.claim()
            if got is not None:
                self.finish(got[0])
                return seq_at(got[1])
            self.pit.store.wait(self.life, WAIT_S)

    def reclaim(self) -> Any:
        """A second worker does what every worker may: look after the dead, then claim."""
        self.reap(self.pit)
        return self.claim()

    def ready(self) -> None:
        self._begin()

    def close(self) -> None:
        if self.life is not None:
            self.life.close()
        self.pit.close()


class OursAlone(Ours):
    """Without the daemon: the workers keep the index themselves, in turn."""

    has_companion = False
