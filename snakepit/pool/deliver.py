"""Owns the one way by which a text goes into a pane: who gets it, whether it may now, what became of it.

It never presses Enter on what it has not just seen to be its own text on the line to type on. What cannot be
proved is told as ambiguous and not sent again before it was looked for.
"""

import fcntl
import os
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from hashlib import sha256
from typing import TYPE_CHECKING, NamedTuple

from snakepit import clock
from snakepit.core import typed
from snakepit.core.composer import Reading, State, read_screen
from snakepit.errors import SessionError
from snakepit.pool.occupant import Occupant, occupant
from snakepit.pool.proof import LogProof, Proof
from snakepit.pool.signals import HookProof
from snakepit.pool.statefile import read_state, write_state

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.config.model import Agent, Config
    from snakepit.pool.context import Pit
    from snakepit.session.base import Host, Look

PERSON_S = 10.0  # since the last key of somebody attached
LOCK_S = 20.0
LOOK_S = 0.05
STANDS_S = 5.0  # until a text that was pasted is on the screen
TAKEN_S = 8.0  # until a text that was sent is proved
PROVED_S = 3.0  # the screen is only believed when no better channel has told within this
AGAIN_S = 1.5  # a key that sent nothing is pressed again
PRESSES = 3
DEFAULT_KEY = "Enter"


class Outcome(StrEnum):
    """QUEUED: nothing was typed; it may be sent later. AMBIGUOUS: typed, and what became of it is not known."""

    DELIVERED = "delivered"
    QUEUED = "queued"
    REFUSED = "refused"
    AMBIGUOUS = "ambiguous"


class Delivery(NamedTuple):
    """`proof`: hook, log or screen; `mark`: what the text bears in the program's own records."""

    outcome: Outcome
    reason: str = ""
    proof: str = ""
    mark: str = ""

    @property
    def is_over(self) -> bool:
        """Sending it again would be wrong."""
        return self.outcome in (Outcome.DELIVERED, Outcome.AMBIGUOUS)


def deliver(
    pit: "Pit",
    host: "Host",
    agent: "Agent",
    text: str,
    *,
    why: str,
    proofs: Sequence[Proof] = (),
    only_idle: bool = False,
    again: bool = False,
    task: str | None = None,
) -> Delivery:
    """Give a text to the agent's program once, and tell the journal. `only_idle`: not while it works.

    `again`: also when the same text went out before and it is not known what became of it.
    """
    message = _Message.of(text)
    path = record_path(pit.config, agent.name)
    try:
        with pane_lock(pit.config, agent.name) as is_mine:
            if is_mine:
                sender = _Sender(pit, host, agent, message, proofs, only_idle=only_idle)
                done = _looked_up(sender, read_state(path), again=again) or sender.run(path)
            else:
                done = Delivery(Outcome.QUEUED, "another text is on its way into its pane")
    except SessionError as error:
        done = Delivery(Outcome.REFUSED, error.message)
    if done.mark:
        write_state(path, {**message.to_json(), **_told(done), "at": clock.wall()})
    pit.journal.append(
        f"prompt.{done.outcome}",
        worker=agent.name,
        task=task,
        why=why,
        reason=done.reason or None,
        proof=done.proof or None,
        mark=done.mark or None,
        bytes=len(message.text.encode()),
    )
    return done


def record_path(config: "Config", worker: str) -> "Path":
    return config.state_dir / "prompts" / f"{worker}.json"


@contextmanager
def pane_lock(config: "Config", worker: str, *, wait_s: float = LOCK_S) -> Iterator[bool]:
    """One writer for a pane at a time, of any process; False when another does not end in time."""
    folder = config.state_dir / "panes"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(
        folder / f"{worker}.lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600
    )
    try:
        yield wait_until(lambda: _try_lock(fd), wait_s)
    finally:
        os.close(fd)


def wait_until(is_so: Callable[[], object], seconds: float, *, look_s: float = LOOK_S) -> bool:
    """Look until it is so; the last look is after the time."""
    pause = threading.Event()
    deadline = clock.monotonic() + seconds
    while not is_so():
        if clock.monotonic() > deadline:
            return False
        pause.wait(look_s)
    return True


def _try_lock(fd: int) -> bool:
    try:
        fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


