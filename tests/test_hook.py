"""The hook as programs call it: one line for whoever reads, whatever happens, and never a word or a wait."""

import errno
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from snakepit.pool.equip import HOOK
from snakepit.pool.spool import Line, parse

IDENTITY = {
    "SNAKEPIT_WORKER": "snake-1",
    "SNAKEPIT_GENERATION": "g1",
    "SNAKEPIT_TASK": 'a "b" ü.md',
    "SNAKEPIT_ATTEMPT": "2",
}


def run_hook(
    spool: Path, *words: str, stdin: bytes = b"", seconds: float = 20
) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(
        [sys.executable, "-I", "-S", str(HOOK), str(spool), *words],
        input=stdin,
        capture_output=True,
        env={**IDENTITY},
        timeout=seconds,
    )


def was_silent(done: "subprocess.CompletedProcess[bytes]") -> bool:
    return (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def lines_of(spool: Path) -> list[Line]:
    found = [parse(raw) for raw in spool.read_bytes().split(b"\n")]
    return [line for line in found if line is not None]


def test_one_line_with_who_and_what(tmp_path: Path) -> None:
    spool = tmp_path / "snake-1.jsonl"
    said = {"hook_event_name": "Stop", "text": "ü\n\t\u0001 😀"}
    assert was_silent(run_hook(spool, stdin=json.dumps(said, indent=2).encode()))
    (line,) = lines_of(spool)
    assert (line.worker, line.generation, line.task, line.attempt) == (
        "snake-1",
        "g1",
        'a "b" ü.md',
        2,
    )
    assert line.said == said
    assert line.at > 1e9
    assert spool.stat().st_mode & 0o777 == 0o600


def test_a_payload_that_is_an_argument(tmp_path: Path) -> None:
    spool = tmp_path / "snake-1.jsonl"
    assert was_silent(run_hook(spool, '{"type": "agent-turn-complete"}'))
    assert lines_of(spool)[0].said == {"type": "agent-turn-complete"}


def test_a_status_line_keeps_only_the_last(tmp_path: Path) -> None:
    spool = tmp_path / "snake-1.jsonl"
    for number in range(3):
        assert was_silent(run_hook(spool, "status", stdin=b'{"n": %d}' % number))
    assert [path.name for path in tmp_path.iterdir()] == ["snake-1.status.json"]
    assert lines_of(tmp_path / "snake-1.status.json")[0].said == {"n": 2}


@pytest.mark.parametrize("stdin", [b"", b"no json", b"\xff\xfe\x00", b"[1, 2]", b"{"])
def test_what_is_no_object_is_a_line_without_words(stdin: bytes, tmp_path: Path) -> None:
    spool = tmp_path / "snake-1.jsonl"
    assert was_silent(run_hook(spool, stdin=stdin))
    assert lines_of(spool)[0].said == {}


def test_a_huge_payload_is_cut_and_its_keys_survive(tmp_path: Path) -> None:
    spool = tmp_path / "snake-1.jsonl"
    said = {"session_id": "s1", "tool_name": "Read", "tool_response": "x" * 9_000_000, "id": "t9"}
    assert was_silent(run_hook(spool, stdin=json.dumps(said).encode()))
    assert spool.stat().st_size < 600_000
    (line,) = lines_of(spool)
    assert line.is_cut
    assert (line.said["session_id"], line.said["tool_name"], line.said["id"]) == (
        "s1",
        "Read",
        "t9",
    )


def test_without_its_folder_it_ends_well(tmp_path: Path) -> None:
    assert was_silent(run_hook(tmp_path / "gone" / "snake-1.jsonl", stdin=b"{}"))
    assert was_silent(run_hook(tmp_path, stdin=b"{}"))
    assert was_silent(run_hook(tmp_path / "gone" / "snake-1.jsonl", "status", stdin=b"{}"))


def test_a_full_disk_costs_nothing_but_the_line() -> None:
    assert was_silent(run_hook(Path("/dev/full"), stdin=b"{}"))
    with pytest.raises(OSError) as raised, open("/dev/full", "wb", buffering=0) as full:
        full.write(b"x")
    assert raised.value.errno == errno.ENOSPC


def test_a_pipe_that_nobody_reads_does_not_hold_it(tmp_path: Path) -> None:
    pipe = tmp_path / "snake-1.jsonl"
    os.mkfifo(pipe)
    assert was_silent(run_hook(pipe, stdin=b"{}"))


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "snake-1.jsonl").symlink_to(tmp_path / "elsewhere")
    assert was_silent(run_hook(tmp_path / "snake-1.jsonl", stdin=b"{}"))
    assert not (tmp_path / "elsewhere").exists()


def test_stdin_that_never_ends_is_given_up(tmp_path: Path) -> None:
    spool = tmp_path / "snake-1.jsonl"
    running = subprocess.Popen(
        [sys.executable, "-I", "-S", str(HOOK), str(spool)], stdin=subprocess.PIPE, env=IDENTITY
    )
    assert running.stdin is not None
    running.stdin.write(b'{"half": ')
    running.stdin.flush()
    assert running.wait(20) == 0
    running.stdin.close()
    assert len(lines_of(spool)) == 1


def test_without_arguments_it_ends_well() -> None:
    done = subprocess.run(
        [sys.executable, "-I", "-S", str(HOOK)], capture_output=True, stdin=subprocess.DEVNULL
    )
    assert was_silent(done)


def test_many_at_once_tear_no_line(tmp_path: Path) -> None:
    spool = tmp_path / "snake-1.jsonl"
    payload = json.dumps({"text": "y" * 100_000}).encode()
    argv = [sys.executable, "-I", "-S", str(HOOK), str(spool)]
    running = [subprocess.Popen(argv, stdin=subprocess.PIPE, env=IDENTITY) for _ in range(8)]
    for one in running:
        one.communicate(payload, timeout=30)
    assert [line.said for line in lines_of(spool)] == [json.loads(payload)] * 8
