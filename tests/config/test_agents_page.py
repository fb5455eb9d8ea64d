"""Proves that docs/agents.md tells what the tables of programs say, and that its examples are right."""

import re
from pathlib import Path

import pytest

from scripts.docs_agents import document
from snakepit.cli.main import VERBS
from tests.config.conftest import Read

HOUSE = Path(__file__).parents[2]
PAGE = (HOUSE / "docs" / "agents.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```toml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
SPOKEN = ("README.md", "CONTRIBUTING.md", "docs/agents.md", "pit/README.md")


def test_the_table_of_programs_is_up_to_date() -> None:
    assert document() == PAGE, "run scripts/docs_agents.py"


@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_every_example_is_an_agents_toml(example: str, read: Read) -> None:
    found = read(example)
    assert found.problems == ()
    assert found.config is not None
    assert found.config.agents


@pytest.mark.parametrize("name", SPOKEN)
def test_pages_name_real_verbs(name: str) -> None:
    text = (HOUSE / name).read_text(encoding="utf-8")
    named = set(re.findall(r"agents\.py ([a-z]+)\b", text))
    assert named - set(VERBS) == set()
