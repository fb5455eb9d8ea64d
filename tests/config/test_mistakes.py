"""Proves that every kind of mistake is refused by name, with its line and a likely word."""

import json
import tomllib
from pathlib import Path
from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.config.loader import MAX_BYTES, assemble, load, try_load
from snakepit.config.schema import schema
from snakepit.errors import ConfigError
from tests.config.conftest import Read
from tests.config.schema_checker import accepts

AGENT = '[[agent]]\nname = "snake"\n'


class Mistake(NamedTuple):
    test_id: str
    text: str
    line: int
    words: str
    in_schema: bool = True  # a JSON Schema can see it too


MISTAKES = [
    Mistake("unknown table", "[watchdogs]\na = 1\n", 1, '[watchdogs]: unknown table; did you mean "watchdog"?'),
    Mistake("key outside a table", 'log_dir = "x"\n', 1, "belongs under [defaults]"),
    Mistake("loop table", "[loop]\na = 1\n", 1, "not something this program runs"),
    Mistake("unknown key", '[defaults]\nlogdir = "x"\n',
            2, '[defaults] logdir: unknown key; did you mean "log_dir"?'),
    Mistake("key of another table", "\n[pit]\nstall_grace = 3\n", 3, "it belongs under [watchdog]"),
    Mistake("key of nobody", "[pit]\nxyzzy = 3\n", 2, "[pit] xyzzy: unknown key"),
    Mistake("single table twice", "[[pit]]\nattempts = 3\n", 1, "must be written as [pit]"),
    Mistake("agent as one table", '[agent]\nname = "x"\n', 1, "must be written as [[agent]]"),
    Mistake("agent as a word", 'agent = "x"\n', 1, "must be written as [[agent]]"),
    Mistake("agents as words", 'agent = ["x"]\n', 1, "must be written as [[agent]]"),
    Mistake("backend without a name", '[backend]\nbin = "x"\n', 1, "must be written as [backend.NAME]"),
    Mistake("backends as an array", '[[backend]]\nbin = "x"\n', 1, "must be written as [backend.NAME]"),
    Mistake("backend's name", '[backend."a b"]\nbin = "x"\n', 1, "only letters, digits"),
    Mistake("text for a number", '[pit]\nattempts = "3"\n', 2, 'must be a whole number, not "3"'),
    Mistake("fraction for a whole number", "[pit]\nattempts = 3.5\n", 2, "must be a whole number"),
    Mistake("switch for a number", "[pit]\nattempts = true\n", 2, "must be a whole number, not true"),
    Mistake("too small", "[pit]\nattempts = 0\n", 2, "must be 1 or more"),
    Mistake("too large", "[pit]\nattempts = 1001\n", 2, "must be 1000 or less"),
    Mistake("zero interval", "[watchdog]\nsignal_interval = 0\n", 2, "must be more than 0"),
    Mistake("negative days", "[events]\nkeep_days = -1\n", 2, "must be 0 or more"),
    Mistake("not a number", "[events]\nkeep_days = nan\n", 2, "reasonable number"),
    Mistake("infinite", "[pit]\nkeep_waste_gb = inf\n", 2, "reasonable number", False),
    Mistake("text for a days number", '[events]\nkeep_days = "30d"\n', 2, "must be a number"),
    Mistake("duration unit", '[pit]\ntimeout = "5 parsecs"\n', 2, 'must be a duration: seconds, or "90s"'),
    Mistake("duration type", "[pit]\ntimeout = [5]\n", 2, "must be a duration"),
    Mistake("duration too long", "[pit]\ntimeout = 1e300\n", 2, "must be a duration", False),
    Mistake("number for text", "[defaults]\nmodel = 4\n", 2, 'must be text in quotes, not 4; write "4"'),
    Mistake("text for a switch", '[backend.x]\nremote_control = "yes"\n', 2, "must be true or false"),
    Mistake("choice", '[defaults]\nwatch = "heel"\n',
            2, 'one of "heal", "observe", "none", not "heel"; did you mean "heal"?'),
    Mistake("NUL", '[backend.x]\nflags = "a\\u0000b"\n', 2, "NUL character", False),
    Mistake("empty path", '[pit]\npath = ""\n', 2, "must be a path"),
    Mistake("list for a path", '[pit]\npath = ["a"]\n', 2, "must be text in quotes, not a list"),
    Mistake("path for paths", '[pit]\nroots = "a"\n', 2, "must be a list of paths"),
    Mistake("regex", '[backend.x]\nactive_re = "("\n', 2, "is not a regular expression", False),
    Mistake("regex repeat", '[backend.x]\nlimit_re = "*"\n', 2, "is not a regular expression", False),
    Mistake("quotes in flags", "[backend.x]\nflags = '--a \"b'\n", 2, "cannot be split as a shell does", False),
    Mistake("empty bin", '[backend.x]\nbin = " "\n', 2, "must be not empty"),
    Mistake("bin of script", '[backend.script]\nbin = "sh"\n', 2, "has no meaning here", False),
    Mistake("delivery", '[backend.x]\nprompt_delivery = "args"\n', 2, 'did you mean "arg"?'),
    Mistake("session prefix", '[defaults]\nsession_prefix = "a.b"\n', 2, "only letters, digits, _ and -"),
    Mistake("socket", '[defaults]\ntmux_socket = "../x"\n', 2, "only letters, digits"),
    Mistake("undefined backend", '[defaults]\nbackend = "cluade"\n',
            2, 'no [backend.cluade]; did you mean "claude"?', False),
    Mistake("undefined backend of an agent", AGENT + 'backend = "demi"\n',
            3, 'no [backend.demi]; did you mean "demo"?', False),
    Mistake("nameless agent", '[[agent]]\nkind = "persistent"\n', 1, "[[agent]] name: is missing"),
    Mistake("agent's name", '[[agent]]\nname = "Snake_1"\n', 2, "only a-z, 0-9 and -"),
    Mistake("agent's dash", '[[agent]]\nname = "-snake"\n', 2, "no - in front"),
    Mistake("agent's long name", f'[[agent]]\nname = "{"a" * 41}"\n', 2, "at most 40 characters, not 41"),
    Mistake("two of a name", AGENT + AGENT, 4, '"snake" is taken by another [[agent]]', False),
    Mistake("service like an agent", AGENT + '[[service]]\nname = "snake"\ncommand = "x"\n', 4, "is taken", False),
    Mistake("agent like a member", '[[agent]]\nname = "s-2"\n[[pool]]\nname = "s"\ncount = 2\n',
            4, '"s-2" is taken', False),
    Mistake("the daemon's session", '[[agent]]\nname = "watchdog"\n', 2, "the daemon's own session", False),
    Mistake("loop", AGENT + 'kind = "loop"\n', 3, '"loop" needs a [loop]', False),
    Mistake("kind", AGENT + 'kind = "persistant"\n', 3, 'did you mean "persistent"?'),
    Mistake("wake without a file", AGENT + "wake = { interval = 3 }\n", 3, 'needs "prompt_file"'),
    Mistake("wake's key", AGENT + 'wake = { intervall = 3, prompt_file = "x" }\n',
            3, 'no key "intervall"; did you mean "interval"?'),
    Mistake("wake's interval", AGENT + 'wake = { interval = 0, prompt_file = "x" }\n',
            3, "interval must be more than 0"),
    Mistake("wake's type", AGENT + 'wake = "30m"\n', 3, "must be { interval, prompt_file }"),
    Mistake("eats nothing", AGENT + "eats = []\n", 3, "at least one species"),
    Mistake("eats numbers", AGENT + "eats = [1]\n", 3, "a list of species"),
    Mistake("eats' key", AGENT + 'eats = { species = ["worker"], label = ["a"] }\n', 3, 'did you mean "labels"?'),
    Mistake("eats labels only", AGENT + 'eats = { labels = ["a"] }\n', 3, 'needs "species"'),
    Mistake("eats a bad species", AGENT + 'eats = ["A b"]\n', 3, "species"),
    Mistake("model eats script", AGENT + 'eats = ["worker", "script"]\n',
            3, 'only a snake with backend = "script"', False),
    Mistake("script eats worker", AGENT + 'backend = "script"\nspecies = "worker"\n',
            4, 'it cannot eat "worker"', False),
    Mistake("script fed by itself", AGENT + 'backend = "script"\nfeed = "self"\n', 4, 'must be "task"', False),
    Mistake("unknown feeding", AGENT + 'feed = "pull"\n', 3, 'one of "self", "push", "task"'),
    Mistake("fed per task without the kind", AGENT + 'backend = "demo"\nfeed = "task"\n',
            4, 'needs kind = "task"', False),
    Mistake("per task and feeding itself", AGENT + 'kind = "task"\nfeed = "self"\n',
            4, 'with kind "task" it must be "task"', False),
    Mistake("no run per task", AGENT + 'backend = "demo"\nkind = "task"\n',
            4, "has no [backend.demo.task]", False),
    Mistake("like nothing", '[backend.x]\nlike = "demmo"\n', 2, 'did you mean "demo"?', False),
    Mistake("the name of any program", '[backend.auto]\nbin = "x"\n', 2, "take another name", False),
    Mistake("a key below a backend", '[backend.x.task]\nargs = ["x"]\n',
            2, '[backend.x.task] args: unknown key; did you mean "argv"?'),
    Mistake("a list of words below", '[backend.x.task]\nargv = "x"\n', 2, "must be a list of texts"),
    Mistake("a rule below", '[backend.x.trouble.y]\nkind = "authx"\n', 2, 'did you mean "auth"?'),
    Mistake("a rule without a name", '[backend.x.stream]\nwhen = "x"\n',
            2, "must be written as [backend.NAME.stream.when]"),
    Mistake("a pattern in a rule", '[backend.x.stream.y]\nwhen = { type = "(" }\n',
            2, "is not a regular expression", False),
    Mistake("env as a list", AGENT + 'env = ["A=1"]\n', 3, "must be a table of texts"),
    Mistake("env number", AGENT + "env = { A = 1 }\n", 3, 'A must be text in quotes, not 1; write A = "1"'),
    Mistake("env name", AGENT + 'env = { "A-B" = "1" }\n', 3, "not the name of an environment variable"),
    Mistake("env identity", AGENT + 'env = { SNAKEPIT_WORKER = "x" }\n', 3, "set by the pool", False),
    Mistake("env_pass name", AGENT + 'env_pass = ["A=1"]\n', 3, "the name of an environment variable"),
    Mistake("env_pass text", AGENT + 'env_pass = "A"\n', 3, "must be a list of names"),
    Mistake("pool without a count", '[[pool]]\nname = "s"\n', 1, "count: is missing"),
    Mistake("pool's count", '[[pool]]\nname = "s"\ncount = -1\n', 3, "must be 0 or more"),
    Mistake("service without a command", '[[service]]\nname = "s"\n', 1, "command: is missing"),
    Mistake("date for text", "[defaults]\nmodel = 2026-01-01\n", 2, "must be text in quotes, not 2026-01-01", False),
]  # fmt: skip


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.test_id)
def test_a_mistake_is_named_with_its_line(mistake: Mistake, read: Read) -> None:
    found = read(mistake.text)
    assert found.config is None
    assert [problem.line for problem in found.problems] == [mistake.line]
    assert mistake.words in str(found.problems[0])


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.test_id)
def test_the_schema_sees_what_a_schema_can_see(mistake: Mistake) -> None:
    whole = schema()
    value = tomllib.loads(mistake.text)
    if mistake.in_schema:
        assert not accepts(value, whole, whole)
    else:
        assert accepts(json.loads(json.dumps(value, default=str)), whole, whole)


