from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core.fences import Block, authored, run_blocks


class Marked(NamedTuple):
    test_id: str
    body: str
    language: str
    code: str
    line: int


MARKED = [
    Marked("plain", "Do it:\n\n```bash run\necho 1\n```\n", "bash", "echo 1\n", 3),
    Marked("tildes", "~~~python run\nprint()\n~~~", "python", "print()\n", 1),
    Marked("longer fence", "````bash run\n```\n````\n", "bash", "```\n", 1),
    Marked("longer closing", "```bash run\nx\n`````\n", "bash", "x\n", 1),
    Marked(
        "indented by three",
        "   ```bash run\n     x\n    y\n  z\n   ```\n",
        "bash",
        "  x\n y\nz\n",
        1,
    ),
    Marked("CRLF", "```bash run\r\nx\r\n```\r\n", "bash", "x\n", 1),
    Marked("more words", "```bash  run now\nx\n```\n", "bash", "x\n", 1),
    Marked("empty", "```bash run\n```\n", "bash", "\n", 1),
    Marked("after a comment", "<!-- a -->\n```bash run\nx\n```\n", "bash", "x\n", 2),
    Marked("after a long comment", "<!--\na\n-->\n```bash run\nx\n```\n", "bash", "x\n", 4),
    Marked("tildes inside", "```bash run\n~~~\n```\n", "bash", "~~~\n", 1),
]


@pytest.mark.parametrize("case", MARKED, ids=lambda case: case.test_id)
def test_a_marked_fence_is_found(case: Marked) -> None:
    (block,) = run_blocks(case.body)
    assert (block.language, block.code, block.line) == (case.language, case.code, case.line)


PROSE = {
    "unmarked": "```bash\nrm -rf run\n```\n",
    "marked as another word": "```bash running\nx\n```\n",
    "run is the language": "```run\nx\n```\n",
    "in a longer fence": "````markdown\n```bash run\nx\n```\n````\n",
    "in a fence of the other kind": "~~~\n```bash run\nx\n```\n~~~\n",
    "in an indented block": "    ```bash run\n    x\n    ```\n",
    "in a quotation": "> ```bash run\n> x\n> ```\n",
    "in a list item": "- a\n\n  - b\n\n    ```bash run\n    x\n    ```\n",
    "in a comment": "<!--\n```bash run\nx\n```\n-->\n",
    "in a comment nobody closed": "<!--\n```bash run\nx\n```\n",
    "never closed": "```bash run\nx\n",
    "closed by a shorter fence": "````bash run\nx\n```\n",
    "closing fence with words": "```bash run\nx\n``` end\n",
    "backtick in the words": "```bash run `x`\nx\n```\n",
    "two backticks": "``bash run\nx\n``\n",
    "inline": "Use ```bash run``` here\n",
    "in an earlier result": "t\n\n## Result <!-- snakepit g -->\n\n```bash run\nx\n```\n",
    "in an earlier attempt": "t\n\n## Attempt 1 <!-- snakepit -->\n\n```bash run\nx\n```\n",
}


@pytest.mark.parametrize("body", PROSE.values(), ids=PROSE)
def test_prose_never_runs(body: str) -> None:
    assert run_blocks(body) == ()


def test_all_blocks_with_a_language_are_found_where_the_task_is_a_script() -> None:
    body = "```bash\na\n```\n\n```\nb\n```\n\n```python run\nc\n```\n"
    assert [block.code for block in run_blocks(body, all_blocks=True)] == ["a\n", "c\n"]


def test_blocks_come_in_order_with_their_words() -> None:
    body = "```bash run\na\n```\n~~~python run fast\nb\n~~~\n"
    assert run_blocks(body) == (
        Block(language="bash", code="a\n", line=1, words=("bash", "run")),
        Block(language="python", code="b\n", line=4, words=("python", "run", "fast")),
    )


def test_a_fence_after_an_unclosed_one_is_inside_it() -> None:
    assert run_blocks("```text\n\n~~~bash run\nx\n~~~\n") == ()


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        ("a\n\n## Result <!-- snakepit g -->\nb", "a\n\n"),
        ("a\n## Result\nb", "a\n## Result\nb"),
        ("a <!-- snakepit -->", "a <!-- snakepit -->"),
    ],
)
def test_what_the_author_wrote_ends_where_the_pit_begins(body: str, kept: str) -> None:
    assert authored(body) == kept


LINES = st.sampled_from(
    [
        "```bash run",
        "```",
        "~~~",
        "````",
        "x",
        "",
        "<!--",
        "-->",
        "    ```bash run",
        "> ```bash run",
    ]
)


@given(st.lists(LINES, max_size=12))
def test_a_block_is_always_a_marked_line_with_a_closing_one(lines: list[str]) -> None:
    for block in run_blocks("\n".join(lines)):
        assert lines[block.line - 1] == "```bash run"
        assert block.code.count("\n") + block.line < len(lines) + 1
