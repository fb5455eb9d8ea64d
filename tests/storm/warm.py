"""Owns the warm parent: a process that has imported all and opened nothing, and forks the actors of a storm.

`python -m tests.storm.warm`: one JSON object a line in, one out; it ends, and ends all, when its input does.
Orphans come to it, as they would come to init; it takes leave of them and ends none.
"""

import gc
import importlib
import json
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import snakepit
from snakepit.system import process
from snakepit.worker import pane_guard
from tests.storm import actor
from tests.storm.ground import open_ground

COLD = ("snakepit.cli", "snakepit.__main__", "snakepit.worker.guard")
STANDARD = {0, 1, 2}
PR_GET_CHILD_SUBREAPER = 37


def import_all() -> None:
    for module in pkgutil.walk_packages(snakepit.__path__, "snakepit."):
        if not module.name.startswith(COLD):
            importlib.import_module(module.name)


def what_is_open() -> list[str]:
    """What a forked process would share with its siblings, or find filled by its parent; empty."""
    found = [f"descriptor {fd}" for fd in open_descriptors() - STANDARD]
    found += [f"thread {thread.name}" for thread in threading.enumerate()[1:]]
    found += [f"task {tid}" for tid in os.listdir("/proc/self/task") if int(tid) != os.getpid()]
    for name, module in list(sys.modules.items()):
        if name.startswith("snakepit."):
            found += [f"{name}.{cached}" for cached in filled_caches(vars(module))]
    return found


def open_descriptors() -> set[int]:
    """The listing's own is closed by the time it is looked at."""
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):
            os.fstat(int(name))
            found.add(int(name))
    return found


def filled_caches(names: Mapping[str, Any]) -> list[str]:
    return [
        name
        for name, value in names.items()
        if callable(getattr(value, "cache_info", None)) and value.cache_info().currsize
    ]


def start(order: Mapping[str, Any]) -> int:
    parent = os.getpid()
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            code = begin(order, parent)
        except BaseException:
            sys.excepthook(*sys.exc_info())
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)
    return pid


def begin(order: Mapping[str, Any], parent: int) -> int:
    """In the child: `argv` becomes another program, a role is played here."""
    process.set_parent_death_signal()
    if os.getppid() != parent:
        return 1
    gc.enable()
    null = os.open(os.devnull, os.O_RDONLY)
    errors = os.open(order["errors"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    for source, target in ((null, 0), (errors, 1), (errors, 2)):
        os.dup2(source, target)
    os.close(null)
    os.close(errors)
    if order["argv"]:
        os.execv(order["argv"][0], order["argv"])
    if order["role"] == "probe":
        return probe(Path(order["root"]))
    return actor.run(order["role"], Path(order["root"]), order["tasks"])


def probe(root: Path) -> int:
    """What such a process finds and what a life of it is like, for the test of this."""
    import random

    found: dict[str, object] = {"open": what_is_open(), "random": random.random()}
    found["is_subreaper"] = is_subreaper()
    pit = open_ground(root)
    life = pit.store.open_worker(f"probe-{os.getpid()}")
    record = life.record
    found["life"] = [record.generation, record.pid, record.start, record.boot]
    found["self"] = [os.getpid(), process.start_time(os.getpid()), process.boot_id()]
    found["event"] = pit.journal.append("worker.beat", worker="probe")
    (root / f"probe-{os.getpid()}.json").write_text(json.dumps(found))
    life.close()
    pit.close()
    return 0


def is_subreaper() -> bool:
    import ctypes

    answer = ctypes.c_int(-1)
    ctypes.CDLL(None).prctl(PR_GET_CHILD_SUBREAPER, ctypes.byref(answer), 0, 0, 0)
    return answer.value != 0


def exits(*, wait_for: int = 0) -> dict[int, int]:
    """Who has ended, and how; with `wait_for` not before that one has."""
    found: dict[int, int] = {}
    while not wait_for or wait_for not in found:
        try:
            pid, status = os.waitpid(-1, 0 if wait_for else os.WNOHANG)
        except ChildProcessError:
            break
        if pid == 0:
            break
        found[pid] = os.waitstatus_to_exitcode(status)
    return found


def answer(order: Mapping[str, Any]) -> object:
    if order["do"] == "start":
        return start(order)
    if order["do"] == "left":
        return sorted(process.descendants(os.getpid()))
    return exits(wait_for=order["wait_for"])


def main() -> None:
    import_all()
    process.set_subreaper()
    gc.collect()
    gc.freeze()
    gc.disable()
    say(what_is_open())
    with open(0, "rb", buffering=0, closefd=False) as orders:
        while line := orders.readline():
            say(answer(json.loads(line)))
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pane_guard.end_all(os.getpid())


def say(what: object) -> None:
    os.write(1, json.dumps(what).encode() + b"\n")


if __name__ == "__main__":
    main()
