"""Owns what interrupts a worker: signals and the person at its pane; it ends nothing itself.

SIGTERM and SIGHUP mean: give back and go. SIGINT is Ctrl-C in an attached pane: with food it asks
first, and a second one within AGAIN seconds is a yes.
"""

import os
import select
import signal
from collections import deque
from collections.abc import Callable, Sequence
from types import FrameType

from snakepit import clock
from snakepit.worker.screen import Screen

STOP = "stop"
GIVE_BACK = "give back"
AGAIN = 3.0  # seconds
QUESTION = "give the food back? [y/N] (Ctrl-C again: yes) "
IDLE_HINT = (
    "nothing to give back; leave this pane with Ctrl-b d, pause with: agents.py pause; "
    "Ctrl-C again ends this snake"
)


class Attention:
    def __init__(
        self,
        screen: Screen,
        *,
        poke: Callable[[], None],
        tick: Callable[[], None] = lambda: None,
        tty: int = 0,
    ) -> None:
        """`poke` ends a wait of the main thread, from another one; `tick` is for every look while busy."""
        self._screen = screen
        self._poke = poke
        self._tick = tick
        self._pending: deque[int] = deque()
        self._reader, self._writer = os.pipe()
        os.set_blocking(self._reader, False)
        os.set_blocking(self._writer, False)
        self._tty = tty if os.isatty(tty) else -1
        self._interrupted_at = -AGAIN
        self._is_asking = False
        self._typed: list[str] = []
        self.is_busy = False
        self.stops = False

    def listen(self) -> None:
        """Take over the process's signals; in the main thread only."""
        signal.set_wakeup_fd(self._writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, self.on_signal)

    def on_signal(self, number: int, _: FrameType | None = None) -> None:
        self._pending.append(number)
        if not self.is_busy:
            import _thread

            _thread.start_new_thread(self._poke, ())

    def descriptors(self) -> Sequence[int]:
        return (self._reader, self._tty)

    def look(self) -> str:
        """STOP, GIVE_BACK or nothing; called on every wake and at every tick."""
        self._drain()
        if self.is_busy:
            self._tick()
        word = self._answer() if self._tty >= 0 else ""
        while self._pending:
            word = self._on(self._pending.popleft()) or word
        return STOP if self.stops else word

    def typed(self) -> list[str]:
        """Lines that a person typed while a task was being worked on and nothing was asked; each once."""
        found, self._typed = self._typed, []
        return found

    def close(self) -> None:
        signal.set_wakeup_fd(-1)
        for number in (signal.SIGTERM, signal.SIGHUP, signal.SIGINT):
            signal.signal(number, signal.SIG_DFL)
        os.close(self._reader)
        os.close(self._writer)

    def _on(self, number: int) -> str:
        if number != signal.SIGINT:
            self.stops = True
            return STOP
        now = clock.monotonic()
        is_again = now - self._interrupted_at <= AGAIN
        self._interrupted_at = now
        if is_again:
            self._is_asking = False
            self.stops = not self.is_busy
            return GIVE_BACK
        if self.is_busy:
            self._is_asking = True
            self._screen.ask(QUESTION)
        else:
            self._screen.say(IDLE_HINT)
        return ""

    def _answer(self) -> str:
        """What was typed: an answer when something was asked, else nothing."""
        poll = select.poll()
        poll.register(self._tty, select.POLLIN)
        if not poll.poll(0):
            return ""
        try:
            typed = os.read(self._tty, 4096)
        except OSError:
            typed = b""
        if not typed:
            self._tty = -1  # the terminal is gone
            return ""
        if not self._is_asking:
            if self.is_busy:
                lines = typed.decode("utf-8", "replace").splitlines()
                self._typed += [line.strip() for line in lines if line.strip()]
            return ""
        self._is_asking = False
        if typed.strip().lower() in (b"y", b"yes"):
            return GIVE_BACK
        self._screen.say("going on")
        return ""

    def _drain(self) -> None:
        try:
            while os.read(self._reader, 512):
                pass
        except BlockingIOError:
            return
