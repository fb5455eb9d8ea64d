"""attach, logs and log follow-all, with sessions on a private server."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from snakepit.cli.main import app
from snakepit.session.tmux import TmuxHost
from tests.support.tmux import Client, client, reap_server, tmux, unique_socket
from tests.support.wait import wait_for

CAT = ["/bin/cat"]
CONFIG = """
[defaults]
session_prefix = "pit-"
log_dir = "state"
tmux_socket = "{socket}"

[[agent]]
name = "chef"
backend = "script"
species = "script"

[[agent]]
name = "keeper"
backend = "talker"

[backend.talker]
bin = "no-such-agent-cli"

[[service]]
name = "cleanlogs"
command = "snakepit log follow-all"
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    root: Path
    socket: str

    def run(self, *words: str) -> Result:
        return CliRunner().invoke(app, self.words(*words), env={"SNAKEPIT_CONFIG": None})

    def words(self, *words: str) -> list[str]:
        return [*words, "--config", str(self.root / "agents.toml")]

    def command(self, *words: str) -> list[str]:
        return [sys.executable, "-m", "snakepit.cli.main", *self.words(*words)]

    def raw(self, name: str) -> Path:
        folder = self.root / "state" / "raw"
        folder.mkdir(parents=True, exist_ok=True)
        return folder / f"{name}.log"


@pytest.fixture
def place(tmp_path: Path) -> Place:
    socket = unique_socket()
    (tmp_path / "agents.toml").write_text(CONFIG.format(socket=socket))
    return Place(root=tmp_path, socket=socket)


@pytest.fixture
def host(place: Place) -> Iterator[TmuxHost]:
    host = TmuxHost(place.socket, environ=os.environ)
    try:
        host.start("pit-chef", CAT, cwd=place.root, driven=True)
        host.start("pit-keeper", CAT, cwd=place.root)
        yield host
    finally:
        reap_server(host)


def attached(host: TmuxHost, session: str) -> int:
    return next(pane.attached for pane in host.panes() if pane.session == session)


@contextlib.contextmanager
def attaching(place: Place, *words: str) -> Iterator[Client]:
    with client(place.command("attach", *words)) as terminal:
        yield terminal


def test_attach_without_any_session_says_so(place: Place) -> None:
    result = place.run("attach", "chef")
    assert result.exit_code == 1
    assert "no session runs" in result.output
    assert "snakepit up" in result.output
    assert not Path(TmuxHost(place.socket).socket_path()).exists()


@pytest.mark.needs("tmux")
def test_attach_json_tells_the_line(place: Place, host: TmuxHost) -> None:
    answer = json.loads(place.run("attach", "chef", "--json").stdout)
    line = f"tmux -L {place.socket} attach -t =pit-chef"
    assert answer == {"name": "chef", "session": "pit-chef", "line": line, "read_only": True}
    assert not json.loads(place.run("attach", "chef", "--write", "--json").stdout)["read_only"]
    assert not json.loads(place.run("attach", "pit-keeper", "--json").stdout)["read_only"]
    assert json.loads(place.run("attach", "--json").stdout)["name"] == "chef"


@pytest.mark.needs("tmux")
def test_attach_outside_a_terminal_prints_the_line(place: Place, host: TmuxHost) -> None:
    result = place.run("attach", "chef")
    assert result.exit_code == 2
    assert f"tmux -L {place.socket} attach -t =pit-chef" in result.output


@pytest.mark.needs("tmux")
def test_attach_tells_unknown_from_not_running(place: Place, host: TmuxHost) -> None:
    host.kill("pit-keeper")
    assert "keeper has no session" in place.run("attach", "keeper").output
    assert "nothing is called 'cook'" in place.run("attach", "cook").output
    assert "what runs: chef" in place.run("attach", "cook").output


@pytest.mark.needs("tmux")
def test_a_driven_pane_is_read_only_unless_write(place: Place, host: TmuxHost) -> None:
    with attaching(place, "chef") as reader:
        wait_for(lambda: attached(host, "pit-chef") == 1, what="the client")
        assert reader.shows("read-only")
        reader.type(b"never typed\r")
        with attaching(place, "chef", "--write") as writer:
            wait_for(lambda: attached(host, "pit-chef") == 2, what="the second client")
            writer.type(b"typed\r")
            wait_for(lambda: "typed" in host.capture("pit-chef"), what="what was typed")
        assert "never" not in host.capture("pit-chef")
        reader.type(b"\x02d")
        wait_for(lambda: not reader.is_running(), what="the client to leave")


