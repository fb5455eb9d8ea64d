"""Killed at every step, the work goes on: what has a result is never done again, what was running is said."""

import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from snakepit.agents.anthropic.settings import Settings
from snakepit.agents.anthropic.toolbox import Given, Tool, ToolResult, shape, text
from snakepit.agents.anthropic.transcript import NAME, Transcript, records, whole_lines
from snakepit.core.conversation import INTERRUPTED, fold
from tests.agents.anthropic.scene import Scene
from tests.standin.fixture import Vendor
from tests.standin.space import Asked
from tests.standin.steps import Call, Step, say, tool

STEPS = 4  # calls before the end
KILLED = 77


def marking(folder: Path) -> Tool:
    """A tool whose every run leaves a line: what was done twice is seen."""

    def run(given: Given) -> ToolResult:
        with open(folder / "ran", "a") as file:
            file.write(f"{given['what']}\n")
        return ToolResult(f"did {given['what']}")

    return Tool("mark", "Do it.", shape("what", what=text("What.")), run)


def model(asked: Asked) -> Step:
    """Goes by the conversation alone: two calls at once, then one after the other, then the end."""
    count = len(asked.talk.calls)
    if count == 0:
        return Step(calls=(Call("mark", {"what": "a"}), Call("mark", {"what": "b"})))
    if count < STEPS:
        return tool("mark", {"what": "abcd"[count]}, text=f"Next is {'abcd'[count]}.")
    if count == STEPS:
        return tool("done", {"result": f"all {STEPS} done"})
    return say("nothing should be asked after done")


def dying(at: int, *, torn: bool, before: bool) -> type[Transcript]:
    """A transcript whose process dies at its record number `at`: before it, in its middle, or behind it."""

    class Dying(Transcript):
        count = 0

        def add(self, kind: str, /, **fields: object) -> None:
            type(self).count += 1
            if self.count != at:
                super().add(kind, **fields)
                return
            if not before:
                super().add(kind, **fields)
                if torn:
                    with open(self.path, "r+b") as file:
                        file.seek(0, os.SEEK_END)
                        file.truncate(file.tell() - 7)
            os.kill(os.getpid(), signal.SIGKILL)

    return Dying


def in_child(run: Callable[[], object]) -> int:
    """The wait status of a forked process that runs it."""
    pid = os.fork()
    if pid == 0:
        try:
            run()
        except BaseException:
            os._exit(3)
        os._exit(0)
    return os.waitpid(pid, 0)[1]


class Death(NamedTuple):
    at: int
    torn: bool
    before: bool

    @property
    def test_id(self) -> str:
        how = "before" if self.before else "torn" if self.torn else "behind"
        return f"{how}-{self.at}"


# begin prompt answer call result call result answer call result answer call result answer call result
RECORDS = 16
TORN = (2, 3, 5, 16)  # that a line is cut at any length is the transcript's own test
DEATHS = [
    *(Death(at, False, before) for at in range(1, RECORDS + 1) for before in (True, False)),
    *(Death(at, True, False) for at in TORN),
]


@pytest.mark.filterwarnings("ignore:This process .* is multi-threaded:DeprecationWarning")
@pytest.mark.parametrize("death", DEATHS, ids=lambda death: death.test_id)
def test_a_run_killed_at_any_step_goes_on(death: Death, tmp_path: Path, vendor: Vendor) -> None:
    vendor.space.always(model)
    first = Scene(folder=tmp_path / "1", url=vendor.url, settings=Settings(retries=0))
    first.folder.mkdir()
    first.extra = [marking(tmp_path)]
    first.transcript_class = dying(death.at, torn=death.torn, before=death.before)
    status = in_child(first.run)
    assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, status

    earlier = first.folder / NAME
    before = fold(records(whole_lines(earlier)))
    unknown = [call for call in before.pending() if before.is_interrupted(call)]
    second = Scene(folder=tmp_path / "2", url=vendor.url, settings=Settings(retries=0))
    second.extra = [marking(tmp_path)]
    second.earlier = earlier
    ended = second.run()
    assert (ended.kind, ended.text) == ("ok", f"all {STEPS} done")

    told = {event["tool_call_id"] for event in second.told("tool_result") if event["interrupted"]}
    assert told == {call.id for call in unknown if call.name == "mark"}
    ran = (tmp_path / "ran").read_text().split()
    assert len(ran) == len(set(ran)), "nothing ran twice"
    assert ended.usage.output == 42 * second.transcript.conversation.turns, "the killed run's too"
    perhaps = {str(call.input.get("what")) for call in unknown if isinstance(call.input, dict)}
    assert set("abcd") - set(ran) <= perhaps, "nothing was left out but what was said to be unknown"


def test_a_run_killed_in_the_middle_of_a_tool_tells_the_model(
    tmp_path: Path, vendor: Vendor
) -> None:
    vendor.space.always(model)
    first = Scene(folder=tmp_path / "1", url=vendor.url, settings=Settings(retries=0))

    def run(given: Given) -> ToolResult:
        (tmp_path / "half").write_text("half of it")
        os.kill(os.getpid(), signal.SIGKILL)
        return ToolResult("never")

    first.extra = [marking(tmp_path)._replace(run=run)]
    assert os.WIFSIGNALED(in_child(first.run))
    second = Scene(folder=tmp_path / "2", url=vendor.url, settings=Settings(retries=0))
    second.extra = [marking(tmp_path)]
    second.earlier = first.folder / NAME
    assert second.run().is_ok
    told = [asked.talk.results for asked in vendor.space.main if asked.talk.results]
    assert told[0][0] == INTERRUPTED
    assert told[0][1] == "did b", "the second call of that answer had not begun"
    assert (tmp_path / "ran").read_text().split() == ["b", "c", "d"]
    origins = [event["origin"] for event in second.told("user_prompt")]
    assert origins == ["resume"]


def test_an_end_that_was_recorded_needs_no_model(tmp_path: Path, vendor: Vendor) -> None:
    first = Scene(folder=tmp_path / "1", url=vendor.url)
    vendor.space.then(say("The end."))
    first.run()
    second = Scene(folder=tmp_path / "2", url="http://127.0.0.1:9", earlier=first.folder / NAME)
    assert second.run().text == "The end."
    assert len(vendor.space.main) == 1


def test_what_the_account_cut_off_goes_on_later(tmp_path: Path, vendor: Vendor) -> None:
    first = Scene(folder=tmp_path / "1", url=vendor.url)
    vendor.space.then(tool("bash", {"command": "echo once >> once"}), "429_5h")
    assert first.run().kind == "limited"
    vendor.space.clear().then(say("Finished."))
    second = Scene(folder=tmp_path / "2", url=vendor.url, earlier=first.folder / NAME)
    ended = second.run()
    assert ended.text == "Finished."
    assert second.told("tool_call") == []
    assert second.transcript.conversation.usage.output == 2 * 42, "limits count over all runs"
    assert ended.usage.output == 42, "each run reports its own"
