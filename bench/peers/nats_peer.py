"""Owns a work queue on NATS JetStream as a peer: file storage, one durable pull consumer."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from bench import clock
from bench.peers.base import Peer, seq_at, text_of

ACK_WAIT = 5  # seconds; set by the bench, its default is 30


class Nats(Peer):
    durable_note = "sync_interval: always"
    kill_note = "file storage, sync_interval 2m (its default)"
    wait_note = "pull consumer, fetch(1)"
    batch = 1

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(work)

    def open(self) -> None:
        import nats
        from nats.errors import TimeoutError as NothingCame

        self.nothing = NothingCame
        self.loop = asyncio.new_event_loop()
        asyncio.set_event_loop(self.loop)
        self.client = self.run(nats.connect(f"nats://127.0.0.1:{self.port}"))
        self.stream = self.client.jetstream(timeout=30)
        self.pull: Any = None
        self.held: list[Any] = []

    def create(self) -> None:
        self.open()
        self.run(self._create())

    async def _create(self) -> None:
        from nats.js.api import RetentionPolicy, StorageType
        from nats.js.errors import NotFoundError

        try:
            await self.stream.delete_stream("Q")
        except NotFoundError:
            pass
        await self.stream.add_stream(
            name="Q",
            subjects=["q"],
            retention=RetentionPolicy.WORK_QUEUE,
            storage=StorageType.FILE,
        )
        await self._subscribe()
        await self.client.close()

    async def _subscribe(self) -> None:
        from nats.js.api import ConsumerConfig

        config = ConsumerConfig(ack_wait=ACK_WAIT, max_ack_pending=100_000)
        self.pull = await self.stream.pull_subscribe("q", durable="w", config=config)

    def put(self, seq: int) -> None:
        self.run(self.stream.publish("q", text_of(seq).encode()))

    def fill(self, start: int, stop: int) -> None:
        async def publish() -> None:
            for first in range(start, stop, 500):
                some = range(first, min(stop, first + 500))
                await asyncio.gather(
                    *(self.stream.publish("q", text_of(seq).encode()) for seq in some)
                )

        self.run(publish())

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        self.run(self.stream.publish("q", text_of(seq, clock.now()).encode()))

    async def _next(self, seconds: float) -> Any:
        if self.pull is None:
            await self._subscribe()
        if not self.held:
            try:
                self.held = list(await self.pull.fetch(self.batch, timeout=seconds))[::-1]
            except self.nothing:
                return None
        return self.held.pop() if self.held else None

    def claim(self) -> tuple[Any, str | bytes] | None:
        message = self.run(self._next(0.2))
        return None if message is None else (message, message.data)

    def finish(self, handle: Any) -> None:
        self.run(handle.ack())

    def wait(self) -> tuple[int, float]:
        while True:
            message = self.run(self._next(5.0))
            if message is not None:
                self.finish(message)
                return seq_at(message.data)


class NatsBatch(Nats):
    batch = 100
    wait_note = "pull consumer, fetch(100)"
