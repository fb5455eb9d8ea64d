"""Verbs beside a pool whose agents.toml somebody has broken meanwhile."""

from pathlib import Path

import pytest

from snakepit.pool.applied import keep_applied
from snakepit.pool.fleet import Fleet, save_fleet
from tests.cli.pits import CONFIG, Box, make_box

BROKEN = '[[agent]]\nname = "chef"\nnane = 5\n'
LOGS_ELSEWHERE = '[defaults]\nlog_dir = "logs"\n'


def broken(tmp_path: Path, *, is_up: bool, head: str = "") -> Box:
    box = make_box(tmp_path, head + CONFIG)
    box.fed("Eat me.\n", "meal")
    with box.opened() as pit:
        keep_applied(pit.config)
        save_fleet(pit.config, Fleet(is_up=is_up, members=("chef",)))
        raw = pit.config.log_dir / "raw"
        raw.mkdir()
        (raw / "chef.log").write_text("it eats\n", encoding="utf-8")
    (tmp_path / "agents.toml").write_text(head + BROKEN, encoding="utf-8")
    return box


VERBS = [
    ["status"],
    ["ls"],
    ["show", "meal"],
    ["feed", "-m", "more"],
    ["logs", "chef"],
    ["events"],
    ["fsck"],
    ["cancel", "meal"],
    ["pause", "chef"],
]


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
def test_a_verb_goes_on_with_the_config_in_use(tmp_path: Path, verb: list[str]) -> None:
    result = broken(tmp_path, is_up=True).run(*verb)
    assert result.exit_code == 0, result.output
    assert "line 3: [[agent]] chef nane" in result.stderr
    assert "check" in result.stderr
    assert result.stdout


def test_attach_fails_for_want_of_a_session_and_not_of_a_config(tmp_path: Path) -> None:
    result = broken(tmp_path, is_up=True).run("attach", "chef")
    assert result.exit_code == 1
    assert "no session runs" in result.stderr


def test_a_log_folder_elsewhere_is_found_in_the_broken_file(tmp_path: Path) -> None:
    box = broken(tmp_path, is_up=True, head=LOGS_ELSEWHERE)
    assert "meal.md" in box.ok("ls")


def test_a_config_that_is_gone_is_replaced_too(tmp_path: Path) -> None:
    box = broken(tmp_path, is_up=True)
    (tmp_path / "agents.toml").unlink()
    assert "meal.md" in box.ok("ls")


@pytest.mark.parametrize("verb", ["check", "up", "reload"])
def test_what_reads_the_file_refuses_it(tmp_path: Path, verb: str) -> None:
    assert broken(tmp_path, is_up=True).run(verb).exit_code == 3


def test_without_a_pool_the_file_must_be_mended(tmp_path: Path) -> None:
    assert broken(tmp_path, is_up=False).run("status").exit_code == 3
