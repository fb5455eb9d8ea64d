import json
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from snakepit.errors import SessionError
from snakepit.pool.context import Pit, opened
from snakepit.pool.launch import (
    Plan,
    Standing,
    Started,
    agent_plan,
    missing_program,
    service_plan,
    session_mark,
    start_sessions,
    view_plan,
    wait_ready,
)
from tests.support.fake_host import FakeHost
from tests.support.pits import make_config

CONFIG = """\
[defaults]
backend = "script"
tmux_socket = "snakepit-test-none"

[[agent]]
name = "eater"
species = "script"
env = { COLOUR = "green" }
dir = "work"

[[agent]]
name = "thinker"
backend = "claude"
prompt = "think"

[[service]]
name = "side"
command = "echo 'x y'; sleep 1"

[[service]]
name = "cleanlogs"
command = "python3 agent-log.py follow-all"
"""
ENVIRON = {"PATH": "/nowhere", "HOME": "/h", "ANTHROPIC_API_KEY": "sk-secret", "OTHER": "x"}


@pytest.fixture
def pit(tmp_path: Path) -> Iterator[Pit]:
    with opened(make_config(tmp_path, CONFIG)) as pit:
        yield pit


def plans(pit: Pit) -> list[Plan]:
    config = pit.config
    found = [agent_plan(config, agent, ENVIRON) for agent in config.agents]
    found += [service_plan(config, service, ENVIRON) for service in config.services]
    return [*found, view_plan(config, ENVIRON)]


def launch_file(host: FakeHost, session: str) -> dict[str, object]:
    found = json.loads(Path(host.sessions[session].argv[-1]).read_text(encoding="utf-8"))
    assert isinstance(found, dict)
    return found


def test_keys_go_to_the_agent_they_are_for_and_only_by_file(pit: Pit) -> None:
    host = FakeHost()
    start_sessions(pit, host, plans(pit))
    for name, session in host.sessions.items():
        assert "sk-secret" not in " ".join(session.argv)
        env = launch_file(host, name)["env"]
        assert isinstance(env, dict)
        assert (env.get("ANTHROPIC_API_KEY") == "sk-secret") == (name == "snakepit-thinker")
        assert "OTHER" not in env
        assert env["SNAKEPIT_SESSION"] == session_mark(pit.config, name)
        assert Path(session.argv[-1]).stat().st_mode & 0o777 == 0o600


def test_what_runs_where(pit: Pit) -> None:
    host = FakeHost()
    started = start_sessions(pit, host, plans(pit))
    assert {one.standing for one in started} == {Standing.STARTED}
    eater = launch_file(host, "snakepit-eater")
    argv, env = eater["argv"], eater["env"]
    assert isinstance(argv, list)
    assert isinstance(env, dict)
    assert argv[-5:] == ["snakepit.worker", "--config", str(pit.config.path), "--agent", "eater"]
    assert env["COLOUR"] == "green"
    assert env["SNAKEPIT_PIT"] == str(pit.config.pit_dir)
    assert eater["cwd"] == str(pit.config.root / "work")
    assert (pit.config.root / "work").is_dir()
    assert launch_file(host, "snakepit-side")["argv"] == ["/bin/sh", "-c", "echo 'x y'; sleep 1"]
    own = launch_file(host, "snakepit-cleanlogs")["argv"]
    assert isinstance(own, list)
    assert own[-4:] == ["--config", str(pit.config.path), "log", "follow-all"]
    assert host.sessions["snakepit-eater"].pane.driven
    assert not host.sessions["snakepit-thinker"].pane.driven
    assert host.sessions["snakepit-eater"].log is None
    log = host.sessions["snakepit-thinker"].log
    assert log == pit.config.log_dir / "raw" / "thinker.log"


def test_twice_is_once_and_a_dead_pane_is_started_again(pit: Pit) -> None:
    host = FakeHost()
    start_sessions(pit, host, plans(pit))
    host.finish("snakepit-side", 1)
    again = {one.name: one.standing for one in start_sessions(pit, host, plans(pit))}
    assert again.pop("side") is Standing.STARTED
    assert set(again.values()) == {Standing.RUNNING}
    assert len(list((pit.config.state_dir / "launch").iterdir())) == 5


def test_one_that_fails_does_not_keep_the_others(pit: Pit) -> None:
    class Refusing(FakeHost):
        def start(self, name: str, argv: Sequence[str], **rest: object) -> None:
            if name == "snakepit-eater":
                message = "no"
                raise SessionError(message)
            super().start(name, argv, **rest)  # type: ignore[arg-type]

    found = {one.name: one for one in start_sessions(pit, Refusing(), plans(pit))}
    assert (found["eater"].standing, found["eater"].reason) == (Standing.FAILED, "no")
    assert found["side"].standing is Standing.STARTED


def test_a_program_that_is_missing_is_named(pit: Pit, tmp_path: Path) -> None:
    thinker = pit.config.agents[1]
    assert missing_program(pit.config, thinker, ENVIRON) == "claude is not on PATH"
    program = tmp_path / "bin" / "claude"
    program.parent.mkdir()
    program.touch(mode=0o755)
    assert missing_program(pit.config, thinker, {"PATH": str(program.parent)}) == ""


def test_ready_is_a_life_and_failed_is_what_the_pane_showed(pit: Pit) -> None:
    host = FakeHost()
    started = start_sessions(pit, host, plans(pit)[:2])
    life = pit.store.open_worker("eater")
    host.show("snakepit-thinker", "no such model")
    host.finish("snakepit-thinker", 1)
    assert wait_ready(pit, host, started) == {"thinker": "no such model"}
    life.close()
    late = [
        Started(name="side", session="snakepit-side", standing=Standing.STARTED),
        started[0],
    ]
    assert set(wait_ready(pit, host, late, seconds=0.05)) == {"eater"}


def test_only_what_a_session_starts_makes_it_another(pit: Pit) -> None:
    agent = pit.config.agents[0]
    plan = agent_plan(pit.config, agent, ENVIRON)
    same = agent_plan(pit.config, agent._replace(wake=None), ENVIRON)
    other = agent_plan(pit.config, agent._replace(prompt="new"), ENVIRON)
    keyed = agent_plan(pit.config, agent, {**ENVIRON, "HOME": "/other"})
    assert plan.is_same_start(same)
    assert not plan.is_same_start(other)
    assert not plan.is_same_start(keyed)
