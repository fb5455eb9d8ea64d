"""Each line of a spool is read once: after a restart, past torn lines, over a change of the file."""

import json
import os
from pathlib import Path

import pytest

from snakepit.config.model import Config
from snakepit.pool import spool
from snakepit.pool.spool import new_lines, spool_path, workers
from tests.support.pits import make_config


@pytest.fixture
def config(tmp_path: Path) -> Config:
    made = make_config(tmp_path)
    spool.make_folder(made)
    return made


def raw(number: int) -> bytes:
    said = json.dumps({"n": number})
    return b"\n" + json.dumps({"at": 1.0, "worker": "snake-1", "said": said}).encode() + b"\n"


def put(config: Config, data: bytes) -> None:
    with open(spool_path(config, "snake-1"), "ab") as file:
        file.write(data)


def numbers(config: Config) -> list[object]:
    with new_lines(config, "snake-1") as lines:
        return [line.said.get("n") for line in lines]


def test_each_line_comes_once(config: Config) -> None:
    assert numbers(config) == []
    put(config, raw(1) + raw(2))
    assert numbers(config) == [1, 2]
    assert numbers(config) == []
    put(config, raw(3))
    assert numbers(config) == [3]
    assert workers(config) == ["snake-1"]


def test_a_line_that_is_not_whole_waits(config: Config) -> None:
    whole = raw(2)
    put(config, raw(1) + whole[:-9])
    assert numbers(config) == [1]
    put(config, whole[-9:])
    assert numbers(config) == [2]


def test_a_torn_line_costs_no_other(config: Config) -> None:
    put(config, raw(1) + raw(7)[:-12] + raw(2))
    assert numbers(config) == [1, 2]


def test_what_a_reader_could_not_use_comes_again(config: Config) -> None:
    put(config, raw(1))
    with pytest.raises(RuntimeError), new_lines(config, "snake-1") as lines:
        assert len(lines) == 1
        raise RuntimeError
    assert numbers(config) == [1]


def test_two_readers_do_not_share_a_line(config: Config) -> None:
    put(config, raw(1))
    with new_lines(config, "snake-1") as first, new_lines(config, "snake-1") as second:
        assert (len(first), len(second)) == (1, 0)
    assert numbers(config) == []


def test_a_shortened_or_new_file_is_read_from_its_beginning(config: Config) -> None:
    put(config, raw(1) + raw(2))
    assert numbers(config) == [1, 2]
    os.truncate(spool_path(config, "snake-1"), 0)
    put(config, raw(3))
    assert numbers(config) == [3]
    os.unlink(spool_path(config, "snake-1"))
    put(config, raw(4))
    assert numbers(config) == [4]


def test_a_large_one_is_put_aside_and_loses_nothing(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "LARGE", 50)
    path = spool_path(config, "snake-1")
    put(config, raw(1))
    with open(path, "ab") as slow:  # a writer that had it open when it was put aside
        assert numbers(config) == [1]
        assert not path.exists()
        slow.write(raw(2))
    put(config, raw(3))
    assert numbers(config) == [2]
    old = path.with_suffix(".jsonl.old")
    assert numbers(config) == []
    assert old.exists()
    os.utime(old, (1, 1))
    assert numbers(config) == []
    assert not old.exists()
    assert numbers(config) == [3]


def test_bytes_that_are_no_lines_are_passed_by(
    config: Config, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "BATCH", 100)
    monkeypatch.setattr(spool, "LONGEST_LINE", 1000)
    put(config, b"\0" * 5000 + raw(1))
    found = [numbers(config) for _ in range(8)]
    assert [1] in found


def test_a_line_nested_without_end_is_no_line(config: Config) -> None:
    deep = b'{"said":' + b"[" * 100_000 + b"]" * 100_000 + b"}\n"
    put(config, deep + raw(1))
    assert numbers(config) == [1]
