"""Owns what the kernel tells about processes: identity, exits, marks, trees; decides nothing.

Linux answers from /proc, pidfd and prctl; other systems from psutil, slower and with no subreaper.
A process is named by pid and start time together: a pid alone may belong to a stranger tomorrow.
"""

import os
import select
import signal
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import suppress
from functools import cache

LINUX = sys.platform.startswith("linux")
PR_SET_PDEATHSIG = 1
PR_SET_CHILD_SUBREAPER = 36
ZOMBIE_STATES = (b"Z", b"X", b"x")
STOPPED_STATES = (b"T", b"t")
_marks: list[int] = []  # open for as long as this process lives
PORTABLE_POLL = 0.02  # seconds between two looks where there is no pidfd


@cache
def boot_id() -> str:
    """The same text for every process of one boot, another after the next."""
    if LINUX:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    import psutil

    return str(int(psutil.boot_time()))


@cache
def pid_namespace() -> str:
    """Pids compare only where this is equal; empty where the system has no such thing."""
    try:
        return os.readlink("/proc/self/ns/pid")
    except OSError:
        return ""


def start_time(pid: int) -> int | None:
    """Ticks since boot on Linux (milliseconds since the epoch elsewhere); None: no such pid."""
    if not LINUX:
        return _portable_start(pid)
    stat = _stat(pid)
    return int(stat[19]) if stat else None


def is_zombie(pid: int) -> bool:
    if LINUX:
        stat = _stat(pid)
        return stat is not None and stat[0] in ZOMBIE_STATES
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_ZOMBIE)
    except psutil.Error:
        return False


def is_stopped(pid: int) -> bool:
    """By SIGSTOP or a debugger."""
    if LINUX:
        stat = _stat(pid)
        return stat is not None and stat[0] in STOPPED_STATES
    import psutil

    try:
        return bool(psutil.Process(pid).status() == psutil.STATUS_STOPPED)
    except psutil.Error:
        return False


def is_running(pid: int, start: int | None = None) -> bool:
    """False for a zombie, and for a stranger that got the pid later (`start` differs)."""
    now = start_time(pid)
    return now is not None and (start is None or start == now) and not is_zombie(pid)


def parent_of(pid: int) -> int:
    """0: no such process, or none that we may see."""
    return parents().get(pid, 0) if not LINUX else int((_stat(pid) or [b"", b"0"])[1])


def parents() -> dict[int, int]:
    """pid -> parent of everything that runs, zombies left out, by one pass over all."""
    if LINUX:
        stats = ((pid, _stat(pid)) for pid in _pids())
        return {pid: int(stat[1]) for pid, stat in stats if stat and stat[0] not in ZOMBIE_STATES}
    import psutil

    found = psutil.process_iter(["ppid", "status"])
    return {p.pid: p.info["ppid"] for p in found if p.info["status"] != psutil.STATUS_ZOMBIE}


def descendants(
    *roots: int, table: Mapping[int, int] | None = None, without: Collection[int] = ()
) -> set[int]:
    """What runs below the roots, not the roots themselves, without the branches `without`."""
    children: dict[int, list[int]] = {}
    for pid, parent in (parents() if table is None else table).items():
        children.setdefault(parent, []).append(pid)
    found: set[int] = set()
    todo = list(roots)
    while todo:
        for child in children.get(todo.pop(), ()):
            if child not in found and child not in without:
                found.add(child)
                todo.append(child)
    return found.difference(roots)


def pids_with_mark(key: str, value: str) -> set[int]:
    """Processes that were started with KEY=VALUE in their environment, zombies left out."""
    mark = f"{key}={value}"
    if LINUX:
        needle = b"\0" + os.fsencode(mark) + b"\0"
        return {pid for pid in _pids() if needle in b"\0" + _environ(pid)}
    import psutil

    found: set[int] = set()
    for process in psutil.process_iter(["environ"]):
        if (process.info["environ"] or {}).get(key) == value:
            found.add(process.pid)
    return found


def leave_mark(name: str) -> None:
    """Hold an open file of this name, which a child that gets `marks` holds too, even with no environment."""
    if hasattr(os, "memfd_create"):
        _marks.append(os.memfd_create(name, 0))


def marks() -> tuple[int, ...]:
    """The descriptors to pass on; a plain exec passes them on by itself."""
    return tuple(_marks)


def pids_with_open_mark(name: str, *, since: int) -> set[int]:
    """Processes started at `since` or later that hold a mark of this name, zombies left out."""
    if not LINUX:
        return set()
    found = set()
    for pid in _pids():
        stat = _stat(pid)
        is_young = stat is not None and int(stat[19]) >= since and stat[0] not in ZOMBIE_STATES
        if is_young and any(path.startswith(f"/memfd:{name} ") for path in _open_files(pid)):
            found.add(pid)
    return found


def environ_of(pid: int) -> Mapping[str, str]:
    """The environment a process was started with; empty when it is gone or not ours to read."""
    if LINUX:
        pairs = (entry.partition(b"=") for entry in _environ(pid).split(b"\0"))
        return {os.fsdecode(key): os.fsdecode(value) for key, found, value in pairs if found}
    import psutil

    try:
        return dict(psutil.Process(pid).environ())
    except psutil.Error:
        return {}


def command_of(pid: int) -> list[str]:
    """The argv it was started with; empty for a zombie and for what is gone or not ours to read."""
    if LINUX:
        text = _read(f"/proc/{pid}/cmdline")
        return [os.fsdecode(word) for word in text.removesuffix(b"\0").split(b"\0")] if text else []
    import psutil

    try:
        return list(psutil.Process(pid).cmdline())
    except psutil.Error:
        return []


