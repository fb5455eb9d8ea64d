"""doctor: each thing that can be wrong with a machine is found, with the line that mends it."""

import os
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from snakepit.config import load
from snakepit.config.model import Config
from snakepit.pool import doctor
from snakepit.pool.doctor import Finding, tmux_version
from tests.support.pits import make_config

THINKER = """
[[agent]]
name = "mind"
backend = "thinker"

[backend.thinker]
bin = "no-such-agent-cli --go"
"""
UTF8 = {"LANG": "C.UTF-8", "PATH": os.environ["PATH"], "USER": "me"}


def silent(_: list[str]) -> str:
    return ""


def found(
    config: Config,
    check: str,
    *,
    environ: Mapping[str, str] = UTF8,
    ask: Callable[[list[str]], str] = silent,
) -> Finding:
    (finding,) = [f for f in doctor.examine(config, environ=environ, ask=ask) if f.check == check]
    return finding


@pytest.fixture
def config(tmp_path: Path) -> Config:
    return make_config(tmp_path, THINKER)


@pytest.mark.parametrize(
    ("said", "version"),
    [
        ("tmux 3.4", (3, 4)),
        ("tmux 3.3a", (3, 3)),
        ("tmux next-3.6", (3, 6)),
        ("tmux 2.9", (2, 9)),
        ("tmux openbsd", None),
        ("", None),
    ],
)
def test_tmux_version(said: str, version: tuple[int, int] | None) -> None:
    assert tmux_version(said) == version


def with_tmux(folder: Path) -> Mapping[str, str]:
    program = folder / "bin" / "tmux"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    return {**UTF8, "PATH": str(program.parent)}


@pytest.mark.parametrize(
    ("said", "level"),
    [("tmux 3.4\n", "ok"), ("tmux 3.2a\n", "ok"), ("tmux 3.1c\n", "problem"), ("?", "warning")],
)
def test_tmux_must_be_new_enough(config: Config, tmp_path: Path, said: str, level: str) -> None:
    finding = found(config, "tmux", environ=with_tmux(tmp_path), ask=lambda _: said)
    assert finding.level == level


def test_tmux_is_absent(config: Config, tmp_path: Path) -> None:
    finding = found(config, "tmux", environ={**UTF8, "PATH": str(tmp_path)})
    assert (finding.level, "install tmux" in finding.fix) == ("problem", True)


def test_a_pit_on_two_filesystems(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    (config.pit_dir / "food").mkdir(parents=True)
    (config.pit_dir / "done").mkdir()
    monkeypatch.setattr(doctor, "_device", lambda path: int(path.endswith("/done")))
    finding = found(config, "filesystem")
    assert finding.level == "problem"
    assert "/done" in finding.what


@pytest.mark.parametrize(("kind", "level"), [("nfs4", "problem"), ("ext4", "ok"), ("", "ok")])
def test_a_network_filesystem(
    config: Config, monkeypatch: pytest.MonkeyPatch, kind: str, level: str
) -> None:
    config.pit_dir.mkdir()
    monkeypatch.setattr(doctor, "filesystem_type", lambda _: kind)
    assert found(config, "filesystem").level == level


def test_little_space(config: Config, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "free_bytes", lambda _: 5 * 10**8)
    finding = found(config, "disk")
    assert (finding.level, finding.what[:6]) == ("problem", "0.5 GB")


def test_logs_that_others_can_read(config: Config) -> None:
    config.log_dir.mkdir(mode=0o755)
    config.log_dir.chmod(0o755)
    finding = found(config, "permissions")
    assert finding.fix == f"chmod -R go-rwx {config.log_dir}"
    config.log_dir.chmod(0o700)
    assert found(config, "permissions").level == "ok"


def test_an_agent_program_that_is_not_there(config: Config) -> None:
    finding = found(config, "backend thinker")
    assert finding.level == "warning"
    assert "no-such-agent-cli is not on PATH; not started: mind" in finding.what


def test_auto_that_found_nothing_is_told_once_by_what_it_looked_for(tmp_path: Path) -> None:
    path = tmp_path / "agents.toml"
    path.write_text('[[agent]]\nname = "mind"\nkind = "task"\nbackend = "auto"\n')
    bare = {**UTF8, "PATH": str(tmp_path)}
    findings = doctor.examine(load(path, environ=bare), environ=bare, ask=silent)
    told = [one.check for one in findings if one.level == "warning"]
    assert "models" in told
    assert "backend auto" not in told


def test_auto_is_told_of_a_program_that_it_does_not_look_for(tmp_path: Path) -> None:
    program = tmp_path / "aider"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    config = make_config(tmp_path, '[[agent]]\nname = "mind"\nbackend = "auto"\n')
    bare = {**UTF8, "PATH": str(tmp_path)}
    path = config.path
    finding = found(load(path, environ=bare), "models", environ=bare)
    assert '[defaults] backend = "aider"' in finding.fix


def test_a_fleet_without_a_model(tmp_path: Path) -> None:
    config = make_config(tmp_path)
    bare = {**UTF8, "PATH": str(tmp_path)}
    assert "only tasks with a run block" in found(config, "models", environ=bare).what
    program = tmp_path / "codex"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert 'backend = "codex"' in found(config, "models", environ=bare).fix


@pytest.mark.parametrize(("watches", "level"), [("100", "warning"), ("1000000", "ok")])
def test_inotify_limits(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, watches: str, level: str
) -> None:
    (tmp_path / "max_user_watches").write_text(watches)
    monkeypatch.setattr(doctor, "INOTIFY", str(tmp_path))
    finding = found(config, "inotify")
    assert finding.level == level
    assert level == "ok" or finding.fix == "sudo sysctl fs.inotify.max_user_watches=16384"


@pytest.mark.parametrize(
    ("linger", "kills", "level"),
    [
        ("Linger=yes", "KillUserProcesses=yes", "ok"),
        ("Linger=no", "KillUserProcesses=no", "ok"),
        ("Linger=no", "KillUserProcesses=yes", "warning"),
        ("", "", "warning"),
    ],
)
def test_linger(
    config: Config, monkeypatch: pytest.MonkeyPatch, linger: str, kills: str, level: str
) -> None:
    monkeypatch.setattr(doctor, "_has_logins", lambda: True)
    said = {"show-user": linger, "show": kills}
    finding = found(config, "linger", ask=lambda argv: said.get(argv[1], ""))
    assert finding.level == level
    assert level == "ok" or finding.fix == "loginctl enable-linger me"


@pytest.mark.parametrize(
    ("environ", "level"),
    [
        ({"LANG": "de_DE.UTF-8"}, "ok"),
        ({"LC_ALL": "C", "LANG": "C.utf8"}, "warning"),
        ({}, "warning"),
    ],
)
def test_locale(config: Config, environ: dict[str, str], level: str) -> None:
    finding = found(config, "locale", environ={"PATH": os.environ["PATH"], **environ})
    assert finding.level == level


def test_a_program_that_hangs_or_fails_says_nothing() -> None:
    assert doctor.ask_program(["false"]) == ""
    assert doctor.ask_program(["/no/such/program"]) == ""
    assert doctor.ask_program(["echo", "hi"]) == "hi\n"
