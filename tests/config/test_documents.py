"""Proves that the files made from the table of keys are up to date, and that prompts name real verbs."""

import re
import tomllib
from pathlib import Path

import click
import pytest
import tomli_w

from scripts.docs_config import documents
from snakepit.cli.main import VERBS, app
from snakepit.config import tables
from snakepit.config.deep import made
from snakepit.config.deep_keys import DEEP, DEEP_KEYS
from snakepit.config.keys import KEYS
from snakepit.config.loader import parse
from snakepit.config.model import Backend
from snakepit.config.schema import schema
from snakepit.config.template import page as template_page
from tests.config.conftest import Read
from tests.config.schema_checker import accepts

HOUSE = Path(__file__).parents[2]
PROMPTS = sorted((HOUSE / "prompts").glob("*.md"))
AGENT_VERBS = ("claim", "done", "fail", "split", "release", "wait", "beat")


@pytest.mark.parametrize("name", sorted(documents()))
def test_what_is_made_from_the_table_of_keys_is_up_to_date(name: str) -> None:
    assert (HOUSE / name).read_text() == documents()[name], "run scripts/docs_config.py"


def test_editors_find_the_schema_from_the_first_line() -> None:
    first = (HOUSE / "agents.toml").read_text().splitlines()[0]
    assert first.startswith("#:schema ")
    assert (HOUSE / first.removeprefix("#:schema ")).is_file()


def test_the_shipped_pool_calls_no_model_before_there_is_food() -> None:
    path = HOUSE / "agents.toml"
    found = parse(path.read_text(), path, environ={}, flags={}).config
    assert found is not None
    backends = {agent.name: agent.backend for agent in found.agents}
    assert backends.pop("script-1") == "script"
    assert set(backends) == {"snake-1", "snake-2", "snake-3", "planner", "cleanup", "keeper"}
    assert set(backends.values()) == {"auto"}
    feeds = {agent.name: (agent.feed, agent.start) for agent in found.agents}
    assert feeds.pop("keeper") == ("push", "demand")
    assert {feed for feed, _ in feeds.values()} == {"task"}
    assert [service.own for service in found.services] == [("log", "follow-all")]


def uncommented() -> str:
    return re.sub(r"^#(?=\S)", "", template_page(), flags=re.MULTILINE)


def test_every_commented_line_can_be_taken_up(read: Read) -> None:
    found = read(uncommented())
    assert found.problems == ()
    assert found.config is not None
    names = [agent.name for agent in found.config.agents]
    assert names == ["script-1", "planner", "cleanup", "keeper", "snake-1", "snake-2", "snake-3"]


def test_commented_values_are_the_defaults(read: Read) -> None:
    told, plain = read(uncommented()).config, read("").config
    assert told is not None
    assert plain is not None
    assert told.defaults._replace(tmux_socket="", tmux_conf=None) == plain.defaults
    for table in ("watchdog", "pit", "script", "events"):
        assert getattr(told, table) == getattr(plain, table)


@pytest.mark.parametrize("name", ["agents.toml", "examples/reference.toml"])
def test_the_schema_accepts_our_own_files(name: str) -> None:
    whole = schema()
    assert accepts(tomllib.loads((HOUSE / name).read_text()), whole, whole)
    assert accepts(tomllib.loads(uncommented()), whole, whole)


def test_the_built_in_backends_are_what_a_file_could_say(read: Read) -> None:
    for name in tables.names():
        given = {key: value for key, value in tables.whole(name).items() if value != ""}
        text = tomli_w.dumps({"backend": {"copy": given, "same": {"like": name}}})
        found = read(text)
        assert found.config is not None, found.problems
        copy, same = found.config.backends["copy"], found.config.backends["same"]
        for key, value in tables.head(name).items():
            if value != "" and key in Backend._fields:
                assert _plain(getattr(copy, key)) == _plain(getattr(same, key)) == value
        for table in tables.DEEP_NAMES:
            assert made(copy.like, copy.given, table) == made(same.like, same.given, table)


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


@pytest.mark.parametrize("name", tables.names())
def test_the_head_of_a_built_in_file_is_all_before_its_first_table(name: str) -> None:
    whole = tables.whole(name)
    assert tables.head(name) == {k: v for k, v in whole.items() if k not in tables.DEEP_NAMES}


def test_every_key_is_explained() -> None:
    assert {table.name for table in DEEP} == tables.DEEP_NAMES
    for key in (*KEYS, *DEEP_KEYS):
        assert key.doc.endswith((".", "."))
        assert key.required or key.default is not None or key.default_doc


@pytest.mark.parametrize("path", PROMPTS, ids=lambda path: path.name)
def test_prompts_name_verbs_and_options_that_exist(path: Path) -> None:
    text = path.read_text()
    for line in re.findall(r"`snakepit ([^`]+)`", text):
        verb, *words = line.split()
        assert verb in VERBS
        command = app.get_command(click.Context(app), verb)
        assert command is not None
        options = {name for param in command.params for name in param.opts}
        assert {word for word in words if word.startswith("-")} <= options
    for verb in AGENT_VERBS:
        assert re.search(rf"`(snakepit )?{verb}\b", text), f"{verb} is not mentioned"
    assert len(text.splitlines()) < 40


def test_there_are_the_five_prompts() -> None:
    assert [path.stem for path in PROMPTS] == [
        "cleanup",
        "keeper-survey",
        "keeper",
        "planner",
        "snake",
    ]
