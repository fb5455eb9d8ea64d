"""Owns what every host of sessions must do; inherited by one test class for each host."""

from abc import ABC, abstractmethod
from pathlib import Path

import pytest

from snakepit.errors import SessionError, SessionGone
from snakepit.session.base import Host, Pane
from tests.support.wait import wait_for

# Shows "ready", then exits with the status it reads.
PROGRAM = ["/bin/sh", "-c", "echo ready; read status; exit $status"]


class HostContract(ABC):
    @pytest.fixture
    @abstractmethod
    def host(self) -> object:
        """Give a host without sessions, and end it afterwards."""

    @abstractmethod
    def finish(self, host: Host, name: str, status: int) -> None:
        """End the program in a pane."""

    def test_without_a_server_the_list_is_empty_and_the_probe_is_loud(self, host: Host) -> None:
        assert host.panes() == []
        with pytest.raises(SessionGone):
            host.probe()
        assert host.own_server() == 0

    def test_a_started_session_is_listed(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", PROGRAM, cwd=tmp_path, driven=True)
        host.start("pit-keeper", PROGRAM, cwd=tmp_path)
        panes = {pane.session: pane for pane in host.panes()}
        assert set(panes) == {"pit-snake-1", "pit-keeper"}
        assert panes["pit-snake-1"].driven
        assert not panes["pit-keeper"].driven
        assert panes["pit-keeper"].pid > 1
        assert (panes["pit-keeper"].columns, panes["pit-keeper"].rows) == (220, 50)
        assert host.own_server() == host.probe() > 1

    def test_a_name_is_started_once(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", PROGRAM, cwd=tmp_path)
        pid = host.panes()[0].pid
        with pytest.raises(SessionError):
            host.start("pit-snake-1", PROGRAM, cwd=tmp_path)
        assert [pane.pid for pane in host.panes()] == [pid]

    def test_a_bad_name_is_refused(self, host: Host, tmp_path: Path) -> None:
        for name in ("a.b", "a:b", ""):
            with pytest.raises(SessionError):
                host.start(name, PROGRAM, cwd=tmp_path)
        assert host.panes() == []

    def test_a_dead_pane_stays_with_its_status(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", PROGRAM, cwd=tmp_path)
        self.finish(host, "pit-snake-1", 3)
        pane = self._wait_dead(host, "pit-snake-1")
        assert pane.exit_status == 3

    def test_respawn_runs_again_in_the_same_pane(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", PROGRAM, cwd=tmp_path, driven=True)
        self.finish(host, "pit-snake-1", 3)
        dead = self._wait_dead(host, "pit-snake-1")
        host.respawn("pit-snake-1", PROGRAM, cwd=tmp_path)
        (pane,) = host.panes()
        assert not pane.dead
        assert pane.exit_status is None
        assert pane.driven
        assert pane.pane_id == dead.pane_id
        assert pane.pid != dead.pid

    def test_respawn_replaces_a_running_program(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", PROGRAM, cwd=tmp_path)
        before = host.panes()[0].pid
        host.respawn("pit-snake-1", PROGRAM, cwd=tmp_path)
        assert host.panes()[0].pid != before

    def test_names_are_exact(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-10", PROGRAM, cwd=tmp_path)
        host.kill("pit-snake-1")
        assert [pane.session for pane in host.panes()] == ["pit-snake-10"]
        for call in (host.capture, lambda name: host.send_text(name, "x")):
            with pytest.raises(SessionGone):
                call("pit-snake-1")
        with pytest.raises(SessionGone):
            host.send_key("pit-snake-1", "Enter")
        with pytest.raises(SessionGone):
            host.respawn("pit-snake-1", PROGRAM, cwd=tmp_path)

    def test_text_that_is_sent_is_shown(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", ["/bin/cat"], cwd=tmp_path)
        host.send_text("pit-snake-1", "a long; text with 'quotes' #{pid} \x1b[201~ä;")
        host.send_key("pit-snake-1", "Enter")
        shown = "a long; text with 'quotes' #{pid} [201~ä;"
        wait_for(lambda: shown in host.capture("pit-snake-1"), what="the text on the screen")

    def test_capture_gives_the_last_lines(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", ["/bin/cat"], cwd=tmp_path)
        host.send_text("pit-snake-1", "one\ntwo\nthree\n")
        wait_for(lambda: "three" in host.capture("pit-snake-1"), what="the text on the screen")
        assert host.capture("pit-snake-1", 1) == "three"

    def test_a_look_shows_pane_and_screen(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", ["/bin/cat"], cwd=tmp_path)
        host.send_text("pit-snake-1", "one\n")
        wait_for(lambda: "one" in host.look("pit-snake-1").rows, what="the text on the screen")
        look = host.look("pit-snake-1")
        assert look.pane == host.panes()[0]
        assert look.bright == look.rows
        assert not look.in_mode
        assert look.typed_at == 0
        host.leave_mode("pit-snake-1")
        assert host.look("pit-snake-1").rows == look.rows
        with pytest.raises(SessionGone):
            host.look("pit-snake-2")

    def test_a_typed_line_is_one_line(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", ["/bin/cat"], cwd=tmp_path)
        host.type_text("pit-snake-1", "-l 'x'; #{pid}\n\x1b")
        shown = "-l 'x'; #{pid}"
        wait_for(lambda: host.capture("pit-snake-1", 1) == shown, what="the text on the screen")

    def test_only_names_of_keys_are_keys(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", ["/bin/cat"], cwd=tmp_path)
        for key in ("", "rm -rf", ";", "-l x"):
            with pytest.raises(SessionError):
                host.send_key("pit-snake-1", key)

    def test_killing_is_idempotent(self, host: Host, tmp_path: Path) -> None:
        host.kill("pit-snake-1")
        host.start("pit-snake-1", PROGRAM, cwd=tmp_path)
        host.start("pit-snake-2", PROGRAM, cwd=tmp_path)
        host.kill("pit-snake-1")
        host.kill("pit-snake-1")
        assert [pane.session for pane in host.panes()] == ["pit-snake-2"]

    def test_the_last_kill_leaves_the_server(self, host: Host, tmp_path: Path) -> None:
        host.start("pit-snake-1", PROGRAM, cwd=tmp_path)
        server = host.probe()
        host.kill("pit-snake-1")
        assert host.panes() == []
        assert host.probe() == server

    def test_kill_server_ends_all_and_a_start_begins_anew(self, host: Host, tmp_path: Path) -> None:
        host.kill_server()
        host.start("pit-snake-1", PROGRAM, cwd=tmp_path)
        host.kill_server()
        host.kill_server()
        wait_for(lambda: not host.panes(), what="no session")
        host.start("pit-snake-2", PROGRAM, cwd=tmp_path)
        assert [pane.session for pane in host.panes()] == ["pit-snake-2"]

    def test_attach_names_the_session_exactly(self, host: Host) -> None:
        assert host.attach_argv("pit-snake-1", read_only=True)[-1] == "=pit-snake-1"
        assert host.attach_line("pit-snake-1").endswith("=pit-snake-1")
        reading = host.attach_argv("pit-snake-1", read_only=True)
        assert reading != host.attach_argv("pit-snake-1", read_only=False)

    def _wait_dead(self, host: Host, name: str) -> Pane:
        def dead() -> Pane | None:
            found = [pane for pane in host.panes() if pane.session == name and pane.dead]
            return found[0] if found else None

        return wait_for(dead, what=f"{name} to be dead")  # type: ignore[return-value]
