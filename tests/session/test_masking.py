"""Masking over the borders of pieces."""

import itertools
import os
import threading
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from snakepit.core.redact import Redactor
from snakepit.session import panelog
from snakepit.session.masking import LONGEST_KEY, LONGEST_LINE, PATIENCE, MaskingStream
from snakepit.session.rawlog import RawLog
from tests.support.wait import wait_for

VALUE = "correct-horse-battery"
SHAPED = "sk-ant-api03-abcdefghijklmnop"
KEY = f"-----BEGIN RSA PRIVATE KEY-----\n{'Ab3/' * 16}\n{'Cd4+' * 16}\n-----END RSA PRIVATE KEY-----\n"


def run(stream: MaskingStream, pieces: list[bytes]) -> bytes:
    return b"".join(stream.feed(piece) for piece in pieces) + stream.close()


@given(st.lists(st.integers(min_value=0, max_value=400), max_size=8))
def test_no_border_shows_a_secret(borders: list[int]) -> None:
    text = f"a {VALUE} b\nkey {SHAPED}\n{KEY}end {VALUE}".encode()
    cuts = sorted({0, len(text), *(cut for cut in borders if cut < len(text))})
    pieces = [text[start:end] for start, end in itertools.pairwise(cuts)]
    out = run(MaskingStream([VALUE]), pieces)
    assert VALUE.encode() not in out
    assert SHAPED.encode() not in out
    assert b"Ab3/Ab3/" not in out
    assert b"Cd4+Cd4+" not in out
    assert out.startswith(b"a [redacted] b\nkey [redacted]\n")


@given(st.lists(st.binary(max_size=60), max_size=12))
def test_what_is_no_secret_stays_byte_for_byte(pieces: list[bytes]) -> None:
    assert run(MaskingStream(), pieces) == b"".join(pieces)


def test_whole_lines_leave_at_once_and_the_rest_when_it_is_quiet() -> None:
    stream = MaskingStream()
    assert stream.feed(b"one\ntwo\nthr") == b"one\ntwo\n"
    assert stream.settle() == b"thr"
    assert not stream.holds


def test_half_a_known_value_is_held_when_it_is_quiet() -> None:
    stream = MaskingStream([VALUE])
    stream.feed(f"> {VALUE[:9]}".encode())
    assert stream.settle() == b"> "
    assert stream.feed(f"{VALUE[9:]}\n".encode()) == b"[redacted]\n"


SECRETS = [
    "sk-ant-api03-abcdefghijklmnop",
    "ghp_abcdefghijklmnopqrstuvwxyz0123456789",
    "github_pat_11ABCDEFG0abcdefghijkl_mnop",
    "AKIAIOSFODNN7EXAMPLE",
    "xoxb-1234567890-abcdefghij",
    "AIzaSyA-abcdefghijklmnopqrstuvwxyz01234",
    "API_KEY=abcdefghij1234567890",
    "Authorization: Bearer abcdefghij1234567890",
    "https://me:abcdefghij1234567890@example.org/",
    f"eyJ{'a' * 20}.eyJ{'b' * 20}.{'c' * 20}",
]


@given(st.sampled_from(SECRETS), st.integers(min_value=2, max_value=60), st.integers(1, 3))
def test_a_shape_that_comes_in_two_pieces_is_masked(secret: str, cut: int, quiet: int) -> None:
    text = f"> {secret} ok\n".encode()
    out = run_quietly([text[: cut + 2], text[cut + 2 :]], quiet)
    assert out == Redactor().clean_bytes(text)
    assert b"[redacted]" in out


@given(st.sampled_from([one for one in SECRETS if "@" not in one]), st.lists(st.integers(0, 60)))
def test_what_comes_after_the_patience_is_masked_too(secret: str, cuts: list[int]) -> None:
    text = f"> {secret} ok\n".encode()
    borders = sorted({0, len(text), *(cut for cut in cuts if cut < len(text))})
    pieces = [text[start:end] for start, end in itertools.pairwise(borders)]
    out = run_quietly(pieces, PATIENCE + 1)
    assert secret.encode() not in out
    assert out.endswith(b"\n")


