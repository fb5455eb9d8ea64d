from pathlib import Path

from snakepit.pool.environment import (
    TERM,
    environ_path,
    keep_environment,
    kept_environment,
    session_environment,
    without_identity,
)
from tests.support.pits import make_config

PERSON = {
    "HOME": "/home/me",
    "PATH": "/bin",
    "LC_TIME": "C",
    "TERM": "dumb",
    "https_proxy": "http://proxy",
    "TMUX": "/tmp/x",
    "ANTHROPIC_API_KEY": "key",
    "AWS_SECRET": "secret",
    "SNAKEPIT_WORKER": "snake-9",
    "SNAKEPIT_SET_PIT_ATTEMPTS": "4",
}


def test_a_session_gets_the_short_list_and_what_is_passed_on() -> None:
    found = session_environment(
        PERSON, own={"A": "1", "PATH": "/own"}, names=("ANTHROPIC_API_KEY", "B")
    )
    assert found == {
        "HOME": "/home/me",
        "PATH": "/own",
        "LC_TIME": "C",
        "TERM": TERM,
        "https_proxy": "http://proxy",
        "ANTHROPIC_API_KEY": "key",
        "A": "1",
    }


def test_there_is_always_a_path() -> None:
    assert session_environment({}, own={}, names=())["PATH"]


def test_up_sheds_identity_and_the_tmux_around_it() -> None:
    found = without_identity(PERSON)
    assert "SNAKEPIT_WORKER" not in found
    assert "TMUX" not in found
    assert found["SNAKEPIT_SET_PIT_ATTEMPTS"] == "4"
    assert found["AWS_SECRET"] == "secret"


def test_what_is_kept_is_private_and_only_what_sessions_may_need(tmp_path: Path) -> None:
    config = make_config(tmp_path, '[[agent]]\nname = "a"\nbackend = "claude"\n')
    keep_environment(config, PERSON)
    path = environ_path(config)
    assert path.stat().st_mode & 0o777 == 0o600
    kept = kept_environment(config.state_dir)
    assert kept["ANTHROPIC_API_KEY"] == "key"
    assert kept["SNAKEPIT_SET_PIT_ATTEMPTS"] == "4"
    assert not {"AWS_SECRET", "TMUX", "SNAKEPIT_WORKER", "TERM"} & kept.keys()
    before = path.stat().st_ino
    keep_environment(config, PERSON)
    assert path.stat().st_ino == before
