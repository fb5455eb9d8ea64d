"""Owns the table of the queues that are measured; only the process that uses one imports it."""

import importlib
import importlib.util
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    label: str
    where: str  # "module:Class" under bench.peers
    needs: str = ""  # what must be importable
    server: str = ""  # which program the bench starts for it
    once_from: int = 1 << 60  # from this backlog on the first round is enough: too slow to vary
    install: str = "pip install -r requirements/bench.txt"


PEERS: dict[str, Entry] = {
    "ours": Entry(label="snakepit", where="ours:Ours", needs="snakepit.store"),
    "ours_alone": Entry(
        label="snakepit, no daemon", where="ours:OursAlone", needs="snakepit.store", once_from=0
    ),
    "mv": Entry(label="list, sort, mv loop", where="mvloop:MvLoop", once_from=50_000),
    "huey_file": Entry(
        label="huey FileHuey", where="huey_peers:HueyFile", needs="huey", once_from=10_000
    ),
    "huey_sqlite": Entry(label="huey SqliteHuey", where="huey_peers:HueySqlite", needs="huey"),
    "persist_queue": Entry(
        label="persist-queue", where="sqlite_peers:PersistQueue", needs="persistqueue"
    ),
    "litequeue": Entry(
        label="litequeue", where="sqlite_peers:Lite", needs="litequeue", once_from=10_000
    ),
    "kombu": Entry(
        label="kombu filesystem", where="kombu_peer:KombuFiles", needs="kombu", once_from=10_000
    ),
    "redis": Entry(
        label="redis lists", where="redis_peer:RedisLists", needs="redis", server="redis-server"
    ),
    "nats": Entry(
        label="NATS JetStream, fetch 1", where="nats_peer:Nats", needs="nats", server="nats-server"
    ),
    "nats_batch": Entry(
        label="NATS JetStream, fetch 100",
        where="nats_peer:NatsBatch",
        needs="nats",
        server="nats-server",
    ),
}


def absent(name: str) -> str:
    """Return why this peer cannot be measured here and what installs it, or nothing."""
    from bench.servers import find_server

    entry = PEERS[name]
    try:
        found = not entry.needs or importlib.util.find_spec(entry.needs) is not None
    except ModuleNotFoundError:
        found = False
    if not found:
        return f"{entry.needs} is not installed; {entry.install}"
    if entry.server and not find_server(entry.server):
        fix = "apt-get install redis-server" if "redis" in entry.server else entry.install
        return f"{entry.server} is not installed; {fix}"
    return ""


def make(name: str, home: Path, *, durable: bool, port: int, slot: int) -> Any:
    module, _, cls = PEERS[name].where.partition(":")
    factory = getattr(importlib.import_module(f"bench.peers.{module}"), cls)
    return factory(home, durable=durable, port=port, slot=slot)
