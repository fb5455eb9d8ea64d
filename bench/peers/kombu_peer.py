"""Owns kombu's filesystem transport as a peer."""

import queue
from typing import Any

from bench import clock
from bench.peers.base import Peer, seq_at, text_of


class KombuFiles(Peer):
    durable_note = ""
    kill_note = "nothing is synced"
    wait_note = "its own blocking get (polls every second)"

    def create(self) -> None:
        for name in ("queue", "processed", "control"):
            (self.home / name).mkdir()

    def open(self) -> None:
        from kombu import Connection

        options = {
            "data_folder_in": f"{self.home}/queue",
            "data_folder_out": f"{self.home}/queue",
            "processed_folder": f"{self.home}/processed",
            "control_folder": f"{self.home}/control",
        }
        self.connection = Connection("filesystem://", transport_options=options)
        self.queue = self.connection.SimpleQueue("q")

    def put(self, seq: int) -> None:
        self.queue.put(text_of(seq))

    def drop(self, seq: int, *, urgent: bool = False) -> None:
        self.queue.put(text_of(seq, clock.now()))

    def claim(self) -> tuple[Any, str | bytes] | None:
        try:
            message = self.queue.get(block=False)
        except queue.Empty:
            return None
        return message, message.payload

    def finish(self, handle: Any) -> None:
        handle.ack()

    def wait(self) -> tuple[int, float]:
        message = self.queue.get(block=True)
        message.ack()
        return seq_at(message.payload)
