"""Proves check, init and schema: what they tell, what they write, and what they never touch."""

import json
import os
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from snakepit.cli.main import app
from snakepit.config import load
from snakepit.config.schema import schema

BAD = '[pit]\nattempts = "x"\n[[agent]]\nname = "a"\nwatch = "heel"\n'
FILES = [
    "agents.toml",
    "pit/README.md",
    "prompts/cleanup.md",
    "prompts/keeper-survey.md",
    "prompts/keeper.md",
    "prompts/planner.md",
    "prompts/snake.md",
]


def run(*words: str, **environ: str) -> Result:
    return CliRunner().invoke(app, list(words), env=environ)


def written(folder: Path, text: str) -> Path:
    path = folder / "agents.toml"
    path.write_text(text)
    return path


def git(folder: Path, *words: str) -> str:
    command = ["git", "-c", "user.name=a", "-c", "user.email=a@b", *words]
    environ = {"PATH": os.environ["PATH"], "HOME": str(folder), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=True, env=environ, timeout=30
    )
    return done.stdout


def snapshot(folder: Path) -> dict[str, bytes]:
    paths = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)): path.read_bytes() for path in paths}


def test_check_tells_all_problems_with_exit_3(tmp_path: Path) -> None:
    result = run("check", "--config", str(written(tmp_path, BAD)))
    assert result.exit_code == 3
    assert "2 problems" in result.stderr
    assert 'line 2: [pit] attempts: must be a whole number, not "x"' in result.stderr
    assert "line 5: [[agent]] a watch:" in result.stderr


def test_check_gives_problems_as_one_object(tmp_path: Path) -> None:
    result = run("check", "--json", "--config", str(written(tmp_path, BAD)))
    assert result.exit_code == 3
    found = json.loads(result.stdout)
    assert found["ok"] is False
    assert [problem["line"] for problem in found["problems"]] == [2, 5]
    assert found["problems"][0]["table"] == "[pit]"
    assert found["problems"][0]["key"] == "attempts"


def test_check_finds_files_and_folders_that_are_not_there(tmp_path: Path) -> None:
    text = (
        '[defaults]\nbackend = "demo"\ntmux_conf = "no.conf"\n[pit]\nroots = ["no-root"]\n'
        '[[agent]]\nname = "a"\ndir = "no-a"\nwake = { interval = 1, prompt_file = "no.md" }\n'
        '[[pool]]\nname = "p"\ncount = 3\ndir = "no-p"\n'
        '[[service]]\nname = "s"\ncommand = "x"\ndir = "no-s"\n'
    )
    path = written(tmp_path, text)
    result = run("check", "--json", "--config", str(path))
    assert result.exit_code == 3
    messages = [problem["message"] for problem in json.loads(result.stdout)["problems"]]
    names = ["no.conf", "no-root", "no-a", "no.md", "no-p", "no-s"]
    assert [message.rsplit("/", 1)[1] for message in messages] == names
    assert load(path).agents[0].name == "a"


def test_check_says_what_a_right_file_means(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        '[[agent]]\nname = "a"\nbackend = "x"\n[backend.x]\nbin = "no-such-program -v"\n'
        '[[agent]]\nname = "b"\nbackend = "demo"\n'
        '[[service]]\nname = "s"\ncommand = "python3 ../../agent-log.py follow-all"\n',
    )
    result = run("check", "--config", str(path))
    assert result.exit_code == 0
    lines = result.stdout.splitlines()
    assert lines[0] == f"{path} is right: 2 agents, 1 service"
    assert "`agent-log.py follow-all` means our `log follow-all`" in lines[1]
    assert lines[2] == "note: no model: no-such-program is not on PATH; not started: a"
    assert len(lines) == 3
    assert len(os.listdir(tmp_path)) == 1


def test_check_notes_that_nobody_eats(tmp_path: Path) -> None:
    result = run("check", "--config", str(written(tmp_path, "")))
    assert "nobody eats" in result.stdout


def test_check_reads_variables_too(tmp_path: Path) -> None:
    path = str(written(tmp_path, ""))
    result = run("check", "--config", path, SNAKEPIT_SET_PIT_ATTEMPTS="0")
    assert result.exit_code == 3
    assert "SNAKEPIT_SET_PIT_ATTEMPTS: must be 1 or more" in result.stderr


def test_check_without_a_file_says_what_to_do(tmp_path: Path) -> None:
    result = run("check", "--config", str(tmp_path / "none.toml"))
    assert result.exit_code == 3
    assert "snakepit init" in result.stderr