def run_quietly(pieces: list[bytes], settles: int) -> bytes:
    """Each piece, and a silence after it."""
    stream = MaskingStream()
    out = b""
    for piece in pieces:
        out += stream.feed(piece)
        for _ in range(settles):
            out += stream.settle()
    return out + stream.close()


@given(
    st.lists(st.text("ab:/=. -\nkeytoken", max_size=30), max_size=8), st.integers(0, PATIENCE + 1)
)
def test_a_silence_changes_nothing_else(pieces: list[str], settles: int) -> None:
    text = "".join(pieces).encode()
    assume(Redactor().clean_bytes(text) == text)
    assert run_quietly([piece.encode() for piece in pieces], settles) == text


def test_a_suspicious_tail_is_not_held_for_ever() -> None:
    stream = MaskingStream()
    assert stream.feed(b"ab key: gh") == b""
    out = [stream.settle() for _ in range(PATIENCE + 1)]
    assert b"".join(out) == b"ab key: gh"
    assert out[-1]
    assert not stream.holds


def test_an_endless_line_is_not_held_for_ever() -> None:
    stream = MaskingStream()
    out = stream.feed(b"word " * LONGEST_LINE)
    assert len(out) > LONGEST_LINE
    assert out.endswith(b"word ")


def test_a_key_without_an_end_is_not_held_for_ever() -> None:
    stream = MaskingStream()
    begin = b"-----BEGIN PRIVATE KEY-----\n"
    assert stream.feed(begin) == b""
    out = stream.feed(b"Ab3/" * 16 + b"\n" + b"plain words; \n" * LONGEST_KEY)
    assert out
    assert b"Ab3/" not in out


def test_a_log_is_private(tmp_path: Path) -> None:
    log = RawLog(str(tmp_path / "raw" / "keeper.log"))
    log.write(b"hello\n")
    log.close()
    path = tmp_path / "raw" / "keeper.log"
    assert path.read_bytes() == b"hello\n"
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_log_is_cut_at_its_limit_and_loses_nothing_recent(tmp_path: Path) -> None:
    path = tmp_path / "keeper.log"
    log = RawLog(str(path), limit=100)
    for number in range(20):
        log.write(b"line %04d\n" % number)
    log.close()
    older = (tmp_path / "keeper.log.1").read_bytes()
    assert len(older) <= 100
    assert (older + path.read_bytes()).endswith(
        b"".join(b"line %04d\n" % number for number in range(11, 20))
    )


def test_a_log_that_was_removed_begins_anew(tmp_path: Path) -> None:
    path = tmp_path / "keeper.log"
    log = RawLog(str(path))
    log.write(b"one\n")
    path.unlink()
    log.write(b"two\n")
    log.close()
    assert path.read_bytes() == b"two\n"


def test_a_link_in_the_place_of_a_log_is_not_followed(tmp_path: Path) -> None:
    target = tmp_path / "elsewhere"
    target.write_bytes(b"precious\n")
    (tmp_path / "keeper.log").symlink_to(target)
    log = RawLog(str(tmp_path / "keeper.log"))
    log.write(b"one\n")
    log.close()
    assert target.read_bytes() == b"precious\n"


@pytest.fixture
def pipe() -> tuple[int, int]:
    return os.pipe()


def test_the_filter_writes_a_prompt_without_a_line_end(
    tmp_path: Path, pipe: tuple[int, int]
) -> None:
    source, sink = pipe
    path = tmp_path / "keeper.log"
    log = RawLog(str(path), [VALUE])
    thread = threading.Thread(target=panelog.pump, args=(source, log))
    thread.start()
    try:
        os.write(sink, b"Name? ")
        wait_for(lambda: path.exists() and path.read_bytes() == b"Name? ", what="the prompt")
        os.write(sink, VALUE[:8].encode())
        wait_for(lambda: path.read_bytes() == b"Name? " + VALUE[:8].encode(), what="the tail")
    finally:
        os.close(sink)
        thread.join(10)
        os.close(source)
        log.close()
    assert not thread.is_alive()
