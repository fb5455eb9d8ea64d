"""Owns the obvious protocol as a peer: list the folder, sort it, try the first name, begin again.

It does what a loop of `ls | sort | head -1` and `mv` does, without a process for each step.
"""

import os
from typing import Any

from bench import clock
from bench.peers.base import Peer, text_of


class MvLoop(Peer):
    durable_note = ""
    kill_note = "nothing is synced"
    wait_note = "polls every 50 ms"
    wait_poll_s = 0.05
    has_urgent = True

    def create(self) -> None:
        for name in ("food", "claimed", "done", "tmp"):
            (self.home / name).mkdir()

    def open(self) -> None:
        self.mine = self.home / "claimed" / f"w{self.slot}"
        self.mine.mkdir(exist_ok=True)
        self.food = f"{self.home}/food"

    def put(self, seq: int) -> None:
        self._write(f"p5-{seq:010d}.md", text_of(seq))

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        priority = 0 if urgent else 5
        self._write(f"p{priority}-{seq:010d}.md", text_of(seq, clock.now(), priority=priority))

    def _write(self, name: str, text: str) -> None:
        with open(f"{self.home}/tmp/{name}", "w") as out:
            out.write(text)
        os.rename(f"{self.home}/tmp/{name}", f"{self.food}/{name}")

    def claim(self) -> tuple[Any, str | bytes] | None:
        while True:
            names = sorted(os.listdir(self.food))
            if not names:
                return None
            try:
                os.rename(f"{self.food}/{names[0]}", f"{self.mine}/{names[0]}")
            except FileNotFoundError:
                continue
            with open(f"{self.mine}/{names[0]}") as text:
                return names[0], text.read()

    def finish(self, handle: Any) -> None:
        with open(f"{self.mine}/{handle}", "a") as out:
            out.write("\n## Result\n\ndone\n")
        os.rename(f"{self.mine}/{handle}", f"{self.home}/done/{handle}")
