"""Owns starting worker processes and one peer's stand: its folder, its server, its board."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import clock
from bench.board import Board
from bench.peers import PEERS
from bench.servers import Server

TOP = Path(__file__).resolve().parent.parent
JOB_SECONDS = 300


class JobFailed(RuntimeError):
    """A worker process ended without an answer; the text is the end of what it wrote."""


@dataclass(slots=True)
class Stand:
    """One empty or filled queue of one peer, with its server if it has one."""

    peer: str
    home: Path
    durable: bool
    server: Server | None
    board_path: Path
    notes: dict[str, Any]
    keeper: "Job | None" = None

    def job(self, do: str, slot: int = 0, **more: Any) -> "Job":
        told = {
            "peer": self.peer,
            "do": do,
            "home": str(self.home / "data"),
            "durable": self.durable,
            "port": self.server.port if self.server else 0,
            "slot": slot,
            "board": str(self.board_path),
            **more,
        }
        return Job(told, self.home / f"{do}-{slot}.log")

    def run(self, do: str, slot: int = 0, **more: Any) -> dict[str, Any]:
        return self.job(do, slot, **more).answer()

    def fresh_board(self) -> Board:
        self.board_path.unlink(missing_ok=True)
        return Board(self.board_path)

    def accompany(self) -> float:
        """Start the peer's companion if it has one and lacks it; the seconds until it caught up."""
        if not self.notes["has_companion"] or self.keeper:
            return 0.0
        self.keeper = self.job("companion", 63)
        return float(self.keeper.line()["secs"])

    @property
    def beside(self) -> int:
        """The process that works beside the workers, a server or a companion; 0 = none."""
        if self.keeper:
            return self.keeper.process.pid
        return self.server.pid if self.server else 0

    def leave_alone(self) -> None:
        if self.keeper:
            self.keeper.kill()
            self.keeper = None

    def renew(self) -> None:
        """Throw the queue away and make an empty one."""
        self.leave_alone()
        shutil.rmtree(self.home / "data", ignore_errors=True)
        (self.home / "data").mkdir()
        self.notes = self.run("create")


class Job:
    """One worker process; ended by its own pid."""

    def __init__(self, told: dict[str, Any], log: Path) -> None:
        self.told, self.log = told, log
        with log.open("wb") as errors:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "bench.worker", json.dumps(told)],
                cwd=TOP,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )

    def line(self) -> dict[str, Any]:
        assert self.process.stdout
        said = self.process.stdout.readline()
        if not said:
            self._fail()
        return dict(json.loads(said))

    def say(self, text: str) -> None:
        assert self.process.stdin
        self.process.stdin.write(text + "\n")
        self.process.stdin.flush()

    def answer(self, seconds: float = JOB_SECONDS) -> dict[str, Any]:
        try:
            said, _ = self.process.communicate(timeout=seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            raise JobFailed(f"{self.told['peer']} {self.told['do']}: over {seconds} s") from None
        lines = said.strip().splitlines()
        if self.process.returncode or not lines:
            self._fail()
        return dict(json.loads(lines[-1]))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    continue

    def _fail(self) -> None:
        end = self.log.read_text(errors="replace").strip()[-800:]
        self.kill()
        raise JobFailed(f"{self.told['peer']} {self.told['do']}: {end or 'no answer'}")


@contextmanager
def stand(peer: str, root: Path, *, durable: bool = False) -> Iterator[Stand]:
    home = Path(tempfile.mkdtemp(prefix=f"{peer}-", dir=root))
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, home, ignore_errors=True)
        server = None
        if PEERS[peer].server:
            server = stack.enter_context(Server(PEERS[peer].server, home, durable=durable))
        made = Stand(peer, home, durable, server, home / "board", {})
        stack.callback(made.leave_alone)
        made.renew()
        yield made


def wait_ready(board: Board, jobs: list[Job], seconds: float = 60) -> None:
    deadline = clock.now() + seconds
    while not board.ready(len(jobs)):
        for job in jobs:
            if job.process.poll() is not None:
                job.answer()
        if clock.now() > deadline:
            raise JobFailed(f"workers not ready within {seconds} s")
        clock.pause(0.005)