class _Message(NamedTuple):
    """A text that may be typed; `is_command`: as keys, and without a mark, which would be an argument."""

    text: str
    mark: str
    is_command: bool

    @classmethod
    def of(cls, text: str) -> "_Message":
        clean = typed.as_words(typed.clean(text))
        return cls(clean, f"pit-{secrets.token_hex(4)}", typed.is_command(clean))

    def to_json(self) -> dict[str, object]:
        return {"digest": sha256(self.text.encode()).hexdigest(), "mark": self.mark}

    def line(self, folder: "Path", *, folds: bool) -> str:
        """What is typed: the text, or one line that points to it."""
        if self.is_command:
            return self.text
        if typed.is_long(self.text) or ("\n" in self.text and not folds):
            return typed.tagged(typed.pointer(str(self._filed(folder))), self.mark)
        return typed.tagged(self.text, self.mark)

    def _filed(self, folder: "Path") -> "Path":
        from snakepit.session.launchfile import write_private

        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        path = folder / f"{self.mark}.md"
        write_private(path, f"{self.text}\n".encode())
        return path


def _told(done: Delivery) -> dict[str, object]:
    return {"outcome": str(done.outcome), "reason": done.reason, "proof": done.proof}


def _looked_up(sender: "_Sender", last: dict[str, object], *, again: bool) -> Delivery | None:
    """What became of the same text that went out before and was ambiguous; None: it may be sent."""
    message = sender.message
    same = last.get("digest") == message.to_json()["digest"]
    if again or not same or last.get("outcome") != Outcome.AMBIGUOUS:
        return None
    mark, at = str(last.get("mark", "")), last.get("at")
    found = sender.found(mark, at if isinstance(at, int | float) else 0.0)
    if found is None:
        return Delivery(
            Outcome.AMBIGUOUS, "it was sent before, and nothing tells whether it came", mark=mark
        )
    return Delivery(Outcome.DELIVERED, "it had come already", found, mark) if found else None


