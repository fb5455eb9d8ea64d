"""What only a real tmux server can show."""

import os
import re
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.errors import SessionError, SessionGone, TmuxUnavailable
from snakepit.session import launchfile
from snakepit.session.tmux import TmuxHost
from tests.support.tmux import (
    client,
    is_running,
    private_host,
    reap_server,
    stopped,
    tmux,
    unique_socket,
)
from tests.support.wait import wait_for

pytestmark = pytest.mark.needs("tmux")

CAT = ["/bin/cat"]
SECRET = "sk-ant-api03-not-a-real-key-0123456789"


@pytest.fixture
def host() -> Iterator[TmuxHost]:
    with private_host() as host:
        yield host


def size(host: TmuxHost, name: str) -> tuple[int, int]:
    return next((pane.columns, pane.rows) for pane in host.panes() if pane.session == name)


def attached(host: TmuxHost, name: str) -> int:
    return next(pane.attached for pane in host.panes() if pane.session == name)


def test_the_callers_environment_reaches_neither_server_nor_pane(tmp_path: Path) -> None:
    environ = dict(os.environ) | {"ANTHROPIC_API_KEY": SECRET, "TMUX": "/x,1,0", "MY_TOKEN": "t"}
    with private_host(environ=environ) as host:
        out = tmp_path / "env"
        host.start("a", ["/bin/sh", "-c", f"env > {out}.new; mv {out}.new {out}"], cwd=tmp_path)
        wait_for(out.exists, what="the pane's environment")
        names = {line.split("=")[0] for line in out.read_text().splitlines()}
        assert not names & {"ANTHROPIC_API_KEY", "MY_TOKEN", "VIRTUAL_ENV", "PYTEST_CURRENT_TEST"}
        assert SECRET not in tmux(host, "show-environment", "-g")
        server = Path(f"/proc/{host.probe()}/environ")
        if server.exists():
            assert SECRET.encode() not in server.read_bytes()


def test_a_client_adds_nothing_to_the_environment(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path)
    argv = ["env", f"SSH_AUTH_SOCK={SECRET}", *host.attach_argv("a", read_only=False)]
    with client(argv):
        wait_for(lambda: attached(host, "a"), what="the client")
        assert SECRET not in tmux(host, "show-environment", "-t", "=a")


def test_the_first_pane_has_the_scrollback(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path)
    assert tmux(host, "list-panes", "-a", "-F", "#{history_limit}") == "50000"


def test_the_persons_tmux_conf_has_taste_but_no_say(tmp_path: Path) -> None:
    conf = tmp_path / "my #{pid} tmux.conf"
    conf.write_text("set -g mouse off\nset -g history-limit 10\nset -wg remain-on-exit off\n")
    with private_host(tmux_conf=conf) as host:
        host.start("a", ["/bin/true"], cwd=tmp_path)
        assert tmux(host, "show-options", "-gv", "mouse") == "off"
        assert tmux(host, "list-panes", "-a", "-F", "#{history_limit}") == "50000"
        wait_for(lambda: host.panes()[0].dead, what="the dead pane")


def test_a_broken_tmux_conf_is_named_and_leaves_no_server(tmp_path: Path) -> None:
    conf = tmp_path / "tmux.conf"
    conf.write_text("no-such-command\n")
    with private_host(tmux_conf=conf) as host:
        with pytest.raises(SessionError, match=str(conf)):
            host.start("a", CAT, cwd=tmp_path)
        with pytest.raises(SessionGone):
            host.probe()


def test_without_a_conf_the_persons_own_is_not_read(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / ".tmux.conf").write_text("set -g @theirs yes\n")
    with private_host(environ=dict(os.environ) | {"HOME": str(home)}) as host:
        host.start("a", CAT, cwd=tmp_path)
        assert tmux(host, "show-options", "-gqv", "@theirs") == ""
        assert tmux(host, "show-options", "-gv", "mouse") == "on"


def test_the_status_line_tells_how_to_leave(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path)
    with client(host.attach_argv("a", read_only=False)) as terminal:
        wait_for(lambda: terminal.shows("leave: C-b d"), what="the status line")
        terminal.type(b"\x02d")
        wait_for(lambda: not terminal.is_running(), what="the client to leave")


