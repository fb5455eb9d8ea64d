"""Proves how a task's own code is run: in order, as one tree, within its time, seen while it runs."""

import os
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from snakepit import clock
from snakepit.agents.script import Job, Outcome, blocks_of, run
from snakepit.errors import AgentError
from snakepit.pool.tree import MARK, RunTree
from snakepit.session.masking import MaskingStream
from snakepit.system import process
from tests.agents.test_output import Shown
from tests.support.processes import PLAIN_ENV, Escapee

GENERATION = "test-script-generation"


class Calm:
    """Attention that says what `word` answers at each look."""

    def __init__(self, word: Callable[[], str] = lambda: "", reader: int = -1) -> None:
        self.word = word
        self.reader = reader

    def descriptors(self) -> Sequence[int]:
        return (self.reader,)

    def look(self) -> str:
        return self.word()


class Bench:
    """Runs bodies in a folder of their own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "waste"
        self.cwd = folder / "cwd"
        self.folder.mkdir()
        self.cwd.mkdir()
        self.shown = Shown()

    def run(
        self,
        body: str,
        *,
        timeout_s: float = 20.0,
        secrets: Sequence[str] = (),
        attention: Calm | None = None,
        env: dict[str, str] | None = None,
    ) -> Outcome:
        own = PLAIN_ENV if env is None else env
        job = Job(
            blocks=blocks_of(body, is_script=False),
            env={**own, MARK: GENERATION},
            cwd=self.cwd,
            folder=self.folder,
            timeout_s=timeout_s,
        )
        tree = RunTree(GENERATION, is_subreaper=False)
        return run(
            job,
            mask=MaskingStream(secrets),
            screen=self.shown,
            attention=attention or Calm(),
            end_rest=tree.end,
        )


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def fence(language: str, code: str) -> str:
    return f"```{language} run\n{code}\n```\n"


def test_blocks_run_in_order_with_their_interpreters(bench: Bench) -> None:
    body = fence("bash", "echo ${BASH_VERSION:+bash}") + fence("python", "print('py')")
    body += fence("sh", "echo sh >&2")
    done = bench.run(body)
    assert done == Outcome(text="bash\npy\nsh")
    assert bench.shown.data == b"bash\npy\nsh\n"


def test_blocks_share_the_folder_and_not_the_shell(bench: Bench) -> None:
    done = bench.run(fence("bash", "X=1; pwd; echo y > f") + fence("bash", 'echo "$X"; cat f'))
    assert done.text == f"{bench.cwd}\n\ny"


def test_the_first_failing_block_ends_the_run_and_is_named(bench: Bench) -> None:
    body = "# Title\n\n" + fence("bash", "echo fine") + fence("bash", "echo no such luck; exit 3")
    done = bench.run(body + fence("bash", "echo never"))
    assert done.reason == "block 2 (bash, line 6 of the text) ended with exit 3: no such luck"
    assert "never" not in done.text


def test_a_signal_is_named(bench: Bench) -> None:
    assert bench.run(fence("sh", "kill -9 $$")).reason == (
        "block 1 (sh, line 1 of the text) was ended by signal 9"
    )


def test_exactly_the_environment_given(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SECRET_KEY_OF_THE_WORKER", "x" * 20)
    done = bench.run(fence("sh", "env"), env={"PATH": os.environ["PATH"], "A": "b"})
    seen = {line.partition("=")[0] for line in done.text.splitlines()}
    assert seen - {"PWD", "OLDPWD", "SHLVL", "_"} == {"PATH", "A", MARK}


def test_nothing_can_be_read_from_the_terminal(bench: Bench) -> None:
    done = bench.run(fence("bash", 'read x; echo "<$x>"; (: < /dev/tty) 2>&1 | tail -c 200'))
    assert done.text.startswith("<>")
    assert "/dev/tty" in done.text


def test_secrets_are_masked_wherever_the_output_goes(bench: Bench) -> None:
    done = bench.run(
        fence("sh", "printf 'my-secret'; echo '-value is out'"), secrets=["my-secret-value"]
    )
    log = (bench.folder / "output.log").read_text()
    for text in (done.text, log, bench.shown.data.decode()):
        assert "my-secret-value" not in text
        assert "[redacted] is out" in text


def test_a_timeout_ends_the_whole_tree_and_keeps_what_was_said(bench: Bench) -> None:
    escapee = Escapee(bench.cwd)
    body = fence("bash", f"{escapee.line}\necho before\nprintf half-a-line\nsleep 60")
    began = clock.monotonic()
    done = bench.run(body, timeout_s=1.0, env=PLAIN_ENV)
    assert clock.monotonic() - began < 10
    assert done.reason == "timed out after 1s in block 1 (bash, line 1 of the text)"
    assert done.text == "before\nhalf-a-line"


def test_python_says_what_it_said_before_a_timeout(bench: Bench) -> None:
    body = fence("python", "import time\nprint('said')\ntime.sleep(60)")
    assert bench.run(body, timeout_s=1.0).text == "said"


def test_what_is_left_in_the_background_ends_with_the_run(bench: Bench) -> None:
    note = bench.cwd / "pid"
    body = fence(
        "bash", f"(echo $BASHPID > {note}; exec sleep 60) &\nwhile ! [ -s {note} ]; do :; done"
    )
    body += fence("bash", f"kill -0 $(cat {note}) && echo alive in the next block")
    done = bench.run(body)
    assert done.text == "alive in the next block"
    assert not process.is_running(int(note.read_text()))


def test_a_word_ends_the_run(bench: Bench) -> None:
    reader, writer = os.pipe()
    os.write(writer, b"x")
    done = bench.run(fence("bash", "sleep 60"), attention=Calm(lambda: "stop", reader))
    os.close(reader)
    os.close(writer)
    assert done.stopped == "stop"
    assert done.reason == ""


def test_much_output_passes(bench: Bench) -> None:
    done = bench.run(fence("bash", "seq 1 200000"))
    assert done.text.endswith("199999\n200000")
    assert (bench.folder / "output.log").stat().st_size == 1288895


def test_a_missing_interpreter_is_said(bench: Bench, tmp_path: Path) -> None:
    done = bench.run(fence("bash", "true"), env={"PATH": str(tmp_path)})
    assert (
        done.reason
        == "block 1 (bash, line 1 of the text): cannot start bash: No such file or directory"
    )


def test_a_missing_folder_is_said(bench: Bench) -> None:
    bench.cwd.rmdir()
    assert f"cannot start {bench.cwd}" in bench.run(fence("bash", "true")).reason


def test_prose_with_code_is_nothing_to_run() -> None:
    with pytest.raises(AgentError, match="no code block to run"):
        blocks_of("# x\n\n```bash\nrm -rf /\n```\n", is_script=False)


def test_a_script_task_runs_every_block_it_can_if_none_is_marked() -> None:
    body = "```bash\none\n```\n```json\n{}\n```\n```python\ntwo\n```\n"
    assert [block.code for block in blocks_of(body, is_script=True)] == ["one\n", "two\n"]


def test_marked_blocks_alone_run_in_a_script_task_that_marks() -> None:
    body = "```bash\nexample\n```\n```bash run\nthis\n```\n"
    assert [block.code for block in blocks_of(body, is_script=True)] == ["this\n"]


def test_an_unknown_language_is_refused_before_anything_runs() -> None:
    body = fence("bash", "true") + fence("rust", "fn main() {}")
    with pytest.raises(AgentError, match="line 4 of the text: no interpreter for `rust run`"):
        blocks_of(body, is_script=True)
