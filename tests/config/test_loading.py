"""Proves what a config means: defaults, inheritance, pools, paths, and who wins over whom."""

import hashlib
import os
import re
import subprocess
import sys
from itertools import product
from pathlib import Path
from typing import NamedTuple

import pytest

from snakepit.config import Config, Eats, load
from snakepit.config.keys import KEYS
from snakepit.config.loader import parse, try_load
from snakepit.config.settings import variable_name
from snakepit.pool.applied import load_kept
from tests.config.conftest import ROOT, Read

HOUSE = Path(__file__).parents[2]


def config(text: str, read: Read, **environ: str) -> Config:
    found = read(text, environ=environ)
    assert found.problems == ()
    assert found.config is not None
    return found.config


def test_an_empty_file_is_all_defaults(read: Read) -> None:
    found = config("", read)
    assert found.log_dir == ROOT / ".snakepit"
    assert found.pit_dir == ROOT / "pit"
    assert found.pit.roots == (ROOT,)
    assert (found.pit.attempts, found.pit.timeout_s, found.pit.settle_s) == (3, 3600.0, 1.0)
    assert (found.watchdog.signal_interval, found.watchdog.heavy_interval) == (30.0, 300.0)
    assert found.script.accept == "person"
    assert set(found.backends) == {"auto"}
    assert found.session_name("keeper") == "snakepit-keeper"
    assert found.agents == ()


def test_the_socket_belongs_to_the_real_path_alone(tmp_path: Path) -> None:
    real = tmp_path / "agents.toml"
    real.write_text("")
    link = tmp_path / "elsewhere" / "link.toml"
    link.parent.mkdir()
    link.symlink_to(real)
    digest = hashlib.sha256(os.fsencode(os.path.realpath(real))).hexdigest()
    for path in (real, link):
        found = load(path)
        assert found.socket == f"snakepit-{digest[:6]}"
        assert found.root == Path(os.path.realpath(tmp_path))


def test_a_named_socket_is_taken_as_it_is(read: Read) -> None:
    assert config('[defaults]\ntmux_socket = "default"\n', read).socket == "default"


def test_paths_start_from_the_file_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "project").mkdir()
    (tmp_path / "other").mkdir()
    path = tmp_path / "project" / "agents.toml"
    path.write_text('[pit]\npath = "../food"\nroots = ["~/work", "/abs"]\n')
    monkeypatch.setenv("HOME", "/home/ana")
    monkeypatch.chdir(tmp_path / "other")
    found = load(Path("../project/agents.toml"))
    assert found.pit_dir == Path(os.path.realpath(tmp_path)) / "food"
    assert found.pit.roots == (Path("/home/ana/work"), Path("/abs"))


class Kind(NamedTuple):
    name: str
    backend: str
    species: str
    feed: str
    driver: str


@pytest.mark.parametrize(
    "kind",
    [
        Kind("keeper", "claude", "keeper", "self", "pane"),
        Kind("planner", "demo", "planner", "self", "pane"),
        Kind("cleanup", "demo", "cleanup", "self", "pane"),
        Kind("snake-1", "claude", "worker", "self", "pane"),
        Kind("snake-1", "script", "script", "task", "worker"),
        Kind("cleanup", "script", "script", "task", "worker"),
    ],
    ids=str,
)
def test_species_and_food_follow_from_name_and_backend(kind: Kind, read: Read) -> None:
    found = config(f'[[agent]]\nname = "{kind.name}"\nbackend = "{kind.backend}"\n', read)
    agent = found.agents[0]
    assert (agent.species, agent.feed) == (kind.species, kind.feed)
    assert agent.eats == Eats(species=(kind.species,))
    assert found.backend_of(agent).driver == kind.driver
    assert agent.diet.eats(kind.species)
    assert not agent.diet.eats("another")


def test_eats_may_be_a_word_a_list_or_a_table_with_labels(read: Read) -> None:
    def eats(text: str) -> Eats:
        return config(f'[[agent]]\nname = "a"\neats = {text}\n', read).agents[0].eats

    assert eats('"planner"') == Eats(species=("planner",))
    assert eats('["worker", "planner", "worker"]') == Eats(species=("worker", "planner"))
    labelled = Eats(species=("worker",), labels=("rust", "c"))
    assert eats('{ species = ["worker"], labels = ["rust", "c"] }') == labelled


