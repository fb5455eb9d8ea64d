"""Owns the rules of the house that a machine can hold: layers, size, words, no sleep, no hosts."""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[1]
PACKAGE = REPOSITORY / "snakepit"
CEILING = 400  # lines of a module

# Users see the snake, code sees the queue. `pit`, `feed`, `eats` and `waste` are not here: they are
# keys of agents.toml and verbs, which the model of the config and the contract of the store mirror.
METAPHOR = re.compile(
    r"snakes?|foods?|devour(s|ed|er)?|digest(s|ed|ion)?|regurgitat(e|es|ed)|chok(e|es|ed)|scraps?"
    r"|excret(e|es|ed)|excrement|meals?|bites?|hungry|hunger|belly|nest|slither|hiss"
)
BRIDGE = {PACKAGE / "store" / "layout.py"}  # states and folder names meet here
WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")

# Built from pieces, so that this file does not hold what it forbids.
FORBIDDEN = [
    "py" + "pi.org",
    "python" + "hosted.org",
    "npm" + "js.org",
    "debian" + ".org",
    "crates" + ".io",
    "/opt" + "/pypi",
    "/opt" + "/wheels",
    "/tmp" + "/plan",
]
FORBIDDEN_PLACE = re.compile(r"(^|[\s\"'`(=:])" + "/(work|root)" + r"/")


def python_files(*folders: str) -> list[Path]:
    return sorted(path for folder in folders for path in (REPOSITORY / folder).rglob("*.py"))


def tracked_files() -> list[Path]:
    """What is or will be committed."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=REPOSITORY, capture_output=True, check=True).stdout
    paths = [REPOSITORY / name.decode() for name in listed.split(b"\0") if name]
    return [path for path in paths if path.is_file()]


def defined_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that the file itself gives to something, with its line."""
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name, node.lineno
        elif isinstance(node, ast.arg):
            yield node.arg, node.lineno
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            yield node.id, node.lineno
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            yield node.attr, node.lineno
        elif isinstance(node, ast.alias) and node.asname:
            yield node.asname, node.lineno


def metaphors(path: Path, text: str) -> list[str]:
    return [
        f"{path.name}:{line} {name}"
        for name, line in defined_names(ast.parse(text))
        if any(METAPHOR.fullmatch(word.lower()) for word in WORD.findall(name))
    ]


def sleeps(path: Path, text: str) -> list[str]:
    return [
        f"{path.name}:{node.lineno}"
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep")
        or (isinstance(node, ast.ImportFrom) and node.module == "time" and _imports_sleep(node))
    ]


def _imports_sleep(node: ast.ImportFrom) -> bool:
    return any(alias.name == "sleep" for alias in node.names)


@pytest.mark.timeout(120)
def test_layers_hold() -> None:
    lint = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([lint, "--no-logo"], cwd=REPOSITORY, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_module_is_over_the_ceiling() -> None:
    files = [REPOSITORY / "agents.py", *python_files("snakepit", "tests", "bench")]
    lengths = {path: len(path.read_text().splitlines()) for path in files}
    over = {str(path.relative_to(REPOSITORY)): n for path, n in lengths.items() if n > CEILING}
    assert over == {}


def test_code_says_the_queue() -> None:
    files = [path for path in python_files("snakepit") if path not in BRIDGE]
    assert [found for path in files for found in metaphors(path, path.read_text())] == []


def test_the_test_of_words_sees_one() -> None:
    text = "class FoodQueue:\n    def devour(self, task, snake_count): self.meals = task\n"
    assert len(metaphors(Path("x.py"), text)) == 4
    assert metaphors(Path("x.py"), "def open_pit(species): feed = 'snake'\n") == []


def test_nothing_sleeps() -> None:
    files = [REPOSITORY / "agents.py", *python_files("snakepit", "tests")]
    assert [found for path in files for found in sleeps(path, path.read_text())] == []
    assert sleeps(Path("x.py"), "import time\ntime.sleep(1)\n") == ["x.py:2"]
    assert sleeps(Path("x.py"), "from time import sleep\n") == ["x.py:1"]


@pytest.mark.needs("git")
def test_no_file_names_a_registry_or_a_path_of_one_machine() -> None:
    found = []
    for path in tracked_files():
        text = path.read_bytes().decode("utf-8", "replace")
        words = [word for word in FORBIDDEN if word in text]
        words += [match[0] for match in FORBIDDEN_PLACE.finditer(text)]
        found += [f"{path.relative_to(REPOSITORY)}: {word}" for word in words]
    assert found == []


def test_every_module_says_what_it_owns() -> None:
    files = [path for path in python_files("snakepit") if path.stat().st_size]
    silent = [path for path in files if not ast.get_docstring(ast.parse(path.read_text()))]
    assert [str(path.relative_to(REPOSITORY)) for path in silent] == []
