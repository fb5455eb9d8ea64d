"""Owns huey with its file and its SQLite store, driven without its consumer, which is kinder."""

from typing import Any

from bench import clock
from bench.peers.base import Peer, seq_at, text_of


class Huey(Peer):
    has_urgent = True
    wait_note = "its consumer, default polling"

    def make(self, huey: Any) -> Any:
        raise NotImplementedError

    def open(self) -> None:
        import huey

        self.queue = self.make(huey)
        self.seen: list[str] = []
        self.eat = self.queue.task()(self._eat)

    def _eat(self, text: str) -> None:
        self.seen.append(text)

    def put(self, seq: int) -> None:
        self.eat(text_of(seq))

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        text = text_of(seq, clock.now(), priority=0 if urgent else 5)
        if urgent:
            self.queue.enqueue(self.eat.s(text, priority=9))
        else:
            self.eat(text)

    def claim(self) -> tuple[Any, str | bytes] | None:
        task = self.queue.dequeue()
        return None if task is None else (task, task.args[0])

    def finish(self, handle: Any) -> None:
        self.queue.execute(handle)

    def wait_forever(self, told: Any) -> None:
        """Run its own consumer; `told` gets the number and the drop time of every task."""

        class Seen(list[str]):
            def append(self, text: str) -> None:
                told(*seq_at(text))

        self.seen = Seen()
        self.queue.create_consumer(workers=1).run()


class HueyFile(Huey):
    durable_note = ""
    kill_note = "nothing is synced"

    def make(self, huey: Any) -> Any:
        return huey.FileHuey("q", path=f"{self.home}/files", results=False)

    def create(self) -> None:
        (self.home / "files").mkdir()


class HueySqlite(Huey):
    durable_note = "fsync=True (synchronous=FULL)"
    kill_note = "fsync=False (synchronous=OFF)"

    def make(self, huey: Any) -> Any:
        return huey.SqliteHuey(
            "q", filename=f"{self.home}/huey.db", results=False, fsync=self.durable, timeout=30
        )

    def create(self) -> None:
        self.open()
