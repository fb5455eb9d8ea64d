"""Owns persist-queue and litequeue, the two queues that are one SQLite table each."""

from typing import Any

from bench import clock
from bench.peers.base import Peer, text_of


class PersistQueue(Peer):
    durable_note = "synchronous=FULL (its default)"
    kill_note = "synchronous=OFF"
    wait_note = "polled every 100 ms by the bench (its own get wakes every 10 s across processes)"
    wait_poll_s = 0.1

    def open(self) -> None:
        import persistqueue

        self.empty = persistqueue.Empty
        self.queue = persistqueue.SQLiteAckQueue(
            f"{self.home}/pq", auto_commit=True, multithreading=True, auto_resume=False, timeout=30
        )
        if not self.durable:
            for connection in {id(c): c for c in (self.queue._putter, self.queue._getter)}.values():
                connection.execute("PRAGMA synchronous=OFF")

    def create(self) -> None:
        self.open()

    def put(self, seq: int) -> None:
        self.queue.put(text_of(seq))

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        self.queue.put(text_of(seq, clock.now()))

    def claim(self) -> tuple[Any, str | bytes] | None:
        try:
            got = self.queue.get(block=False, raw=True)
        except self.empty:
            return None
        return got, got["data"]

    def finish(self, handle: Any) -> None:
        self.queue.ack(handle)

    def recover(self) -> str:
        self.queue.resume_unack_tasks()
        return "resume_unack_tasks()"


class Lite(Peer):
    durable_note = "synchronous=FULL"
    kill_note = "synchronous=NORMAL (its default)"
    wait_note = "polled every 1 ms by the bench (it has no wait)"

    def open(self) -> None:
        from litequeue import LiteQueue

        self.queue = LiteQueue(f"{self.home}/lite.db", timeout=30)
        if self.durable:
            self.queue.conn.execute("PRAGMA synchronous=FULL")

    def create(self) -> None:
        self.open()

    def put(self, seq: int) -> None:
        self.queue.put(text_of(seq))

    def fill(self, start: int, stop: int) -> None:
        with self.queue.transaction():
            for seq in range(start, stop):
                self.queue.put(text_of(seq))

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        self.queue.put(text_of(seq, clock.now()))

    def claim(self) -> tuple[Any, str | bytes] | None:
        message = self.queue.pop()
        return None if message is None else (message.message_id, message.data)

    def finish(self, handle: Any) -> None:
        self.queue.done(handle)
