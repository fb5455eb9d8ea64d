"""Owns the reliable list pattern of redis: LMOVE to a list of what is in work, LREM when done."""

from typing import Any

from bench import clock
from bench.peers.base import Peer, seq_at, text_of


class RedisLists(Peer):
    durable_note = "appendonly yes, appendfsync always"
    kill_note = "memory only, no snapshot"
    wait_note = "BLMOVE"
    has_urgent = True

    def open(self) -> None:
        import redis

        self.client = redis.Redis(port=self.port)

    def create(self) -> None:
        self.open()
        self.client.flushall()

    def put(self, seq: int) -> None:
        self.client.rpush("q", text_of(seq))

    def fill(self, start: int, stop: int) -> None:
        for first in range(start, stop, 1000):
            self.client.rpush("q", *map(text_of, range(first, min(stop, first + 1000))))

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        push = self.client.lpush if urgent else self.client.rpush
        push("q", text_of(seq, clock.now()))

    def claim(self) -> tuple[Any, str | bytes] | None:
        text = self.client.lmove("q", "work")
        return None if text is None else (text, text)

    def finish(self, handle: Any) -> None:
        self.client.lrem("work", 1, handle)

    def wait(self) -> tuple[int, float]:
        text = self.client.blmove("q", "work", 0)
        self.finish(text)
        return seq_at(text)
