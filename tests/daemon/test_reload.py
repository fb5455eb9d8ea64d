import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from snakepit.daemon.reload import Reload
from snakepit.pool.applied import is_same_place, keep_applied, load_applied
from snakepit.pool.context import Pit, opened
from tests.support.pits import make_config

TEXT = """\
[defaults]
backend = "script"
tmux_socket = "snakepit-test-none"

[pit]
attempts = {attempts}

[[agent]]
name = "snake"
species = "script"
env = {{ COLOUR = "{colour}" }}
"""


def text(attempts: int = 3, colour: str = "green") -> str:
    return TEXT.format(attempts=attempts, colour=colour)


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    with opened(make_config(tmp_path, text())) as pit:
        yield pit


class Scene:
    def __init__(self, pit: Pit) -> None:
        self.pit = pit
        self.renewed = 0
        self.reload = Reload(pit, pit.config, {}, renew=self._renew)

    def _renew(self) -> None:
        self.renewed += 1

    def save(self, content: str) -> None:
        fresh = self.pit.config.path.with_suffix(".new")
        fresh.write_text(content, encoding="utf-8")
        os.replace(fresh, self.pit.config.path)

    def events(self) -> list[str]:
        self.reload.step(0.0)
        return [event.type for event in self.pit.journal.read()]


def test_a_number_counts_at_once(pit: Pit) -> None:
    scene = Scene(pit)
    assert scene.events() == []
    scene.save(text(attempts=5))
    assert scene.events() == ["config.reloaded"]
    assert scene.renewed == 1


def test_a_command_waits(pit: Pit) -> None:
    scene = Scene(pit)
    scene.save(text(colour="red"))
    assert scene.events() == ["config.pending"]
    assert scene.events() == ["config.pending"]
    assert scene.renewed == 0
    assert any("env" in change for change in scene.reload.pending)
    scene.save(text())
    scene.events()
    assert scene.reload.pending == ()


def test_a_bad_file_keeps_the_old_one_and_is_told_once(pit: Pit) -> None:
    scene = Scene(pit)
    scene.save(text() + "[pit\n")
    assert scene.events() == ["config.refused"]
    assert scene.events() == ["config.refused"]
    assert scene.renewed == 0
    assert scene.reload.problem
    scene.save(text())
    assert scene.events() == ["config.refused"]
    assert scene.reload.problem == ""


def test_a_missing_file_is_a_bad_file(pit: Pit) -> None:
    scene = Scene(pit)
    pit.config.path.unlink()
    assert scene.events() == ["config.refused"]


def test_sighup_reads_a_file_that_looks_the_same(pit: Pit) -> None:
    scene = Scene(pit)
    before = pit.config.path.stat()
    pit.config.path.write_text(text(attempts=4), encoding="utf-8")
    os.utime(pit.config.path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert scene.events() == []
    scene.reload.forced = True
    assert scene.events() == ["config.reloaded"]


def test_what_reload_has_applied_renews(pit: Pit) -> None:
    scene = Scene(pit)
    keep_applied(pit.config)
    scene.events()
    assert scene.renewed == 1


def test_the_applied_copy_is_private_and_read_as_if_it_were_the_file(pit: Pit) -> None:
    keep_applied(pit.config)
    kept = pit.config.state_dir / "applied.toml"
    assert kept.stat().st_mode & 0o777 == 0o600
    Scene(pit).save("nonsense = [")
    loaded = load_applied(pit.config.state_dir, pit.config.path, {})
    assert loaded == pit.config
    assert is_same_place(loaded, pit.config)
    assert load_applied(pit.config.state_dir / "none", pit.config.path, {}) is None