def test_init_makes_a_folder_that_checks(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "pool"
    result = run("init", str(folder), "--json")
    assert result.exit_code == 0, result.output
    assert sorted(json.loads(result.stdout)["created"]) == FILES
    assert sorted(os.listdir(folder / "pit")) == [
        ".pit", "README.md", "claimed", "done", "food", "scraps", "waste",
    ]  # fmt: skip
    checked = run("check", "--config", str(folder / "agents.toml"))
    assert checked.exit_code == 0
    assert "7 agents, 1 service" in checked.stdout


def test_init_twice_changes_nothing(tmp_path: Path) -> None:
    run("init", str(tmp_path))
    before = snapshot(tmp_path)
    result = run("init", str(tmp_path), "--json")
    assert result.exit_code == 0
    assert json.loads(result.stdout)["created"] == []
    assert sorted(json.loads(result.stdout)["kept"]) == FILES
    assert snapshot(tmp_path) == before


def test_init_overwrites_nothing_and_uses_the_pit_that_is_named(tmp_path: Path) -> None:
    written(tmp_path, '[pit]\npath = "queue"\n')
    (tmp_path / "prompts").mkdir()
    (tmp_path / "prompts" / "snake.md").write_text("mine")
    result = run("init", str(tmp_path), "--json")
    assert json.loads(result.stdout)["kept"] == ["agents.toml", "prompts/snake.md"]
    assert (tmp_path / "prompts" / "snake.md").read_text() == "mine"
    assert (tmp_path / "queue" / "README.md").is_file()
    assert not (tmp_path / "pit").exists()


def test_init_beside_a_broken_file_writes_nothing(tmp_path: Path) -> None:
    written(tmp_path, BAD)
    assert run("init", str(tmp_path)).exit_code == 3
    assert os.listdir(tmp_path) == ["agents.toml"]


def test_init_where_nobody_may_write_says_so(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    result = run("init", str(tmp_path / "file" / "below"))
    assert result.exit_code == 1
    assert "cannot be set up" in result.stderr


def test_init_says_which_agent_programs_it_found(tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("claude", "aider"):
        (programs / name).write_text("#!/bin/sh\n")
        (programs / name).chmod(0o755)
    result = run("init", str(tmp_path / "a"), PATH=str(programs))
    assert "agent programs found: claude, aider" in result.stdout
    result = run("init", str(tmp_path / "b"), PATH=str(tmp_path))
    assert "no agent program on PATH" in result.stdout


@pytest.mark.needs("git")
@pytest.mark.parametrize("below", ["", "sub/a b#[1]"])
def test_init_keeps_a_repository_clean(below: str, tmp_path: Path) -> None:
    git(tmp_path, "init", "-q", ".")
    folder = tmp_path / below
    result = run("init", str(folder))
    assert result.exit_code == 0, result.output
    assert "git does not see" in result.stdout
    (folder / ".snakepit").mkdir()
    (folder / ".snakepit" / "log").write_text("x")
    (folder / "pit" / "food" / "task.md").write_text("x")
    assert git(tmp_path, "status", "--porcelain") == ""
    exclude = tmp_path / ".git" / "info" / "exclude"
    before = exclude.read_text()
    run("init", str(folder))
    assert exclude.read_text() == before


@pytest.mark.needs("git")
def test_init_keeps_a_worktree_clean_and_hides_no_file_of_its_owner(tmp_path: Path) -> None:
    main = tmp_path / "main"
    main.mkdir()
    git(main, "init", "-q", ".")
    git(main, "commit", "-q", "--allow-empty", "-m", "first")
    git(main, "worktree", "add", "-q", str(tmp_path / "tree"))
    tree = tmp_path / "tree"
    assert (tree / ".git").is_file()
    (tree / "prompts").mkdir()
    (tree / "prompts" / "snake.md").write_text("mine")
    (main / ".git" / "info" / "exclude").write_text("no newline at the end")
    run("init", str(tree))
    assert git(tree, "status", "--porcelain").split() == ["??", "prompts/"]
    assert git(tree, "status", "--porcelain", "-uall").split() == ["??", "prompts/snake.md"]
    lines = (main / ".git" / "info" / "exclude").read_text().splitlines()
    assert lines[0] == "no newline at the end"


def test_schema_prints_the_schema() -> None:
    assert json.loads(run("schema").stdout) == schema()
    assert json.loads(run("schema", "--json").stdout) == schema()


@pytest.mark.parametrize("verb", ["check", "init", "schema"])
def test_help_has_an_example(verb: str) -> None:
    result = run(verb, "--help")
    assert result.exit_code == 0
    assert f"Example: agents.py {verb}" in result.stdout
