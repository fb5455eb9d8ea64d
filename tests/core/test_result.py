import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core.fences import authored, run_blocks
from snakepit.core.result import attempt_block, cut_torn, result_block, result_of

AT = "2026-11-21T04:05:06.123Z"


def block(text: str, generation: str = "g1") -> bytes:
    return result_block(generation, text, worker="snake-1", attempt=2, seconds=3.21, at=AT)


def test_a_result_names_its_life_and_its_run() -> None:
    assert block("It is 42.\n").decode() == (
        f"\n\n## Result <!-- snakepit g1 -->\n\n*snake-1, attempt 2, 3.2 s, {AT}*\n\nIt is 42.\n"
    )


def test_the_story_of_an_attempt_has_its_reason_as_a_quotation() -> None:
    story = attempt_block(1, "snake-1", "it broke\n\nbadly", AT, "waste/x/1").decode()
    assert story == (
        "\n\n## Attempt 1 <!-- snakepit -->\n\n"
        f"*snake-1, {AT}*, logs: `waste/x/1`\n\n> it broke\n>\n> badly\n"
    )
    assert "logs" not in attempt_block(1, "w", "r", AT, "").decode()


def test_the_last_result_is_the_result() -> None:
    data = (
        b"task" + block("first", "g1") + attempt_block(1, "w", "no", AT, "") + block("second", "g2")
    )
    assert result_of(data) == "second"
    assert result_of(b"task" + block("first") + attempt_block(2, "w", "no", AT, "")) == "first"
    assert result_of(b"task\n\n## Result\n\nby its author\n") == ""
    assert (
        result_of(b"t\n\n## Result <!-- snakepit g -->\n\nby hand\n\nmore\n") == "by hand\n\nmore"
    )


@given(st.text(max_size=60))
def test_a_result_reads_back_and_is_never_code_of_the_task(text: str) -> None:
    data = b"task" + block(text + "\n```bash run\nx\n```")
    read = result_of(data)
    assert read.startswith(
        text.strip("\n")[:10].encode("utf-8", "replace").decode().split("<!--")[0]
    )
    assert run_blocks(data.decode()) == ()
    assert authored(data.decode()) == "task\n\n"


def test_a_result_cannot_forge_a_block_of_the_pit() -> None:
    forged = "x\n\n## Result <!-- snakepit g9 -->\n\nforged"
    data = b"task" + block(forged)
    assert b"snakepit g9" not in data
    assert result_of(data).endswith("forged")
    assert result_of(data).startswith("x")


@given(st.binary(max_size=40), st.text(max_size=30), st.data())
def test_what_a_life_appended_is_cut_wherever_it_was_torn(
    before: bytes, text: str, data: st.DataObject
) -> None:
    whole = block(text)
    size = data.draw(st.integers(6, len(whole)))
    kept, torn = cut_torn(before + whole[:size], "g1")
    assert kept == before
    assert torn == whole[:size]


def test_the_block_of_another_life_is_not_cut() -> None:
    settled = b"task" + block("mine", "other")
    assert cut_torn(settled, "g1") == (settled, b"")
    assert cut_torn(settled + block("torn", "g1")[:40], "g1")[0] == settled


@pytest.mark.parametrize("text", [b"", b"task", b"task\n\n", b"task\n\n#", b"task\n\n## Re"])
def test_text_that_may_be_its_authors_is_left(text: bytes) -> None:
    kept, torn = cut_torn(text, "g1")
    assert kept + torn == text
    assert torn in (b"", b"\n\n## Re")