class _Sender:
    """One delivery, with the pane's lock held."""

    def __init__(
        self,
        pit: "Pit",
        host: "Host",
        agent: "Agent",
        message: _Message,
        proofs: Sequence[Proof],
        *,
        only_idle: bool,
    ) -> None:
        self._pit, self._host, self._agent = pit, host, agent
        self._backend = pit.config.backend_of(agent)
        self._session = pit.config.session_name(agent)
        self._only_idle = only_idle
        self._proofs = list(proofs)
        self._before: tuple[str, ...] = ()  # the screen without the text
        self._sent: tuple[str, ...] = ()  # with it, unsent
        self.message = message

    def run(self, record: "Path") -> Delivery:
        refusal, look, who = self._may()
        if refusal is not None or look is None or who is None:
            return refusal or Delivery(Outcome.REFUSED)
        has_composer = self._read(look).has_composer
        folds = self._backend.typing.paste and has_composer
        line = self.message.line(self._pit.config.state_dir / "prompts", folds=folds)
        self._know(who)
        mark, since = self.message.mark, clock.wall()
        self._before = look.rows
        write_state(record, {**self.message.to_json(), "outcome": Outcome.AMBIGUOUS, "at": since})
        if self.message.is_command or not self._backend.typing.paste:
            self._host.type_text(self._session, line)
        else:
            self._host.send_text(self._session, line)
        problem = self._await_line(line, who)
        if problem:
            return Delivery(Outcome.AMBIGUOUS, problem, mark=mark)
        return self._send(line, who, since)

    def found(self, mark: str, since: float) -> str | None:
        """By what an earlier text is proved; "" when a channel that would know does not; None: no such channel."""
        look = self._host.look(self._session)
        who = occupant(self._pit, self._agent, look.pane)
        if isinstance(who, Occupant):
            self._know(who)
        proved = self._proved(mark, since)
        if proved:
            return proved
        reading = self._read(look)
        if any(mark in row for row in look.rows) and not reading.draft:
            return "screen"
        return "" if any(proof.tells for proof in self._proofs) else None

    def _know(self, who: Occupant) -> None:
        if not self._proofs:
            config, name = self._pit.config, self._agent.name
            self._proofs = [
                HookProof(config, name, self._backend),
                LogProof(self._backend, self._agent, who.pid),
            ]

    def _may(self) -> "tuple[Delivery | None, Look | None, Occupant | None]":
        """Nothing is typed where the first is set."""
        look = self._host.look(self._session)
        who = occupant(self._pit, self._agent, look.pane)
        if isinstance(who, str):
            return Delivery(Outcome.REFUSED, who), None, None
        if clock.wall() - look.typed_at < PERSON_S:
            return Delivery(Outcome.QUEUED, "somebody types in its pane"), None, None
        if look.in_mode:
            self._host.leave_mode(self._session)
            look = self._host.look(self._session)
        reading = self._read(look)
        if reading.question is not None:
            return Delivery(Outcome.REFUSED, reading.question.says), None, None
        if reading.draft:
            return (
                Delivery(Outcome.QUEUED, "a line stands typed in its pane and is not sent"),
                None,
                None,
            )
        if reading.state is State.UNKNOWN and self._tells:
            return Delivery(Outcome.QUEUED, "it is not ready for a text"), None, None
        if self._only_idle and reading.state is State.WORKING:
            return Delivery(Outcome.QUEUED, "it is at work"), None, None
        return None, look, who

    @property
    def _tells(self) -> bool:
        return bool(self._backend.screen.ready or self._backend.screen.composer)

    def _read(self, look: "Look") -> Reading:
        return read_screen(
            look.rows, self._backend.screen, self._backend.dialogs, bright=look.bright
        )

    def _problem(self, line: str, who: Occupant, look: "Look") -> str:
        """Why the key must not be pressed now; empty when the line stands there alone."""
        if look.pane.dead or not who.is_there():
            return "its program ended while the text was typed"
        reading = self._read(look)
        if reading.question is not None:
            return f"it began to ask while the text was typed: {reading.question.says}"
        if look.in_mode:
            return "somebody began to scroll while the text was typed"
        if reading.draft is not None and not typed.stands_in(reading.draft, line):
            return "the line does not hold the text alone"
        is_new_fold = typed.is_folded(look.rows) and not typed.is_folded(self._before)
        if reading.draft is None and not (is_new_fold or typed.shows(look.rows, line)):
            return "the text is not on the screen"
        return ""

    def _await_line(self, line: str, who: Occupant) -> str:
        """Wait for the text to stand there, at least for the gap that the program needs; else why not."""
        problem = ""

        def stands() -> bool:
            nonlocal problem
            look = self._host.look(self._session)
            problem = self._problem(line, who, look)
            return not problem or not who.is_there() or self._read(look).question is not None

        begun = clock.monotonic()
        wait_until(stands, STANDS_S)
        gap = self._backend.typing.gap_s - (clock.monotonic() - begun)
        threading.Event().wait(max(0.0, gap))
        return problem or self._problem(line, who, self._host.look(self._session))

    def _send(self, line: str, who: Occupant, since: float) -> Delivery:
        key = self._backend.submit_key or DEFAULT_KEY
        mark, begun = self.message.mark, clock.monotonic()
        pressed_at, presses = begun, 1
        self._sent = self._host.look(self._session).rows
        self._host.send_key(self._session, key)
        pause = threading.Event()
        while clock.monotonic() - begun < TAKEN_S:
            proved = self._proved(mark, since)
            if proved:
                return Delivery(Outcome.DELIVERED, "", proved, mark)
            look = self._host.look(self._session)
            if look.pane.dead or not who.is_there():
                break
            if self._is_gone(line, look) and self._may_believe(begun):
                return Delivery(Outcome.DELIVERED, "", "screen", mark)
            stands = self._read(look).has_composer and not self._problem(line, who, look)
            if stands and presses < PRESSES and clock.monotonic() - pressed_at > AGAIN_S:
                self._host.send_key(self._session, key)
                pressed_at, presses = clock.monotonic(), presses + 1
            pause.wait(LOOK_S)
        return Delivery(
            Outcome.AMBIGUOUS, "it was typed, and nothing tells that it was taken", mark=mark
        )

    def _proved(self, mark: str, since: float) -> str:
        return next(
            (proof.name for proof in self._proofs if proof.tells and proof.seen(mark, since)), ""
        )

    def _may_believe(self, begun: float) -> bool:
        return clock.monotonic() - begun > PROVED_S or not any(
            proof.tells for proof in self._proofs
        )

    def _is_gone(self, line: str, look: "Look") -> bool:
        """The line to type on is empty again, and the text stands above it: the screen's word for taken."""
        reading = self._read(look)
        if look.pane.dead or reading.draft:
            return False
        if not self._tells:
            return look.rows != self._sent
        if reading.state is State.WORKING or self.message.is_command:
            return True
        if reading.draft is None and reading.question is None:
            return self._moved(look)
        return typed.shows(look.rows, line)

    def _moved(self, look: "Look") -> bool:
        """Where no line to type on can be told: the text does not stand where it stood unsent."""
        if typed.is_folded(self._sent) and not typed.is_folded(look.rows):
            return True
        was = typed.row_of(self._sent, self.message.mark)
        return was >= 0 and was != typed.row_of(look.rows, self.message.mark)