def test_agents_inherit_what_they_do_not_say(read: Read) -> None:
    found = config(
        '[defaults]\nbackend = "demo"\nmodel = "small"\nwatch = "observe"\n'
        '[[agent]]\nname = "a"\n'
        '[[agent]]\nname = "b"\nbackend = "claude"\nmodel = ""\nwatch = "none"\n',
        read,
    )
    a, b = found.agents
    assert (a.backend, a.model, a.watch) == ("demo", "small", "observe")
    assert (b.backend, b.model, b.watch) == ("claude", "", "none")


def test_a_built_in_backend_is_changed_key_by_key(read: Read) -> None:
    found = config('[backend.claude]\nflags = "--x"\n[backend.mine]\nbin = "/opt/mine run"\n', read)
    assert found.backends["claude"].flags == "--x"
    assert found.backends["claude"].supports_resume
    assert "ANTHROPIC_API_KEY" in found.backends["claude"].env_pass
    assert found.backends["mine"].supports_resume is False
    assert found.backends["mine"].env_pass == ()


def test_a_backend_is_its_own_program_by_default(read: Read) -> None:
    found = config("[backend.codex]\n[backend.y]\nbin = '/opt/bin/z'\n[backend.demo]\n", read)
    assert (found.backends["codex"].bin, found.backends["codex"].process_name) == ("codex",) * 2
    assert found.backends["y"].process_name == "z"
    assert found.backends["demo"].process_name == "sleep"


def test_a_pool_is_its_members(read: Read) -> None:
    found = config(
        '[[pool]]\nname = "snake"\ncount = 2\nmodel = "m"\nprompt = "{name} is {id} of {x}"\n'
        '[[agent]]\nname = "solo"\n',
        read,
    )
    assert [agent.name for agent in found.agents] == ["solo", "snake-1", "snake-2"]
    assert found.agents[2].prompt == "snake-2 is 2 of {x}"
    assert {agent.pool for agent in found.agents} == {None, "snake"}
    scaled = found.fleet({"snake": 3, "gone": 9})
    assert [agent.name for agent in scaled] == ["solo", "snake-1", "snake-2", "snake-3"]
    assert found.fleet({"snake": 0}) == found.agents[:1]
    assert found.fleet({}) == found.agents


def test_a_member_beyond_the_file_is_found_by_its_name(read: Read) -> None:
    found = config('[[pool]]\nname = "snake"\ncount = 1\n', read)
    member = found.member_of("snake-7")
    assert member is not None
    assert (member.name, member.pool) == ("snake-7", "snake")
    for name in ("snake-0", "snake-07", "snake", "snake-", "other-1", "snake-1-1"):
        assert found.member_of(name) is None


class Helper(NamedTuple):
    command: str
    own: tuple[str, ...]


HELPERS = [
    Helper("snakepit log follow-all", ("log", "follow-all")),
    Helper("agents.py status --follow", ("status", "--follow")),
    Helper("./agents.py log follow-all", ()),
    Helper("python3 ../../agent-log.py follow-all", ("log", "follow-all")),
    Helper("agent-log.py follow-all", ("log", "follow-all")),
    Helper("python3 agent-log.py follow keeper", ()),
    Helper("snakepit log follow-all | tee x", ()),
    Helper("cat agent-log.py follow-all", ()),
    Helper("python3 here.py", ()),
]


@pytest.mark.parametrize("helper", HELPERS, ids=str)
def test_our_own_program_is_known_in_a_service(helper: Helper, read: Read) -> None:
    found = config(f'[[service]]\nname = "s"\ncommand = "{helper.command}"\n', read)
    assert found.services[0].own == helper.own
    assert found.services[0].command == helper.command
    assert bool(found.notes) == ("agent-log.py" in helper.command and bool(helper.own))


def test_a_log_helper_that_is_there_is_run_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "agent-log.py").write_text("")
    path = tmp_path / "agents.toml"
    path.write_text('[[service]]\nname = "b"\ncommand = "python3 agent-log.py follow-all"\n')
    found = load(path)
    assert [service.own for service in found.services] == [()]
    assert found.notes == ()


@pytest.mark.parametrize(("flag", "variable", "file"), list(product((True, False), repeat=3)))
def test_flag_over_variable_over_file_over_default(
    flag: bool, variable: bool, file: bool, read: Read
) -> None:
    found = read(
        "[pit]\nattempts = 7\n" if file else "",
        environ={"SNAKEPIT_SET_PIT_ATTEMPTS": "8"} if variable else {},
        flags={"pit.attempts": 9} if flag else {},
    )
    assert found.config is not None
    wanted = 9 if flag else 8 if variable else 7 if file else 3
    assert found.config.pit.attempts == wanted


TEAM = """
[backend.my-cli]
bin = "x"
[[agent]]
name = "snake-1"
[[pool]]
name = "pool"
count = 1
[[service]]
name = "logs"
command = "x"
"""