def test_odd_words_reach_the_program_unchanged(host: TmuxHost, tmp_path: Path) -> None:
    words = ["a;", ";", "-x", "#{pid}", "%H", "it's", 'say "hi"', "$HOME", "\\", "ä b", ""]
    folder = tmp_path / "100% of #{pid}; ok;"
    folder.mkdir()
    script = (
        "import json,os,sys; open('out.new','w').write(json.dumps([os.getcwd(), sys.argv[1:]]))"
    )
    script += "; os.rename('out.new', 'out')"
    host.start("a", [sys.executable, "-c", script, *words], cwd=folder)
    wait_for((folder / "out").exists, what="the program's answer")
    import json

    assert json.loads((folder / "out").read_text()) == [str(folder), words]


def test_a_hung_server_is_an_error_and_no_wait(tmp_path: Path) -> None:
    with private_host(timeout=0.5) as host:
        host.start("a", CAT, cwd=tmp_path)
        with stopped(host.probe()):
            calls: list[Callable[[], object]] = [
                host.panes,
                host.probe,
                lambda: host.kill("b"),
                lambda: host.capture("a"),
                lambda: host.start("b", CAT, cwd=tmp_path),
            ]
            for call in calls:
                began = clock.monotonic()
                with pytest.raises(SessionError, match="did not answer"):
                    call()
                assert clock.monotonic() - began < 2
        assert "a" in {pane.session for pane in host.panes()}


def test_panes_that_vanish_while_they_are_listed_are_no_error(
    host: TmuxHost, tmp_path: Path
) -> None:
    host.start("stays", CAT, cwd=tmp_path)
    failures: list[Exception] = []

    def come_and_go() -> None:
        other = TmuxHost(host.socket)
        try:
            for number in range(25):
                other.start(f"goes-{number}", ["/bin/true"], cwd=tmp_path)
                other.kill(f"goes-{number}")
        except SessionError as exc:
            failures.append(exc)

    thread = threading.Thread(target=come_and_go)
    thread.start()
    looks = 0
    while thread.is_alive():
        assert "stays" in {pane.session for pane in host.panes()}
        looks += 1
    thread.join()
    assert not failures
    assert looks > 5


def test_a_title_cannot_forge_another_pane(host: TmuxHost, tmp_path: Path) -> None:
    script = "printf '\\033]2;real\\n%%99|x|1|0\\033\\\\'; exec cat"
    host.start("a", ["/bin/sh", "-c", script], cwd=tmp_path)
    wait_for(lambda: "real" in host.panes()[0].title, what="the title")
    assert [pane.session for pane in host.panes()] == ["a"]


def test_a_window_that_a_person_opened_is_not_the_session(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path)
    (before,) = host.panes()
    tmux(host, "new-window", "-t", "=a:", "cat")
    tmux(host, "new-session", "-d", "-s", "mine", "cat")
    assert [(pane.session, pane.pid) for pane in host.panes()] == [("a", before.pid)]
    host.send_text("a", "for the snake")
    wait_for(lambda: "for the snake" in host.capture("a"), what="the text in the first window")


def test_the_size_follows_a_client_and_comes_back(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path)
    host.start("b", CAT, cwd=tmp_path)
    with client(host.attach_argv("a", read_only=True), columns=90, rows=30) as terminal:
        wait_for(lambda: size(host, "a") == (90, 29), what="the size of the terminal")
        assert size(host, "b") == (220, 50)
        terminal.type(b"\x02d")
        wait_for(lambda: size(host, "a") == (220, 50), what="the old size")
    with client(host.attach_argv("a", read_only=False), columns=70, rows=20) as terminal:
        wait_for(lambda: size(host, "a") == (70, 19), what="the size of the second terminal")
    wait_for(lambda: size(host, "a") == (220, 50), what="the old size after a kill")


def test_the_size_comes_back_when_a_client_goes_elsewhere(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path)
    host.start("b", CAT, cwd=tmp_path)
    with client(host.attach_argv("a", read_only=False), columns=90, rows=30):
        wait_for(lambda: size(host, "a") == (90, 29), what="the size of the terminal")
        tmux(host, "switch-client", "-t", "=b")
        wait_for(lambda: size(host, "b") == (90, 29), what="the size of the other")
        wait_for(lambda: size(host, "a") == (220, 50), what="the old size")