def test_all_mistakes_are_told_at_once_in_the_order_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "agents.toml"
    path.write_text(
        "[pit]\nattempts = 'x'\nsettel = 1\n\n[watchdog]\nstall_grace = true\n\n"
        '[[agent]]\nname = "a"\nprompt = """\nlooks = "like a key"\n[pit]\n"""\nwatch = "heel"\n'
        '[[agent]]\nname = "a"\n[agent.env]\nOK = "yes"\nBAD = 1\n'
    )
    with pytest.raises(ConfigError) as caught:
        load(path, environ={"SNAKEPIT_SET_PIT_SETTLE": "soon", "SNAKEPIT_SET_PIT_SETTEL": "1"})
    text = str(caught.value)
    assert f"{path} has 8 problems" in text
    places = [
        "SNAKEPIT_SET_PIT_SETTEL: sets no key of this config; did you mean SNAKEPIT_SET_PIT_SETTLE?",
        "SNAKEPIT_SET_PIT_SETTLE: must be a duration",
        "line 2: [pit] attempts",
        "line 3: [pit] settel",
        "line 6: [watchdog] stall_grace",
        "line 14: [[agent]] a watch",
        "line 16: [[agent]] a name",
        "line 17: [[agent]] a env: BAD",
    ]
    at = [text.index(place) for place in places]
    assert at == sorted(at)
    assert caught.value.exit_code == 3