def has_terminal(pid: int) -> bool:
    """Whether what is typed into the process's terminal reaches its process group."""
    if LINUX:
        stat = _stat(pid)
        return stat is not None and stat[5] == stat[2]
    import subprocess

    line = subprocess.run(
        ["ps", "-o", "pgid=,tpgid=", "-p", str(pid)], capture_output=True, text=True, check=False
    ).stdout.split()
    return len(line) == 2 and line[0] == line[1]


def name_of(pid: int) -> str:
    """The name the kernel has for it, at most 15 characters; empty when it is gone."""
    if LINUX:
        return os.fsdecode(_read(f"/proc/{pid}/comm").rstrip(b"\n"))
    import psutil

    try:
        return str(psutil.Process(pid).name())
    except psutil.Error:
        return ""


def has_no_child() -> bool:
    """Nothing runs below a subreaper for which this is true."""
    try:
        os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    except ChildProcessError:
        return True
    return False


def reap_orphans() -> None:
    """Take leave of the dead that came to us as a subreaper; only while no child of our own runs."""
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        return


def cpu_seconds(pids: Iterable[int]) -> float:
    """User and system time of those that still run, their reaped children included."""
    if LINUX:
        ticks = sum(sum(map(int, stat[11:15])) for stat in map(_stat, pids) if stat)
        return float(ticks) / os.sysconf("SC_CLK_TCK")
    import psutil

    total = 0.0
    for pid in pids:
        try:
            total += sum(psutil.Process(pid).cpu_times()[:4])
        except psutil.Error:
            continue
    return total


def send(pid: int, number: int) -> bool:
    """False when the process is gone or is not ours."""
    try:
        os.kill(pid, number)
    except (ProcessLookupError, PermissionError):
        return False
    return True


def set_subreaper() -> bool:
    """Orphans below this process come to it, not to init. False where no kernel does that."""
    return _prctl(PR_SET_CHILD_SUBREAPER, 1)


def set_parent_death_signal(number: int = signal.SIGKILL) -> bool:
    """The kernel sends `number` when the parent thread dies; look at getppid() afterwards."""
    return _prctl(PR_SET_PDEATHSIG, number)


class ExitWatch:
    """Waits for the exit of processes that need not be our children."""

    def __init__(self, *, portable: bool = not hasattr(os, "pidfd_open")) -> None:
        self._portable = portable
        self._poll = select.poll()
        self._files: dict[int, int] = {}  # descriptor -> pid
        self._watched: dict[int, int | None] = {}  # pid -> start, where there is no pidfd
        self._gone: set[int] = set()

    def add(self, pid: int) -> None:
        """A pid that is gone already is reported by the next poll."""
        if not self._portable:
            self._add_pidfd(pid)
        elif is_running(pid):
            self._watched[pid] = start_time(pid)
        else:
            self._gone.add(pid)

    def poll(self, timeout: float) -> set[int]:
        """Those that exited, each told once; waits `timeout` seconds when there is none yet."""
        if self._gone:
            timeout = 0.0
        found = self._poll_portable(timeout) if self._portable else self._poll_pidfd(timeout)
        found |= self._gone
        self._gone = set()
        return found

    def close(self) -> None:
        for file in self._files:
            os.close(file)
        self._files = {}
        self._watched = {}

    def _add_pidfd(self, pid: int) -> None:
        try:
            file = os.pidfd_open(pid)
        except ProcessLookupError:
            self._gone.add(pid)
            return
        self._files[file] = pid
        self._poll.register(file, select.POLLIN)

    def _poll_pidfd(self, timeout: float) -> set[int]:
        found = set()
        for file, _ in self._poll.poll(timeout * 1000):
            self._poll.unregister(file)
            found.add(self._files.pop(file))
            os.close(file)
        return found

    def _poll_portable(self, timeout: float) -> set[int]:
        pause = threading.Event()
        left = max(1, round(timeout / PORTABLE_POLL)) if timeout > 0 else 1
        found: set[int] = set()
        while left:
            left -= 1
            found = {pid for pid, start in self._watched.items() if not is_running(pid, start)}
            if found or (left and pause.wait(PORTABLE_POLL)):
                break
        for pid in found:
            del self._watched[pid]
        return found


def _pids() -> Iterator[int]:
    return (int(name) for name in os.listdir("/proc") if name.isdigit())


def _read(path: str) -> bytes:
    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        parts = []
        while part := os.read(file, 65536):
            parts.append(part)
        return b"".join(parts)
    except OSError:
        return b""
    finally:
        os.close(file)


def _stat(pid: int) -> list[bytes] | None:
    """/proc/PID/stat from its third field on: the second, the name, may hold brackets."""
    text = _read(f"/proc/{pid}/stat")
    return text[text.rindex(b")") + 2 :].split() if text else None


def _open_files(pid: int) -> Iterator[str]:
    try:
        names = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return
    for name in names:
        with suppress(OSError):
            yield os.readlink(f"/proc/{pid}/fd/{name}")


def _environ(pid: int) -> bytes:
    return _read(f"/proc/{pid}/environ")


def _portable_start(pid: int) -> int | None:
    import psutil

    try:
        return round(psutil.Process(pid).create_time() * 1000)
    except psutil.Error:
        return None


def _prctl(option: int, value: int) -> bool:
    if not LINUX:
        return False
    import ctypes

    libc = ctypes.CDLL(None, use_errno=True)
    return bool(libc.prctl(option, ctypes.c_ulong(value), 0, 0, 0) == 0)
