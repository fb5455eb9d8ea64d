"""The conversation on disk: whole lines only, and a copy for whoever goes on with it."""

import json
from pathlib import Path

from snakepit.agents.anthropic.transcript import NAME, Transcript, earlier_transcript, whole_lines


def filled(path: Path) -> Transcript:
    made = Transcript(path)
    made.add("begin", session="s", text_hash="h")
    made.add("prompt", text="do it", origin="task")
    return made


def test_what_was_added_is_read_again(tmp_path: Path) -> None:
    made = filled(tmp_path / NAME)
    made.close()
    again = Transcript(tmp_path / "next.jsonl", earlier=tmp_path / NAME)
    assert again.conversation.session == "s"
    assert again.conversation.messages == made.conversation.messages
    again.add("prompt", text="and that", origin="person")
    again.close()
    assert len((tmp_path / "next.jsonl").read_text().splitlines()) == 3
    assert len((tmp_path / NAME).read_text().splitlines()) == 2, "the earlier one stays"


def test_a_torn_line_is_no_line_at_every_length(tmp_path: Path) -> None:
    path = tmp_path / NAME
    filled(path).close()
    data = path.read_bytes()
    first = data.index(b"\n") + 1
    for size in range(first, len(data)):
        path.write_bytes(data[:size])
        assert whole_lines(path) == data[:first]
    path.write_bytes(data)
    assert whole_lines(path) == data


def test_nothing_behind_a_broken_line_is_trusted(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_bytes(b'{"t":"begin"}\nbroken\n{"t":"prompt","text":"x"}\n')
    assert whole_lines(path) == b'{"t":"begin"}\n'
    path.write_bytes(b"[1]\n")
    assert whole_lines(path) == b""


def test_text_that_is_no_text_is_kept_readable(tmp_path: Path) -> None:
    made = filled(tmp_path / NAME)
    made.add("result", id="x", content="\udcff and ü\n", is_error=False)
    made.close()
    last = (tmp_path / NAME).read_text().splitlines()[-1]
    assert json.loads(last)["content"].endswith("ü\n")


def test_the_newest_earlier_run_is_found(tmp_path: Path) -> None:
    for number in (1, 2, 3, 10, 11):
        (tmp_path / str(number)).mkdir()
    for number in (1, 3, 11):
        (tmp_path / str(number) / NAME).write_text("")
    (tmp_path / "2" / NAME).symlink_to(tmp_path / "1" / NAME)
    assert earlier_transcript(tmp_path / "10") == tmp_path / "3" / NAME
    assert earlier_transcript(tmp_path / "3") == tmp_path / "1" / NAME, "a link is no transcript"
    assert earlier_transcript(tmp_path / "1") is None
