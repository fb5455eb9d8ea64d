"""Owns ending sessions: ask, wait, kill by mark, prove that none is left, give the food back uncounted.

The order is that of design.md: nothing is taken from a worker before its last process is gone.
"""

import os
import signal
import threading
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.lifecycle import State
from snakepit.errors import SessionError
from snakepit.pool.attend import end_daemon
from snakepit.pool.fleet import Fleet, save_fleet
from snakepit.pool.guards import guards
from snakepit.pool.launch import session_mark, session_record
from snakepit.pool.reap import reap
from snakepit.pool.server import kill_server
from snakepit.pool.tree import end_life, end_tree
from snakepit.session.base import Host, Pane
from snakepit.store.base import LifeRecord, Verdict
from snakepit.system import process

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Config
    from snakepit.pool.context import Pit

DRAIN_LOOK_S = 0.1
KILL_WAIT_S = 5.0
RECOVER_TRIES = 50
RECOVER_PAUSE_S = 0.1
SESSION_MARK = "SNAKEPIT_SESSION"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What an end did. `left`: processes that nothing could end, and `killed` those that had to be."""

    sessions: tuple[str, ...] = ()
    workers: tuple[str, ...] = ()
    returned: tuple[str, ...] = ()
    killed: tuple[str, ...] = ()
    left: tuple[int, ...] = ()
    daemon: bool = False

    @property
    def is_nothing(self) -> bool:
        return not (self.sessions or self.workers or self.returned or self.daemon)


def end_fleet(
    pit: "Pit",
    host: Host,
    *,
    grace_s: float,
    drain: bool = False,
    tell: Callable[[str], None] = lambda _: None,
) -> Ended:
    """End everything of this pit, with the fleet lock held. Safe to repeat after any interruption."""
    config = pit.config
    if drain:
        pit.store.set_paused(True)
        await_runs(pit, tell)
    with suppress(OSError):  # a full disk must not keep the pool running
        save_fleet(config, Fleet(is_up=False))
    with suppress(OSError):
        pit.store.set_paused(True)
    daemon = end_daemon(config)
    panes, silence = _panes_or_guards(config, host)
    if silence is not None:
        tell(f"{silence.message}; ending the pool without it")
    known = [life for life in pit.store.lives() if life.verdict is not Verdict.BY_HAND]
    lives = [life for life in known if life.verdict is Verdict.ALIVE]
    held = held_by(pit, known)
    killed, left = end_all(config, panes, lives, grace_s=grace_s)
    recover_all(pit)
    still = held_by(pit, known)
    if silence is None:
        silence = _end_sessions(host, panes)
    if silence is not None:
        server = kill_server(config)
        if not server:
            raise silence
        killed = (*killed, f"tmux server {server}")
    for pane in panes:
        session_record(config, pane.session).unlink(missing_ok=True)
    ended = Ended(
        sessions=tuple(sorted(pane.session for pane in panes)),
        workers=tuple(sorted(life.worker for life in lives)),
        returned=tuple(sorted(waiting_again(pit, held - still))),
        killed=killed,
        left=left,
        daemon=daemon,
    )
    if not ended.is_nothing:
        pit.journal.append("pool.down", sessions=len(ended.sessions), returned=len(ended.returned))
    return ended


def _panes_or_guards(config: "Config", host: Host) -> tuple[list[Pane], SessionError | None]:
    """What tmux does not tell when it is stopped or hangs, the guards and our own records do."""
    try:
        return own_panes(config, host), None
    except SessionError as error:
        living = {session: pid for pid, session in guards(config).items()}
        names = {path.stem for path in session_record(config, "x").parent.glob("*.json")}
        panes = [
            Pane(session=name, pane_id="", pid=living.get(name, 0), dead=name not in living)
            for name in sorted(names | living.keys())
        ]
        return panes, error


def _end_sessions(host: Host, panes: Iterable[Pane]) -> SessionError | None:
    try:
        for pane in panes:
            host.kill(pane.session)
        host.kill_server()
    except SessionError as error:
        return error
    return None


def waiting_again(pit: "Pit", names: set[str]) -> set[str]:
    """Those of the names that wait now; the others were settled while the pool ended."""
    return {name for name in names if any(e.state is State.QUEUED for e in pit.store.locate(name))}


def end_agent(pit: "Pit", host: Host, *, worker: str, session: str, grace_s: float) -> Ended:
    """End one session; what its worker held goes back uncounted."""
    config = pit.config
    panes = [pane for pane in host.panes() if pane.session == session]
    lives = [life for life in living(pit) if life.worker == worker] if worker else []
    held = held_by(pit, lives)
    for life in lives:
        spare(config, life.generation)
    killed, left = end_all(config, panes, lives, grace_s=grace_s)
    recover_all(pit)
    for life in lives:
        spared_path(config, life.generation).unlink(missing_ok=True)
    host.kill(session)
    session_record(config, session).unlink(missing_ok=True)
    if panes or lives:
        pit.journal.append("session.ended", worker=worker or session)
    return Ended(
        sessions=tuple(pane.session for pane in panes if not pane.dead),
        workers=tuple(life.worker for life in lives),
        returned=tuple(sorted(held - held_by(pit, lives))),
        killed=killed,
        left=left,
    )


def own_panes(config: "Config", host: Host) -> list[Pane]:
    """The sessions that bear this fleet's prefix."""
    prefix = config.defaults.session_prefix
    return [pane for pane in host.panes() if pane.session.startswith(prefix)]