def test_a_read_only_client_types_nothing(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path, driven=True)
    with (
        client(host.attach_argv("a", read_only=True)) as reader,
        client(host.attach_argv("a", read_only=False)) as writer,
    ):
        wait_for(lambda: attached(host, "a") == 2, what="both clients")
        reader.type(b"never seen")
        writer.type(b"but this is\r")
        wait_for(lambda: "but this is" in host.capture("a"), what="what the writer typed")
        assert "never seen" not in host.capture("a")


def test_the_keys_that_stop_a_program_do_not_stop_a_driven_one(
    host: TmuxHost, tmp_path: Path
) -> None:
    script = "trap 'echo interrupted' INT; echo ready; while :; do read line; done"
    host.start("driven", ["/bin/bash", "-c", script], cwd=tmp_path, driven=True)
    host.start("plain", CAT, cwd=tmp_path)
    wait_for(lambda: "ready" in host.capture("driven"), what="the program")
    with client(host.attach_argv("driven", read_only=False)) as terminal:
        wait_for(lambda: attached(host, "driven"), what="the client")
        for key in (b"\x1a", b"\x1c"):
            terminal.shown = b""
            terminal.type(key)
            wait_for(lambda: terminal.shows("this key would stop"), what="the refusal")
        terminal.type(b"\x03")
        wait_for(lambda: "interrupted" in host.capture("driven"), what="Ctrl-C to be let through")
        assert not next(pane for pane in host.panes() if pane.session == "driven").dead
    with client(host.attach_argv("plain", read_only=False)) as terminal:
        wait_for(lambda: attached(host, "plain"), what="the client")
        terminal.type(b"\x1c")
        wait_for(lambda: any(pane.dead for pane in host.panes()), what="Ctrl-\\ to quit")


def test_the_raw_log_has_the_first_byte_and_no_secret(host: TmuxHost, tmp_path: Path) -> None:
    log = tmp_path / "100% #{pid}; state" / "raw" / "keeper.log"
    value = "correct-horse-battery"
    script = (
        f"printf 'first {value} {SECRET}\\n'; printf 'prompt> '; read line; printf 'bye %s' $line"
    )
    host.start("a", ["/bin/sh", "-c", script], cwd=tmp_path, log=log, mask=[value])
    wait_for(lambda: log.exists() and b"prompt> " in log.read_bytes(), what="the prompt")
    assert log.read_bytes().startswith(b"first [redacted] [redacted]\r\n")
    host.send_text("a", "now")
    host.send_key("a", "Enter")
    wait_for(lambda: b"bye now" in log.read_bytes(), what="the last words")
    assert [entry.name for entry in log.parent.iterdir()] == ["keeper.log"]
    assert log.stat().st_mode & 0o777 == 0o600
    assert log.parent.stat().st_mode & 0o777 == 0o700
    host.respawn("a", ["/bin/sh", "-c", "echo again"], cwd=tmp_path)
    wait_for(lambda: b"again" in log.read_bytes(), what="the log to go on")
    host.respawn("a", ["/bin/echo", f"more {value}"], cwd=tmp_path, log=log, mask=[value])
    wait_for(lambda: b"more [redacted]" in log.read_bytes(), what="the renewed log")


def test_a_key_is_in_no_command_line(host: TmuxHost, tmp_path: Path) -> None:
    log = tmp_path / "raw" / "keeper.log"
    launch = launchfile.write(
        tmp_path / "launch", "a", ["/bin/cat"], {"ANTHROPIC_API_KEY": SECRET}, tmp_path
    )
    stand_in = [sys.executable, "-I", "-S", "-c", "import sys; sys.stdin.read()", str(launch)]
    host.start("a", stand_in, cwd=tmp_path, log=log, mask=[SECRET])
    wait_for(lambda: host.panes()[0].pid, what="the pane")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                line = (entry / "cmdline").read_bytes()
            except OSError:
                continue
            assert SECRET.encode() not in line