def test_every_kind_of_value_can_come_from_a_variable(read: Read) -> None:
    found = config(
        TEAM,
        read,
        SNAKEPIT_SET_BACKEND_MY_CLI_REMOTE_CONTROL="on",
        SNAKEPIT_SET_BACKEND_MY_CLI_STALL_IDLE="2m",
        SNAKEPIT_SET_BACKEND_CLAUDE_BIN="/opt/claude",
        SNAKEPIT_SET_AGENT_SNAKE_1_EATS="worker, planner",
        SNAKEPIT_SET_AGENT_SNAKE_1_ENV='{ A = "1" }',
        SNAKEPIT_SET_AGENT_SNAKE_1_ENV_PASS="A,B",
        SNAKEPIT_SET_AGENT_SNAKE_1_WAKE='{ interval = 5, prompt_file = "w.md" }',
        SNAKEPIT_SET_POOL_POOL_COUNT="3",
        SNAKEPIT_SET_SERVICE_LOGS_COMMAND="y",
        SNAKEPIT_SET_EVENTS_KEEP_DAYS="1.5",
        SNAKEPIT_SET_PIT_ROOTS='["a", "b"]',
        PATH="/bin",
    )
    assert found.backends["my-cli"].remote_control
    assert found.backends["my-cli"].stall_idle == 120
    assert found.backends["claude"].bin == "/opt/claude"
    snake = found.agents[0]
    assert snake.eats.species == ("worker", "planner")
    assert (snake.env, snake.env_pass) == ({"A": "1"}, ("A", "B"))
    assert snake.wake is not None
    assert snake.wake.prompt_file == ROOT / "w.md"
    assert len(found.agents) == 4
    assert found.services[0].command == "y"
    assert found.events.keep_days == 1.5
    assert found.pit.roots == (ROOT / "a", ROOT / "b")


def test_a_variable_repairs_what_the_file_has_wrong(read: Read) -> None:
    assert config("[pit]\nattempts = 'x'\n", read, SNAKEPIT_SET_PIT_ATTEMPTS="2").pit.attempts == 2


def test_every_key_has_a_variable_of_its_own() -> None:
    names = [
        variable_name(key.table, "X" * (key.table in "backend agent pool service"), key.name)
        for key in KEYS
    ]
    assert len(set(names)) == len(KEYS)


def test_the_reference_file_runs_unchanged() -> None:
    found = load(HOUSE / "examples" / "reference.toml")
    names = [agent.name for agent in found.agents]
    assert names == ["keeper", "planner", "snake-1", "snake-2", "snake-3", "cleanup"]
    assert [service.own for service in found.services] == [("log", "follow-all")]
    assert "means our `log follow-all`" in found.notes[0]
    assert {agent.backend for agent in found.agents} == {"claude"}
    keeper = found.agents[0]
    assert (keeper.model, found.agents[2].model) == ("claude-opus-4-8", "claude-sonnet-4-6")
    assert keeper.wake is not None
    assert keeper.wake.interval == 1800
    assert re.search(found.backends["claude"].active_re, "· 12 tokens")
    assert found.backends["claude"].remote_control


def test_the_reference_file_runs_as_a_demo() -> None:
    text = (HOUSE / "examples" / "reference.toml").read_text()
    changed = text.replace('backend = "claude"\n', 'backend = "demo"\n')
    assert changed != text
    found = parse(changed, HOUSE / "examples" / "r.toml", environ={}, flags={}).config
    assert found is not None
    assert {agent.backend for agent in found.agents} == {"demo"}
    assert found.backends["demo"].prompt_delivery == "exec"


def test_loading_imports_nothing_heavy() -> None:
    code = (
        "import sys, pathlib; from snakepit.config import load; load(pathlib.Path(sys.argv[1]));"
        "print(*sys.modules)"
    )
    argv = [sys.executable, "-c", code, str(HOUSE / "agents.toml")]
    done = subprocess.run(argv, capture_output=True, text=True, check=True, cwd=HOUSE)
    heavy = {"difflib", "dataclasses", "hashlib", "json", "subprocess", "tomli_w", "yaml", "click"}
    assert heavy.isdisjoint(done.stdout.split())


@pytest.mark.parametrize("kind", ["fifo", "device", "folder", "huge"])
def test_what_is_no_plain_file_is_said_at_once(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "agents.toml"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "device":
        path.symlink_to("/dev/zero")
    elif kind == "folder":
        path.mkdir()
    else:
        with open(path, "wb") as file:
            file.truncate(1 << 30)
    assert try_load(path).config is None
    assert load_kept(path, {}) is None
