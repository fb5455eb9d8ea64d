from typing import NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st

from snakepit.core import names


class Refused(NamedTuple):
    test_id: str
    name: bytes | str
    because: str


REFUSED = [
    Refused("not UTF-8", b"caf\xe9.md", "UTF-8"),
    Refused("not UTF-8 as Python lists it", "caf\udce9.md", "UTF-8"),
    Refused("newline", "a\nb.md", "line break"),
    Refused("escape", "a\x1b[2Jb.md", "control"),
    Refused("leading dash", "-rf.md", "dash"),
    Refused("climbing", "../x.md", "slash"),
    Refused("no suffix", "x.txt", ".md"),
    Refused("nothing but the suffix", ".md", ".md"),
    Refused("300 bytes", "x" * 297 + ".md", "300 bytes"),
    Refused("201 bytes of two-byte letters", "ü" * 99 + ".md", "201 bytes"),
]


@pytest.mark.parametrize("case", REFUSED, ids=lambda case: case.test_id)
def test_a_hostile_name_is_refused_with_its_reason(case: Refused) -> None:
    assert case.because in (names.problem_with(case.name) or "")


@pytest.mark.parametrize(
    "name", ["x.md", "A b~2.md", "ünï.md", b"x.md", "~x.md", "x" * 197 + ".md", "(1)+&.md"]
)
def test_an_honest_name_is_taken(name: bytes | str) -> None:
    assert names.problem_with(name) is None


def test_a_number_never_makes_a_name_too_long() -> None:
    assert names.problem_with(names.numbered("x" * 197 + ".md", 12)) is None


@pytest.mark.parametrize(
    "name", [".x.md", "x.md~", ".x.md.swp", "x.swp", "x.tmp", "x.md.part", "x.draft.md"]
)
def test_what_editors_and_copiers_leave_is_ignored(name: str) -> None:
    assert names.is_ignored(name)


@pytest.mark.parametrize("name", ["x.md", "draft.md", "x.tmp.md", "x~2.md"])
def test_a_task_is_not_ignored(name: str) -> None:
    assert not names.is_ignored(name)


class Numbered(NamedTuple):
    name: str
    n: int
    result: str
    root: str


@pytest.mark.parametrize(
    "case",
    [
        Numbered("x.md", 2, "x~2.md", "x.md"),
        Numbered("x~2.md", 3, "x~3.md", "x.md"),
        Numbered("x~1.md", 2, "x~1~2.md", "x~1.md"),
        Numbered("x~02.md", 2, "x~02~2.md", "x~02.md"),
        Numbered("x~10.md", 11, "x~11.md", "x.md"),
        Numbered("~2.md", 2, "~2~2.md", "~2.md"),
        Numbered("folder", 2, "folder~2", "folder"),
    ],
    ids=lambda case: case.name,
)
def test_a_taken_name_gets_a_number_behind_its_stem(case: Numbered) -> None:
    assert names.numbered(case.name, case.n) == case.result
    assert names.root_of(case.name) == case.root


@given(st.text(min_size=1, max_size=20), st.integers(2, 9999))
def test_the_root_of_a_numbered_name_is_the_root(stem: str, n: int) -> None:
    name = stem + ".md"
    assert names.root_of(names.numbered(name, n)) == names.root_of(name)


@given(st.binary(max_size=40), st.binary(max_size=40))
def test_a_printable_name_is_one_safe_line_and_tells_names_apart(one: bytes, two: bytes) -> None:
    shown = names.printable(one)
    assert shown.isprintable()
    assert "/" not in shown
    assert (one == two) == (shown == names.printable(two))


@pytest.mark.parametrize(
    ("raw", "shown"), [(b"x.md", "x.md"), (b"a\nb", "a%0Ab"), (b"\xff%", "%FF%25"), ("ü", "ü")]
)
def test_unsafe_bytes_are_shown_as_percent(raw: bytes | str, shown: str) -> None:
    assert names.printable(raw) == shown


@pytest.mark.parametrize("name", ["snake-1", "0", "a" * 40])
def test_a_worker_name_is_taken(name: str) -> None:
    assert names.worker_problem(name) is None


@pytest.mark.parametrize("name", ["", "-a", "A", "a_b", "a/b", "..", "a\n", "a" * 41, "ü"])
def test_a_worker_name_that_no_folder_or_session_could_bear_is_refused(name: str) -> None:
    assert names.worker_problem(name) is not None


def test_a_reference_to_a_task_may_leave_the_suffix_out() -> None:
    assert names.task_name("x") == names.task_name("x.md") == "x.md"
    assert names.stem("x.md") == names.stem("x") == "x"