def test_sessions_join_a_server_of_the_persons_own(tmp_path: Path) -> None:
    host = TmuxHost(unique_socket(), environ=os.environ)
    try:
        environ = dict(os.environ) | {"THEIR_OWN": SECRET}
        start = ["tmux", "-L", host.socket, "-f", "/dev/null", "new-session", "-d", "-s", "mine"]
        subprocess.run([*start, "cat"], env=environ, check=True, timeout=10)
        before = tmux(host, "show-options", "-g"), tmux(host, "list-keys")
        out = tmp_path / "env"
        script = f"/usr/bin/env > {out}.new; /bin/mv {out}.new {out}; exec /bin/cat"
        host.start("a", ["/bin/sh", "-c", script], cwd=tmp_path, driven=True)
        wait_for(out.exists, what="the pane's environment")
        assert SECRET not in out.read_text()
        assert (tmux(host, "show-options", "-g"), tmux(host, "list-keys")) == before
        target = ["-t", "=a:", "-F", "#{history_limit} #{window_width}x#{window_height}"]
        assert tmux(host, "list-panes", *target) == "50000 220x50"
        with client(host.attach_argv("a", read_only=False), columns=90, rows=30) as terminal:
            wait_for(lambda: size(host, "a") == (90, 29), what="the size of the terminal")
            terminal.type(b"\x02d")
            wait_for(lambda: size(host, "a") == (220, 50), what="the old size")
        host.respawn("a", ["/bin/sh", "-c", "exit 3"], cwd=tmp_path)
        wait_for(lambda: host.panes()[0].exit_status == 3, what="the dead pane")
        host.kill_server()
        assert tmux(host, "list-sessions", "-F", "#{session_name}").split() == ["a", "mine"]
        host.kill("a")
        assert tmux(host, "list-sessions", "-F", "#{session_name}") == "mine"
    finally:
        reap_server(host)


def test_two_starts_at_once_make_one_server(tmp_path: Path) -> None:
    with private_host() as host:
        failures: list[Exception] = []

        def start(number: int) -> None:
            try:
                TmuxHost(host.socket).start(f"s-{number}", CAT, cwd=tmp_path)
            except SessionError as exc:
                failures.append(exc)

        threads = [threading.Thread(target=start, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not failures
        assert {pane.session for pane in host.panes()} == {f"s-{number}" for number in range(4)}
        assert not any(pane.dead for pane in host.panes())


def test_a_server_killed_with_9_is_away_and_a_start_makes_another(
    host: TmuxHost, tmp_path: Path
) -> None:
    host.start("a", CAT, cwd=tmp_path)
    server, program = host.probe(), host.panes()[0].pid
    os.kill(server, 9)
    wait_for(lambda: not is_running(server) and not is_running(program), what="their end")
    assert host.panes() == []
    host.start("a", CAT, cwd=tmp_path)
    assert host.probe() != server


def test_a_killed_server_leaves_no_socket(host: TmuxHost, tmp_path: Path) -> None:
    host.start("a", CAT, cwd=tmp_path)
    server = host.probe()
    host.kill_server()
    wait_for(lambda: not is_running(server), what="the server's end")
    assert not Path(host.socket_path()).exists()


def test_the_line_works_in_any_shell(host: TmuxHost, tmp_path: Path) -> None:
    host.start("pit-a", CAT, cwd=tmp_path)
    assert re.fullmatch(r"tmux -L snakepit-test-\w+ attach -t =pit-a", host.attach_line("pit-a"))
    elsewhere = TmuxHost(host.socket, environ=dict(os.environ) | {"TMUX_TMPDIR": str(tmp_path)})
    assert [pane.session for pane in elsewhere.panes()] == ["pit-a"]
    assert elsewhere.socket_path() == host.socket_path()
    assert Path(host.socket_path()).is_socket()


def test_without_tmux_the_fix_is_named(tmp_path: Path) -> None:
    host = TmuxHost(unique_socket(), program=str(tmp_path / "tmux"))
    with pytest.raises(TmuxUnavailable, match="install tmux"):
        host.panes()


def test_a_listing_of_twenty_is_quick(host: TmuxHost, tmp_path: Path) -> None:
    for number in range(20):
        host.start(f"snake-{number}", CAT, cwd=tmp_path)

    def once() -> float:
        began = clock.monotonic()
        assert len(host.panes()) == 20
        return clock.monotonic() - began

    best = min(once() for _ in range(20))
    assert best < 0.025, f"{best * 1000:.1f} ms, where 5 are usual"
