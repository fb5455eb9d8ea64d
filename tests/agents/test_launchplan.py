"""Proves that a prompt reaches its CLI byte for byte, through whatever quotes the config puts around it."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from snakepit.agents.launchplan import CONTINUE, fill_shell, find_program, plan
from snakepit.config.model import Agent, Backend, Eats
from snakepit.errors import ConfigError
from snakepit.system.search import which

SHOW = [sys.executable, "-c", "import sys, json; print(json.dumps(sys.argv[1:]))"]
NASTY = 'it\'s "quoted" $HOME `id` $(id) \\ back\nsecond line; rm -rf x & {name} é 😀 !'


def backend(**changes: object) -> Backend:
    fields: dict[str, object] = {
        "name": "claude",
        "driver": "pane",
        "bin": "claude",
        "flags": "",
        "remote_control": False,
        "supports_resume": True,
        "prompt_delivery": "arg",
        "process_name": "claude",
        "submit_key": "Enter",
        "stall_idle": 300.0,
        "active_re": "",
        "limit_re": "",
        "fatal_re": "",
        "env_pass": (),
    }
    return Backend(**{**fields, **changes})  # type: ignore[arg-type]


def agent(**changes: object) -> Agent:
    fields: dict[str, object] = {
        "name": "snake-1",
        "kind": "persistent",
        "backend": "claude",
        "model": "sonnet",
        "resume": True,
        "watch": "heal",
        "prompt": "eat",
        "wake": None,
        "species": "worker",
        "eats": Eats(species=("worker",)),
        "feed": "self",
        "env": {},
        "env_pass": (),
        "dir": Path("/tmp"),
    }
    return Agent(**{**fields, **changes})  # type: ignore[arg-type]


def argv(backend_: Backend, *, kickoff: str = "eat", resume_id: str = "") -> list[str]:
    made = plan(backend_, agent(), session="snakepit-snake-1", kickoff=kickoff, resume_id=resume_id)
    return list(made.argv)


def test_the_prompt_is_the_last_word() -> None:
    made = argv(backend(flags="--dangerously-skip-permissions -c 'a b'"), kickoff=NASTY)
    assert made == [
        "claude",
        "--dangerously-skip-permissions",
        "-c",
        "a b",
        "--model",
        "sonnet",
        NASTY,
    ]


def test_no_model_no_flag() -> None:
    made = plan(backend(), agent(model=""), session="s", kickoff="eat")
    assert made.argv == ("claude", "eat")


def test_a_model_in_the_template_is_not_said_twice() -> None:
    assert argv(backend(flags="-m {model}")) == ["claude", "-m", "sonnet", "eat"]


def test_a_prompt_in_the_template_is_not_said_twice() -> None:
    made = argv(backend(bin="claude --prompt {kickoff}"), kickoff=NASTY)
    assert made == ["claude", "--prompt", NASTY, "--model", "sonnet"]


def test_remote_control_is_named_for_the_session() -> None:
    made = argv(backend(remote_control=True))
    assert made[-3:] == ["--remote-control", "snakepit-snake-1", "eat"]


def test_resume_says_go_on_instead_of_the_kickoff() -> None:
    made = plan(backend(), agent(), session="s", kickoff="eat", resume_id="id-7")
    assert made.argv[-3:] == ("--resume", "id-7", CONTINUE)
    assert made.resumes


@pytest.mark.parametrize(
    ("able", "wanted", "resume_id"), [(False, True, "id"), (True, False, "id"), (True, True, "")]
)
def test_fresh_without_id_wish_or_ability(able: bool, wanted: bool, resume_id: str) -> None:
    made = plan(
        backend(supports_resume=able),
        agent(resume=wanted),
        session="s",
        kickoff="eat",
        resume_id=resume_id,
    )
    assert "--resume" not in made.argv
    assert not made.resumes


def test_a_shell_line_as_bin_gets_its_arguments() -> None:
    line = "cd / && X=1 " + " ".join(f"'{word}'" for word in SHOW)
    made = argv(backend(bin=line), kickoff=NASTY)
    done = subprocess.run(made, capture_output=True, text=True, check=True, timeout=20)
    assert json.loads(done.stdout) == ["--model", "sonnet", NASTY]


def test_variables_before_the_program_are_the_shells() -> None:
    line = "X='a b' " + " ".join(f"'{word}'" for word in SHOW)
    done = subprocess.run(
        argv(backend(bin=line)), capture_output=True, text=True, check=True, timeout=20
    )
    assert json.loads(done.stdout) == ["--model", "sonnet", "eat"]


def test_the_demo_of_the_first_system_runs_as_it_was_written() -> None:
    demo = "echo '[demo] {session} up (kickoff: {kickoff})'; exec true"
    made = argv(backend(bin=demo, prompt_delivery="exec"), kickoff='don\'t "worry" $HOME')
    done = subprocess.run(made, capture_output=True, text=True, check=True, timeout=20)
    assert done.stdout == '[demo] snakepit-snake-1 up (kickoff: don\'t "worry" $HOME)\n'


@pytest.mark.parametrize(
    "template",
    [
        "{kickoff}",
        "'{kickoff}'",
        '"{kickoff}"',
        'x"{kickoff}"y',
        "a'{kickoff}'\"{kickoff}\"{kickoff}",
        '"$(printf %s {kickoff}; printf \'%s\' "{kickoff}")"',
        '"$(printf %s "$(printf %s {kickoff})" )"',
        "\\'{kickoff}\\'",
        '"it\'s {kickoff}"',
    ],
)
def test_every_kind_of_quotes_keeps_the_value(template: str) -> None:
    filled = fill_shell(f"printf '<%s>' {template}", {"kickoff": NASTY})
    done = subprocess.run(["sh", "-c", filled], capture_output=True, text=True, timeout=20)
    assert done.stderr == ""
    assert NASTY in done.stdout
    assert done.stdout.count("<") == 1, "it stayed one word"


@settings(max_examples=40, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40))
def test_any_text_survives_any_quotes(value: str) -> None:
    line = "printf '%s|%s|%s|' {kickoff} '{kickoff}' \"{kickoff}\""
    filled = fill_shell(line, {"kickoff": value})
    done = subprocess.run(["sh", "-c", filled], capture_output=True, check=True, timeout=20)
    assert done.stdout.decode() == f"{value}|" * 3


def test_the_shells_own_variables_are_left_alone() -> None:
    assert fill_shell("echo ${name} {name}", {"name": "n"}) == "echo ${name} n"


def test_programs_are_looked_for_on_the_path(tmp_path: Path) -> None:
    program = tmp_path / "claude"
    program.write_text("#!/bin/sh\n")
    assert find_program(backend(), str(tmp_path)) is None
    program.chmod(0o755)
    assert find_program(backend(), str(tmp_path)) == str(program)
    assert find_program(backend(bin="A=1 claude --x"), str(tmp_path)) == str(program)
    assert find_program(backend(bin=str(program))) == str(program)
    assert which("claude", str(tmp_path / "none")) is None


def test_what_needs_only_a_shell_is_there() -> None:
    assert find_program(backend(prompt_delivery="exec", bin="no-such; thing")) is not None
    assert find_program(backend(driver="worker", bin="")) is not None
    assert find_program(backend(bin="cd /tmp && claude")) is not None


def test_open_quotes_are_the_configs_mistake() -> None:
    with pytest.raises(ConfigError, match=r"\[backend.claude\] bin"):
        argv(backend(bin="claude 'oops"))
