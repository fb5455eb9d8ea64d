"""The command line as a whole: the table of verbs, what help costs, and every way out."""

import errno
import json
import os
import re
import subprocess
import sys
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from snakepit import __version__
from snakepit.cli import main
from snakepit.cli.main import VERBS, app
from snakepit.errors import SnakepitError
from tests.cli.pits import Box

HEAVY = (
    "yaml",
    "libtmux",
    "rich",
    "watchdog",
    "psutil",
    "pyte",
    "tomllib",
    "asyncio",
    "subprocess",
)
WITHOUT_ANSWER = ("daemon", "log")  # they serve until they are ended
DEBUG_ENVIRONMENT = {"PYTHONPATH": str(Path(__file__).parents[2])}


def python(code: str) -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        env={**os.environ, **DEBUG_ENVIRONMENT},
        timeout=60,
    )


def commands(name: str) -> list[click.Command]:
    """The verb, or what stands under it where it is a group."""
    command = app.get_command(click.Context(app), name)
    assert command is not None
    return list(command.commands.values()) if isinstance(command, click.Group) else [command]


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_verb_has_help_with_an_example(name: str) -> None:
    verb = app.get_command(click.Context(app), name)
    assert verb is not None
    assert (verb.help or "").startswith(VERBS[name].help), "the table and the verb differ"
    for command in commands(name):
        text = (command.help or "") + (command.epilog or "")
        assert re.search(r"Examples?:", text), f"{name} shows no example"


@pytest.mark.parametrize("name", sorted(VERBS))
def test_every_verb_documents_its_json(name: str) -> None:
    for command in commands(name):
        options = {word for option in command.params for word in option.opts}
        assert {"--json", "--config"} <= options
        if name not in WITHOUT_ANSWER:
            assert "JSON" in (command.help or "") + (command.epilog or "")


def test_help_shows_every_verb_and_imports_nothing_heavy() -> None:
    result = python(
        "import sys\n"
        "from snakepit.cli.main import app\n"
        "try: app.main(['--help'])\n"
        "except SystemExit: pass\n"
        f"print('LOADED', [m for m in {HEAVY!r} if m in sys.modules],"
        " sorted(m for m in sys.modules if m.startswith('snakepit')))"
    )
    for name in VERBS:
        assert re.search(rf"^  {name} ", result.stdout, re.MULTILINE)
    loaded = result.stdout.split("LOADED", 1)[1]
    assert loaded.strip() == (
        "[] ['snakepit', 'snakepit.cli', 'snakepit.cli.called', 'snakepit.cli.main',"
        " 'snakepit.cli.options', 'snakepit.cli.output', 'snakepit.errors']"
    )


def test_status_asks_for_no_yaml_and_no_libtmux(box: Box) -> None:
    box.fed("one", "one")
    result = python(
        "import sys\n"
        "from snakepit.cli.main import app\n"
        f"try: app.main(['status', '--json', '--config', {str(box.root / 'agents.toml')!r}])\n"
        "except SystemExit: pass\n"
        "print([m for m in ('yaml', 'libtmux', 'rich', 'watchdog', 'pyte') if m in sys.modules])"
    )
    answer, loaded = result.stdout.splitlines()
    assert json.loads(answer)["counts"]["food"] == 1
    assert loaded == "[]"


def test_version() -> None:
    assert CliRunner().invoke(app, ["--version"]).stdout == f"snakepit {__version__}\n"


def test_an_unknown_verb_is_named_with_the_nearest() -> None:
    result = CliRunner().invoke(app, ["statsu"])
    assert result.exit_code == 2
    assert "Did you mean 'status'?" in result.stderr


def test_no_config_says_how_to_get_one(tmp_path: Path) -> None:
    result = CliRunner().invoke(app, ["ls", "--config", str(tmp_path / "none.toml")])
    assert result.exit_code == 3
    assert "none.toml" in result.stderr
    assert "snakepit init" in result.stderr


def test_an_error_under_json_is_an_object_too(box: Box) -> None:
    result = box.run("show", "nothing-here", "--json")
    assert result.exit_code == 1
    error = json.loads(result.stdout)["error"]
    assert "nothing-here" in error["message"]
    assert error["exit_code"] == 1


def _raise(error: BaseException) -> None:
    raise error


def failing(error: BaseException) -> click.Command:
    return click.Command("broken", callback=lambda: _raise(error))


def test_ctrl_c_is_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: failing(KeyboardInterrupt()))
    assert CliRunner().invoke(app, ["status"]).exit_code == 130


def test_a_closed_pipe_is_quiet(box: Box) -> None:
    for number in range(40):
        box.fed("x", f"task-{number}")
    command = [sys.executable, "-m", "snakepit.cli.main", "ls"]
    config = ["--config", str(box.root / "agents.toml")]
    environ = {**os.environ, **DEBUG_ENVIRONMENT}
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [*command, *config], stdout=write, stderr=subprocess.PIPE, env=environ, timeout=60
        )
    finally:
        os.close(write)
    assert done.stderr == b""
    assert done.returncode == main.PIPE_CLOSED


def test_an_internal_error_is_one_line_and_a_trace_in_a_file(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", None)
    error = ValueError("token sk-ant-api03-abcdefghijklmnopqrstuvwxyz0123456789")
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: failing(error))
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 1
    said, where = result.stderr.splitlines()
    assert said.startswith("internal error: ValueError")
    trace = Path(where.removeprefix("  trace: ")).read_text()
    assert "Traceback" in trace
    assert "abcdefghijklmnop" not in trace + result.stderr


def test_a_full_disk_is_an_error_with_its_remedy(monkeypatch: pytest.MonkeyPatch) -> None:
    error = OSError(errno.ENOSPC, "No space left on device", "/pit/food/x.md")
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: failing(error))
    result = CliRunner().invoke(app, ["status"])
    assert result.exit_code == 1
    assert result.stderr.startswith(
        "error: not written: No space left on device: /pit/food/x.md\n  fix: make room"
    )


def test_debug_shows_the_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    error = SnakepitError("bad thing", fix="do not")
    monkeypatch.setattr(main.LazyGroup, "get_command", lambda *_: failing(error))
    quiet = CliRunner().invoke(app, ["status"])
    loud = CliRunner().invoke(app, ["--debug", "status"])
    assert quiet.stderr == "error: bad thing\n  fix: do not\n"
    assert "Traceback" in loud.stderr
    assert loud.exit_code == 1


def test_config_may_stand_before_the_verb(box: Box) -> None:
    config = str(box.root / "agents.toml")
    assert CliRunner().invoke(app, ["--config", config, "ls"]).exit_code == 0


def test_the_inherited_config_is_for_agents_and_where_there_is_none(
    box: Box, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A snake that works on another pit's folder must not act on its own pool by mistake."""
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    monkeypatch.chdir(elsewhere)
    monkeypatch.setenv("SNAKEPIT_CONFIG", str(box.root / "agents.toml"))
    inherited = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    (elsewhere / "agents.toml").write_text('[pit]\npath = "own"\n')
    own = json.loads(CliRunner().invoke(app, ["status", "--json"]).stdout)
    assert inherited["pit"] == str(box.pit)
    assert own["pit"] == str(elsewhere / "own")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_of_each_shell(box: Box, shell: str) -> None:
    assert "_SNAKEPIT_COMPLETE" in box.ok("completion", shell)


def test_control_characters_of_a_task_do_not_reach_the_terminal(box: Box) -> None:
    (box.pit / "food").mkdir(parents=True)
    (box.pit / "food" / "red\x1b[31m.md").write_text("x")
    assert "\x1b" not in box.ok("ls")