def living(pit: "Pit") -> list[LifeRecord]:
    return [life for life in pit.store.lives() if life.verdict is Verdict.ALIVE]


def held_by(pit: "Pit", lives: Iterable[LifeRecord]) -> set[str]:
    """The tasks in the folders of these workers."""
    names = {life.worker for life in lives}
    return {entry.name for entry in pit.store.entries(State.CLAIMED) if entry.worker in names}


def await_runs(pit: "Pit", tell: Callable[[str], None]) -> None:
    """Return when no living worker holds a task; the pit is paused meanwhile."""
    pause = threading.Event()
    told: set[str] = set()
    while held := held_by(pit, living(pit)):
        if held != told:
            tell(f"waiting for {len(held)}: {', '.join(sorted(held)[:5])}")
            told = held
        pause.wait(DRAIN_LOOK_S)


def end_all(
    config: "Config", panes: Sequence[Pane], lives: Sequence[LifeRecord], *, grace_s: float
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Ask all at once, wait, kill what stayed; whom it had to kill, and what is left after all."""
    guards = {pane.pid: pane.session for pane in panes if not pane.dead}
    asked = dict(guards)
    for life in lives:
        if life.guard not in guards and _is_here(life):
            asked[life.pid] = life.worker
    for pid in asked:
        process.send(pid, signal.SIGTERM)
        process.send(pid, signal.SIGCONT)
    watched = {*asked, *(life.pid for life in lives if _is_here(life))}
    stayed = await_exits(watched, grace_s)
    killed = tuple(sorted(name for pid, name in asked.items() if pid in stayed))
    _kill(lives, stayed)
    left = _end_marked(config, panes, lives, guards)
    return killed, left


def await_exits(pids: Iterable[int], seconds: float) -> set[int]:
    """Those that still run after `seconds`."""
    watch = process.ExitWatch()
    left = set(pids)
    for pid in left:
        watch.add(pid)
    deadline = clock.monotonic() + seconds
    while left and (now := clock.monotonic()) < deadline:
        left -= watch.poll(deadline - now)
    watch.close()
    return left


def _kill(lives: Iterable[LifeRecord], stayed: set[int]) -> None:
    """The workers first: a guard that is alive ends all that its worker left."""
    workers = {life.pid for life in lives if life.pid in stayed and _is_here(life)}
    for pid in workers:
        process.send(pid, signal.SIGKILL)
    await_exits(workers, KILL_WAIT_S)


def _end_marked(
    config: "Config", panes: Iterable[Pane], lives: Iterable[LifeRecord], guards: Iterable[int]
) -> tuple[int, ...]:
    """Everything that bears a mark or hangs below a guard; what is left, normally nothing."""
    left: set[int] = set()
    for life in lives:
        if not end_life(life):
            left |= process.pids_with_mark("SNAKEPIT_GENERATION", life.generation)
    roots = {pid for pid in guards if process.is_running(pid)}
    for pane in panes:
        mark = session_mark(config, pane.session)
        if mark:
            roots |= process.pids_with_mark(SESSION_MARK, mark)
    roots -= {os.getpid(), *_ancestors(os.getpid())}
    if roots and not end_tree(roots, keep=_ancestors(os.getpid())):
        left |= {pid for pid in roots if process.is_running(pid)}
    return tuple(sorted(left))


def _ancestors(pid: int) -> set[int]:
    """`down --from-inside` must live to see the end of its own pane."""
    table = process.parents()
    found: set[int] = set()
    while (pid := table.get(pid, 0)) > 1 and pid not in found:
        found.add(pid)
    return found


def recover_all(pit: "Pit") -> None:
    """Uncounted, until nothing dead holds anything; another process may be at it meanwhile."""
    pause = threading.Event()
    for _ in range(RECOVER_TRIES):
        reap(pit, counted=False)
        if not any(life.verdict is Verdict.DEAD for life in pit.store.lives()):
            return
        pause.wait(RECOVER_PAUSE_S)
    msg = "dead workers' food could not be given back: another process holds .pit/recover.lock"
    raise SessionError(msg, fix="agents.py fsck --fix")


def spare(config: "Config", generation: str) -> None:
    """Note that this life is ended on purpose: whoever reaps it must not count the attempt."""
    path = spared_path(config, generation)
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    path.touch(mode=0o600)


def spared_path(config: "Config", generation: str) -> "Path":
    return config.state_dir / "spared" / generation


def _is_here(life: LifeRecord) -> bool:
    return life.pid > 1 and process.is_running(life.pid, life.start or None)
