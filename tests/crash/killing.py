"""Owns killing a forked child with SIGKILL just before its n-th call that changes the disk."""

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from snakepit.store import admission, atomic, birth, claiming, intake, recover, settle, split
from snakepit.store import files as store_files
from snakepit.system import files

OS_CALLS = (
    "rename",
    "link",
    "unlink",
    "open",
    "write",
    "pwrite",
    "fsync",
    "mkdir",
    "rmdir",
    "ftruncate",
)
MODULES = (admission, atomic, birth, claiming, intake, recover, settle, split, store_files, files)


class Fuse:
    """Counts calls; at call number `at` the process dies. 0: never, and `calls` tells how many there are."""

    def __init__(self, at: int) -> None:
        self.at = at
        self.calls = 0

    def burn(self) -> None:
        self.calls += 1
        if self.calls == self.at:
            os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def fused(fuse: Fuse) -> Iterator[None]:
    saved: list[tuple[Any, str, Any]] = []

    def wrap(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **kwargs: Any) -> Any:
            fuse.burn()
            return real(*args, **kwargs)

        saved.append((owner, name, real))
        setattr(owner, name, call)

    for name in OS_CALLS:
        wrap(os, name)
    for module in MODULES:
        if hasattr(module, "rename_noreplace"):
            wrap(module, "rename_noreplace")
    try:
        yield
    finally:
        for owner, name, real in reversed(saved):
            setattr(owner, name, real)


def killed_at(point: int, act: Callable[[], None]) -> bool:
    """Run `act` in a child that dies at call `point`; True when it died there, False when it got through."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            with fused(Fuse(point)):
                act()
            code = 0
        except BaseException:  # the child must not return into the test
            import traceback

            traceback.print_exc()
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0, "the transition itself failed; see the trace above"
    return False
