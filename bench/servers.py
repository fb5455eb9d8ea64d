"""Owns the two servers that peers need: found, started on a private port, weighed, ended by pid."""

import os
import re
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path
from types import TracebackType

from bench import clock

TICKS = os.sysconf("SC_CLK_TCK")


def find_server(program: str) -> str:
    beside = Path(sys.executable).parent / program
    return str(beside) if beside.exists() else shutil.which(program) or ""


def version_of(program: str) -> str:
    path = find_server(program)
    if not path:
        return ""
    said = subprocess.run([path, "--version"], capture_output=True, text=True, timeout=20)
    found = re.search(r"\d+(\.\d+)+", said.stdout)
    return f"{program} {found[0]}" if found else program


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Server:
    """A running server; use it as a context. Its data lives under `home`."""

    def __init__(self, program: str, home: Path, *, durable: bool) -> None:
        self.program = program
        self.home = Path(tempfile.mkdtemp(prefix="server-", dir=home))
        self.durable = durable
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    def _argv(self) -> list[str]:
        path = find_server(self.program)
        if self.program == "redis-server":
            disk = ["--appendonly", "yes", "--appendfsync", "always"] if self.durable else []
            return [
                path, "--port", str(self.port), "--bind", "127.0.0.1", "--daemonize", "no",
                "--save", "", "--dir", str(self.home), *disk,
            ]  # fmt: skip
        config = self.home / "nats.conf"
        sync = "always" if self.durable else "2m"
        config.write_text(
            f'host: "127.0.0.1"\nport: {self.port}\n'
            f'jetstream {{ store_dir: "{self.home}", sync_interval: "{sync}" }}\n'
        )
        return [path, "-c", str(config)]

    def __enter__(self) -> "Server":
        with (self.home / "log").open("wb") as log:
            self.process = subprocess.Popen(self._argv(), stdout=log, stderr=log, cwd=self.home)
        deadline = clock.now() + 15
        while clock.now() < deadline and self.process.poll() is None:
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", self.port)) == 0:
                    return self
            clock.pause(0.02)
        said = (self.home / "log").read_text()[-500:]
        self.__exit__(None, None, None)
        raise RuntimeError(f"{self.program} did not start: {said}")

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout=10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.home, ignore_errors=True)

    @property
    def pid(self) -> int:
        return self.process.pid if self.process else 0


def cpu_s(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS


def pss_mb(pid: int) -> float:
    rollup = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    return sum(int(line.split()[1]) for line in rollup if line.startswith("Pss:")) / 1024