def test_a_script_snake_of_a_species_of_its_own_is_fine(read: Read) -> None:
    config = read(AGENT + 'backend = "script"\nspecies = "nightly"\n').config
    assert config is not None
    assert config.agents[0].eats.species == ("nightly",)


class Unreadable(NamedTuple):
    test_id: str
    data: bytes
    words: str


@pytest.mark.parametrize(
    "case",
    [
        Unreadable("syntax", b"[pit]\nattempts = \n", "line 2: not TOML: Invalid value (column"),
        Unreadable("not UTF-8", b"[pit]\n# \xff\n", "is not UTF-8 (byte 8)"),
        Unreadable("same key twice", b"a = 1\na = 2\n", "line 2: not TOML: Cannot overwrite"),
        Unreadable("deep", b"a = " + b"[" * 100_000, "not TOML"),
        Unreadable("huge number", b"[pit]\nattempts = " + b"9" * 5000, "not TOML"),
        Unreadable("huge file", b"#" * (MAX_BYTES + 1), "is larger than 4 MB"),
    ],
    ids=lambda case: case.test_id,
)
def test_a_file_that_is_no_toml_is_one_problem(case: Unreadable, tmp_path: Path) -> None:
    path = tmp_path / "agents.toml"
    path.write_bytes(case.data)
    found = try_load(path)
    assert found.config is None
    assert len(found.problems) == 1
    is_deep = case.test_id == "deep"
    assert case.words in str(found.problems[0]) or (is_deep and "deeply" in str(found.problems[0]))