@pytest.mark.needs("tmux")
def test_attach_without_a_name_asks_which(place: Place, host: TmuxHost) -> None:
    with attaching(place) as terminal:
        wait_for(lambda: terminal.shows("attach to"), what="the question")
        assert terminal.shows("1  chef")
        assert terminal.shows("2  keeper")
        terminal.type(b"2\r")
        wait_for(lambda: attached(host, "pit-keeper"), what="the client")


@pytest.mark.needs("tmux")
def test_attach_inside_another_tmux_nests(place: Place, host: TmuxHost, tmp_path: Path) -> None:
    outer = TmuxHost(unique_socket(), environ=os.environ)
    try:
        words = ["env", "TERM=screen-256color", *place.command("attach", "keeper")]
        outer.start("mine", words, cwd=Path.cwd())
        wait_for(lambda: attached(host, "pit-keeper"), what="the nested client")
        assert "leave: C-b d" in outer.capture("mine")
    finally:
        reap_server(outer)


@pytest.mark.needs("tmux")
def test_attach_inside_the_same_tmux_switches(place: Place, host: TmuxHost) -> None:
    with client(host.attach_argv("pit-keeper", read_only=False)):
        wait_for(lambda: attached(host, "pit-keeper"), what="the client")
        words = ["sh", "-c", 'exec "$@"', "sh", *place.command("attach", "chef")]
        tmux(host, "new-window", "-c", str(Path.cwd()), "-t", "=pit-keeper:", *words)
        wait_for(lambda: attached(host, "pit-chef"), what="the client at the other session")


def test_logs_are_readable(place: Place) -> None:
    place.raw("chef").write_bytes(b"\x1b[31mone\x1b[0m\r\n10%\r100%\r\nlast")
    assert place.run("logs", "chef").stdout == "one\n100%\nlast\n"
    assert place.run("logs", "pit-chef", "-n", "1").stdout == "last\n"
    assert json.loads(place.run("logs", "chef", "--json").stdout) == {
        "name": "chef",
        "lines": ["one", "100%", "last"],
    }


def test_logs_of_nothing_name_what_there_is(place: Place) -> None:
    place.raw("chef").write_bytes(b"one\n")
    for name in ("cook", "../raw/chef", ""):
        result = place.run("logs", name)
        assert result.exit_code == 1
        assert "there are: chef" in result.output


@contextlib.contextmanager
def running(words: list[str], out: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with out.open("wb") as file:
        process = subprocess.Popen(words, stdout=file, stderr=subprocess.STDOUT)
        try:
            yield process
        finally:
            process.kill()
            process.wait(10)


def test_logs_follow_until_ctrl_c(place: Place, tmp_path: Path) -> None:
    raw, out = place.raw("chef"), tmp_path / "out"
    raw.write_bytes(b"one\n")
    with running(place.command("logs", "chef", "-f"), out) as process:
        wait_for(lambda: out.read_text() == "one\n", what="the first line")
        with raw.open("ab") as file:
            file.write(b"two\n")
        wait_for(lambda: out.read_text() == "one\ntwo\n", what="the second line")
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130


def test_follow_all_names_every_pane_but_its_own(place: Place, tmp_path: Path) -> None:
    out = tmp_path / "out"
    place.raw("keeper").write_bytes(b"hello\n")
    place.raw("watchdog").write_bytes(b"a view of it all\n")
    place.raw("cleanlogs").write_bytes(b"keeper | hello\n")
    with running(place.command("log", "follow-all"), out) as process:
        wait_for(lambda: "keeper    | hello\n" in out.read_text(), what="the first line")
        place.raw("chef").write_bytes(b"born\n")
        wait_for(lambda: "chef      | born\n" in out.read_text(), what="a log that came later")
        assert "cleanlogs" not in out.read_text()
        assert "watchdog" not in out.read_text()
        process.send_signal(signal.SIGINT)
        assert process.wait(10) == 130
