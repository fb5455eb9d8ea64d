"""Owns the daemon as a whole: its threads, their duties, its end. What a duty does is its own file's."""

import queue
import threading
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.retry import RestartBudget
from snakepit.daemon.disk import DiskWatch
from snakepit.daemon.keeping import keep_index
from snakepit.daemon.panes import PaneWork
from snakepit.daemon.reaper import Reaper
from snakepit.daemon.reload import Reload
from snakepit.daemon.restarts import Restarts
from snakepit.daemon.sessions import LONGEST_PASS_S, Sessions
from snakepit.daemon.silent import SilentWatch
from snakepit.daemon.ticker import Duty, Ticker, run
from snakepit.daemon.watching import Watching
from snakepit.pool.clean import clean
from snakepit.pool.context import open_context
from snakepit.pool.hooks import Hooks
from snakepit.pool.statefile import write_state
from snakepit.session.base import Host

if TYPE_CHECKING:
    from snakepit.config.model import Config

STOP = "stop"
RENEW = "renew"
HUP = "reload"
CLEAN_S = 3600.0
HOOKS_S = 0.5
SAME_ERROR_S = 300.0
JOIN_S = 3.0


class Daemon:
    """`config` gives the numbers, `launch_config` the commands. `run` once."""

    def __init__(
        self,
        config: "Config",
        launch_config: "Config",
        environ: Mapping[str, str],
        host: Host,
        *,
        is_mine: Callable[[], bool] = lambda: True,
    ) -> None:
        """`is_mine`: this process is still the one that serves the pit."""
        self._is_mine = is_mine
        self._config = config
        self._inbox: queue.SimpleQueue[str] = queue.SimpleQueue()
        self._stop = threading.Event()
        self._told: dict[str, float] = {}
        self._pits = [open_context(config) for _ in range(4)]
        self._pit, reap_pit, self._index_pit, pane_pit = self._pits
        self._reaper = Reaper(reap_pit, panes_ended=self._panes_ended)
        self._keeper = self._index_pit.store.keeper()
        self._watching = Watching(self._index_pit, self._stop)
        restarts = Restarts(config.state_dir / "restarts", RestartBudget())
        self._sessions = Sessions(
            self._pit, host, restarts, environ, watch_panes=self._reaper.watch_panes
        )
        self._sessions.launch_config = launch_config
        self._panes = PaneWork(pane_pit, host, self._stop, failed=self.failed)
        self._silent = SilentWatch(self._pit)
        self._reload = Reload(
            self._pit, launch_config, environ, renew=lambda: self._inbox.put(RENEW)
        )
        self._state: dict[str, object] = {}
        self._disk = DiskWatch(self._pit)
        self._hooks = Hooks(self._pit)
        self._ticker = Ticker(self._duties(), failed=self.failed)
        self._outcome = STOP

    def send(self, message: str) -> None:
        """From signal handlers and other threads: STOP, RENEW, or the name of a duty to hurry."""
        self._inbox.put(message)

    def run(self) -> str:
        """Until it is told to end; STOP, or RENEW when it shall begin again with a new config."""
        self._pit.journal.append("daemon.started")
        threads = [
            self._thread("index", self._keep),
            self._thread("reaper", self._reap),
            self._thread("observer", self._watching.run),
            self._thread("panes", self._panes.run),
        ]
        run(self._ticker, self._wait, self._stop.is_set)
        self._stop.set()
        self._keeper.wake()
        for thread in threads:
            thread.join(JOIN_S)
        self._pit.journal.append("daemon.stopped", reason=self._outcome)
        for pit in self._pits:
            pit.close()
        return self._outcome

    def failed(self, name: str, error: Exception) -> None:
        """Tell an error once in a while: a duty that always fails must not fill the journal."""
        text = f"{name}: {type(error).__name__}: {error}"
        now = clock.monotonic()
        if now - self._told.get(text, -SAME_ERROR_S) >= SAME_ERROR_S:
            self._told[text] = now
            self._pit.journal.append("log.error", message=text, where=f"daemon.{name}")

    def _duties(self) -> list[Duty]:
        pass_s = min(self._config.watchdog.signal_interval, LONGEST_PASS_S)
        return [
            Duty(name="sessions", step=self._sessions_step, interval_s=pass_s),
            Duty(name=HUP, step=self._reload.step, interval_s=1.0),
            Duty(name="place", step=self._place_step, interval_s=1.0),
            Duty(name="disk", step=self._disk.step, interval_s=10.0),
            Duty(name="silent", step=self._silent.step, interval_s=5.0),
            Duty(name="hooks", step=self._hooks.step, interval_s=HOOKS_S),
            Duty(name="clean", step=self._clean_step, interval_s=CLEAN_S),
            Duty(name="state", step=self._state_step, interval_s=2.0),
        ]

    def _wait(self, seconds: float) -> list[str]:
        try:
            message = self._inbox.get(timeout=max(seconds, 0.001))
        except queue.Empty:
            return []
        if message in (STOP, RENEW):
            self._outcome = message
            self._stop.set()
        elif message == HUP:
            self._reload.forced = True
            return [HUP, "sessions"]
        return [message]

    def _panes_ended(self, pids: set[int]) -> None:
        self._sessions.note_exits(pids)
        self._inbox.put("sessions")

    def _sessions_step(self, now: float) -> None:
        self._sessions.step(now)
        if self._sessions.next_at is not None:
            self._ticker.hurry("sessions", max(0.05, self._sessions.next_at - clock.wall()))

    def _place_step(self, now: float) -> None:
        """Somebody replaced a folder of the pit: begin again, with the new one open everywhere."""
        replaced = self._pit.store.place.replaced()
        if replaced:
            root = self._config.pit_dir
            said = ", ".join(f"{root / name}/" for name in replaced)
            what = f"{said} replaced by hand; what the former one held is not seen any more"
            self._pit.journal.append("store.repaired", what=what)
            self._inbox.put(RENEW)

    def _clean_step(self, now: float) -> None:
        clean(self._pit, clock.wall())

    def _state_step(self, now: float) -> None:
        """For `status`: what only the daemon knows."""
        if not self._is_mine():
            self._inbox.put(STOP)  # somebody removed the log folder: another daemon may begin
            return
        state: dict[str, object] = {
            "sessions": dict(self._sessions.standing),
            "silent": sorted(self._silent.workers),
            "asking": self._panes.waiting,
            "config_problem": self._reload.problem,
            "config_pending": list(self._reload.pending),
        }
        if state != self._state:
            write_state(self._config.state_dir / "daemon.json", state)
            self._state = state

    def _keep(self) -> None:
        keep_index(
            self._index_pit,
            self._keeper,
            self._stop,
            arrived=self._watching.arrived,
            failed=self.failed,
        )

    def _reap(self) -> None:
        ticker = Ticker(self._reaper.duties(), failed=self.failed)
        self._reaper.ticker = ticker
        run(ticker, self._reaper.wait, self._stop.is_set)
        self._reaper.close()

    def _thread(self, name: str, target: Callable[[], None]) -> threading.Thread:
        """A thread that dies ends the daemon: whoever misses it starts a whole one."""

        def guarded() -> None:
            try:
                target()
            except Exception as error:
                self.failed(name, error)
            if not self._stop.is_set():
                self._inbox.put(STOP)

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread
