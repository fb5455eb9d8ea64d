"""Owns real fleets for tests: the command line as a person types it, on a private tmux server.

Whatever a test did to its fleet, `close` leaves no process of it, and says so when it had to help.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TypeVar

from snakepit.config.loader import load
from snakepit.config.model import Config
from snakepit.pool.attend import daemon_pid
from snakepit.session.tmux import TmuxHost
from snakepit.store.base import LifeRecord, Verdict
from snakepit.store.files import open_pit
from snakepit.system import process
from tests.support.pits import write_config
from tests.support.tmux import reap_server, unique_socket
from tests.support.wait import wait_for

ROOT = Path(__file__).parents[2]
HELLO = "# hello\n\n```bash run\necho hello from $SNAKEPIT_WORKER\n```\n"


class Fleet:
    def __init__(self, folder: Path, text: str, *, count: int, environ: Mapping[str, str]) -> None:
        self.folder = folder
        self.extra = dict(environ)
        self.socket = unique_socket()
        path = write_config(
            folder, text.replace("{socket}", self.socket), socket=self.socket, count=count
        )
        self.config: Config = load(path, environ={})
        self.host = TmuxHost(self.config.socket, environ={**os.environ, **environ})

    def run(
        self, *words: str, env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "snakepit.cli.main", *words]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=self.environ(env),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def start(self, *words: str) -> "subprocess.Popen[str]":
        command = [sys.executable, "-m", "snakepit.cli.main", *words]
        return subprocess.Popen(
            command,
            cwd=self.folder,
            env=self.environ(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def environ(self, extra: dict[str, str] | None = None) -> dict[str, str]:
        plain = {key: value for key, value in os.environ.items() if not key.startswith("SNAKEPIT_")}
        own = {"PYTHONPATH": str(ROOT), "LC_ALL": "C.UTF-8"}
        return {**plain, **own, **self.extra, **(extra or {})}

    def ok(self, *words: str) -> str:
        done = self.run(*words)
        assert done.returncode == 0, f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done.stdout

    def json(self, *words: str) -> dict[str, object]:
        found = json.loads(self.ok(*words, "--json"))
        assert isinstance(found, dict)
        return found

    def drop(self, name: str, text: str = HELLO) -> None:
        """As a person does it."""
        (self.config.pit_dir / "food" / name).write_text(text, encoding="utf-8")

    def script(self, name: str, code: str) -> None:
        self.drop(name, f"```bash run\n{code}\n```\n")

    def lies(self, folder: str) -> set[str]:
        base = self.config.pit_dir / folder
        return {path.name for path in base.glob("*.md")} if base.is_dir() else set()

    def holder(self, name: str) -> str:
        """The worker that has claimed it, or nothing."""
        found = list((self.config.pit_dir / "claimed").glob(f"*/{name}"))
        return found[0].parent.name if found else ""

    def lives(self) -> dict[str, LifeRecord]:
        pit = open_pit(self.config.pit_dir)
        try:
            return {life.worker: life for life in pit.lives() if life.verdict is Verdict.ALIVE}
        finally:
            pit.close()

    def daemon(self) -> int:
        return daemon_pid(self.config) or 0

    def events(self, kind: str = "") -> list[dict[str, object]]:
        try:
            lines = (self.config.log_dir / "events.jsonl").read_text(encoding="utf-8").splitlines()
        except FileNotFoundError:
            return []
        found = [json.loads(line) for line in lines]
        return [event for event in found if not kind or event["type"] == kind]

    def sessions(self) -> set[str]:
        return {pane.session for pane in self.host.panes() if not pane.dead}

    def processes(self) -> set[int]:
        """All that runs for this fleet, by its command line or its mark."""
        marked = process.pids_with_mark("SNAKEPIT_PIT", str(self.config.pit_dir))
        return marked | {pid for pid in _pids() if str(self.folder) in _command(pid)}

    def close(self) -> None:
        """End everything, by the verb if it can, else by pid."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.run("down", "--grace", "2")
        reap_server(self.host)
        for pid in self.processes():
            process.send(pid, signal.SIGKILL)
        wait_for(lambda: not self.processes(), what="the fleet's processes to end")


F = TypeVar("F", bound=Fleet)


@contextlib.contextmanager
def fleet(
    folder: Path,
    text: str = "",
    *,
    count: int = 2,
    environ: Mapping[str, str] | None = None,
) -> Iterator[Fleet]:
    with fleet_of(Fleet, folder, text, count=count, environ=environ) as made:
        yield made


@contextlib.contextmanager
def fleet_of(
    kind: type[F],
    folder: Path,
    text: str = "",
    *,
    count: int = 2,
    environ: Mapping[str, str] | None = None,
) -> Iterator[F]:
    made = kind(folder, text, count=count, environ=environ or {})
    try:
        yield made
    finally:
        made.close()


def _pids() -> set[int]:
    return set(process.parents()) - {os.getpid()}


def _command(pid: int) -> str:
    try:
        return (
            Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        )
    except OSError:
        return ""