def test_a_missing_file_and_a_folder_are_problems(tmp_path: Path) -> None:
    assert "No such file" in str(try_load(tmp_path / "none.toml").problems[0])
    assert "directory" in str(try_load(tmp_path).problems[0])


WORDS = """watchdog defaults pit script events backend agent pool service name count wake eats env
env_pass timeout attempts path roots active_re claude bin flags prompt species dir"""
names = st.sampled_from(WORDS.split())
leaves = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=8)
    | st.sampled_from(["script", "demo", "snake", "90s", "(", 10**400, -(10**400)])
    | st.datetimes()
).filter(lambda leaf: leaf is not None)
values = st.recursive(
    leaves,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(names | st.text(max_size=4), inner, max_size=5)
    ),
    max_leaves=25,
)


@given(raw=st.dictionaries(names | st.text(max_size=4), values, max_size=6))
def test_any_mapping_gives_a_config_or_problems(raw: dict[str, object]) -> None:
    found = assemble(raw, Path("/somewhere/agents.toml"), environ={}, flags={})
    assert (found.config is None) == bool(found.problems)
    for problem in found.problems:
        assert str(problem)


@given(text=st.text(max_size=60), name=st.text(max_size=12))
def test_any_variable_gives_a_config_or_problems(text: str, name: str) -> None:
    for variable in (
        "PIT_ATTEMPTS",
        "AGENT_A_ENV",
        "AGENT_A_WAKE",
        "AGENT_A_EATS",
        "PIT_ROOTS",
        name,
    ):
        environ = {f"SNAKEPIT_SET_{variable}": text}
        raw = {"agent": [{"name": "a"}]}
        found = assemble(raw, Path("/somewhere/agents.toml"), environ=environ, flags={})
        assert (found.config is None) == bool(found.problems)


def test_a_wrong_variable_is_mended_in_the_environment(tmp_path: Path) -> None:
    path = tmp_path / "agents.toml"
    path.write_text("")
    wrong = {"SNAKEPIT_SET_PIT_ATTEMPTS": "many"}
    with pytest.raises(ConfigError) as told:
        load(path, environ=wrong)
    assert told.value.fix.startswith("change or unset SNAKEPIT_SET_PIT_ATTEMPTS in the environment")
    assert "edit that file" not in told.value.fix
    path.write_text("[pit]\nsettle = 'soon'\n")
    with pytest.raises(ConfigError, match="2 problems") as told:
        load(path, environ=wrong)
    assert "SNAKEPIT_SET_PIT_ATTEMPTS in the environment; edit that file" in told.value.fix
