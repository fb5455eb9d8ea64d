"""Owns running a task's own code: block after block, one tree, one output, one timeout; settles nothing.

A block is a file that its interpreter gets as its only argument, in a session of its own without a
terminal. A run is over when its last block is; what it left running is ended then, so a block may use a
server that an earlier one put into the background. Output is masked before it reaches pane or disk.
"""

import os
import select
import subprocess
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from snakepit import clock
from snakepit.agents.output import Mask, Output, Screen
from snakepit.core.duration import format_duration
from snakepit.core.fences import Block, run_blocks
from snakepit.errors import AgentError

BASH = (("bash",), ".sh")
SH = (("sh",), ".sh")
PYTHON = (("python3", "-u"), ".py")  # unbuffered: what was said before a timeout is kept
INTERPRETERS = {
    "bash": BASH,
    "sh": SH,
    "shell": SH,
    "python": PYTHON,
    "python3": PYTHON,
    "py": PYTHON,
}
TICK = 1.0  # seconds between two looks at what nothing wakes us for
QUIET = 0.15  # seconds without output after which an unfinished line is shown
BLIND_TICK = 0.02  # seconds, where no descriptor tells of an exit
CHUNK = 65536
CANNOT_START = "cannot start"


class Attention(Protocol):
    """What else wants to be seen to while a task runs."""

    def descriptors(self) -> Sequence[int]:
        """Readable when `look` should be called."""

    def look(self) -> str:
        """Called at least every TICK; a word, not empty, ends the run."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """Blocks are named by number and by line of the body: the pit edits the header above it."""

    blocks: tuple[Block, ...]
    env: Mapping[str, str]
    cwd: Path
    folder: Path
    timeout_s: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """`reason` is empty when all went well. `stopped` is the word that ended it, if one did."""

    text: str
    reason: str = ""
    stopped: str = ""


def blocks_of(body: str, *, is_script: bool) -> tuple[Block, ...]:
    """What of a task is code to run; AgentError when nothing is, or in a language unknown here."""
    marked = run_blocks(body)
    unknown = next((block for block in marked if block.language not in INTERPRETERS), None)
    if unknown is not None:
        known = ", ".join(sorted(INTERPRETERS))
        msg = f"line {unknown.line} of the text: no interpreter for `{unknown.language} run`"
        raise AgentError(msg, fix=f"use one of {known}")
    if marked or not is_script:
        found = marked
    else:
        every = run_blocks(body, all_blocks=True)
        found = tuple(block for block in every if block.language in INTERPRETERS)
    if not found:
        msg = "there is no code block to run"
        raise AgentError(msg, fix="mark one: ```bash run")
    return found


def run(
    job: Job,
    *,
    mask: Mask,
    screen: Screen,
    attention: Attention,
    end_rest: Callable[[], bool],
) -> Outcome:
    """`end_rest` ends all that runs below this process and says whether nothing is left."""
    with Output(job.folder / "output.log", mask, screen) as output:
        script = _Run(job, output, attention, end_rest)
        try:
            reason, stopped = script.blocks()
        finally:
            script.close()
    return Outcome(
        text=output.text(),
        reason=reason,
        stopped=stopped,
    )


class _Run:
    def __init__(
        self,
        job: Job,
        output: Output,
        attention: Attention,
        end_rest: Callable[[], bool],
    ) -> None:
        self.job = job
        self.output = output
        self.attention = attention
        self.end_rest = end_rest
        self.deadline = clock.monotonic() + job.timeout_s
        self.source, self.target = os.pipe()
        os.set_blocking(self.source, False)

    def blocks(self) -> tuple[str, str]:
        """Why it failed, and the word that ended it; both empty when all went well."""
        for number, block in enumerate(self.job.blocks, 1):
            name = f"block {number} ({block.language}, line {block.line} of the text)"
            child = self._start(block, number)
            if isinstance(child, str):
                return f"{name}: {child}", ""
            stopped = self._follow(child)
            if stopped:
                self._end(child)
                return "", stopped
            if child.returncode is None:
                self._end(child)
                allowed = format_duration(self.job.timeout_s)
                return f"timed out after {allowed} in {name}", ""
            if child.returncode:
                return f"{name} {_ended(child.returncode)}{self._last_words()}", ""
        return "", ""

    def close(self) -> None:
        """End what is left and read what it still said."""
        self._end(None)
        self._pump()
        os.close(self.source)
        os.close(self.target)

    def _start(self, block: Block, number: int) -> "subprocess.Popen[bytes] | str":
        program, suffix = INTERPRETERS[block.language]
        path = self.job.folder / f"block-{number}{suffix}"
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(block.code.encode("utf-8", "surrogateescape"))
        try:
            return subprocess.Popen(
                [*program, str(path)],
                env=dict(self.job.env),
                cwd=self.job.cwd,
                stdin=subprocess.DEVNULL,
                stdout=self.target,
                stderr=self.target,
                start_new_session=True,
            )
        except OSError as error:
            what = program[0] if error.filename == program[0] else str(self.job.cwd)
            return f"{CANNOT_START} {what}: {error.strerror}"

    def _follow(self, child: "subprocess.Popen[bytes]") -> str:
        """Until the block ends, the time is over (it still runs then), or a word says stop."""
        exits = os.pidfd_open(child.pid) if hasattr(os, "pidfd_open") else -1
        own = (self.source, exits)
        poll = self._poll(own)
        looked = clock.monotonic()
        try:
            while True:
                now = clock.monotonic()
                if now >= self.deadline:
                    return ""
                ready = poll.poll(1000 * self._pause(now, blind=exits < 0))
                self._pump()
                if child.poll() is not None:
                    return ""
                woken = any(fd not in own for fd, _ in ready)
                if woken or clock.monotonic() - looked >= TICK:
                    looked = clock.monotonic()
                    stopped = self.attention.look()
                    if stopped:
                        return stopped
                    poll = self._poll(own)
        finally:
            if exits >= 0:
                os.close(exits)

    def _poll(self, own: Sequence[int]) -> "select.poll":
        poll = select.poll()
        for descriptor in (*own, *self.attention.descriptors()):
            if descriptor >= 0:
                poll.register(descriptor, select.POLLIN)
        return poll

    def _pause(self, now: float, *, blind: bool) -> float:
        pause = min(TICK, max(0.0, self.deadline - now))
        if self.output.holds:
            pause = min(pause, QUIET)
        return min(pause, BLIND_TICK) if blind else pause

    def _pump(self) -> None:
        """Take what is there; an unfinished line is shown once nothing more comes."""
        took = False
        for _ in range(64):
            try:
                data = os.read(self.source, CHUNK)
            except BlockingIOError:
                break
            took = True
            self.output.feed(data)
        if not took:
            self.output.settle()

    def _end(self, child: "subprocess.Popen[bytes] | None") -> None:
        """Nothing of this run is alive afterwards: what cannot be killed is waited for."""
        pause = select.poll()
        while not self.end_rest():
            self.output.note("a process of this task cannot be killed; waiting for it to go")
            pause.poll(1000 * TICK)
            self.attention.look()
        if child is not None:
            child.wait()

    def _last_words(self) -> str:
        self._pump()
        words = self.output.last_line()
        return f": {words}" if words else ""


def _ended(code: int) -> str:
    return f"ended with exit {code}" if code > 0 else f"was ended by signal {-code}"
