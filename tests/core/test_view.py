import json

from snakepit.core.lifecycle import State
from snakepit.core.view import (
    ServiceView,
    StatusView,
    WaitView,
    WorkerView,
    count_states,
    group_waits,
    plain_lines,
)

VIEW = StatusView(
    pit="/p/pit",
    config="/p/agents.toml",
    daemon="running",
    daemon_pid=7,
    counts=count_states({State.QUEUED: 3, State.CLAIMED: 1}),
    paused=True,
    workers=(
        WorkerView(name="snake-1", state="working", task="x.md", attempt=2, since_s=200.0),
        WorkerView(name="snake-2", state="waiting", restarts=2, note="no model"),
        WorkerView(name="snake-3", state="working", task="y.md", attempt=1),
    ),
    services=(ServiceView(name="cleanlogs", state="running"),),
    waits=group_waits([("b.md", "needs a.md"), ("d.md", "r"), ("c.md", "needs a.md")]),
    paused_workers=("snake-2",),
    scaled={"snake": 2},
    notes=("read this",),
)


def test_plain_lines_say_one_fact_each() -> None:
    assert plain_lines(VIEW) == [
        "pit /p/pit",
        "tasks  queued 3  claimed 1  done 0  dead 0",
        "daemon running, pid 7",
        "paused: no new claims",
        "snake snake-1  working  x.md (attempt 2)  for 3m20s",
        "snake snake-2  waiting  2 restarts  no model",
        "snake snake-3  working  y.md",
        "service cleanlogs  running",
        "2 wait: needs a.md (b.md, c.md)",
        "1 waits: r (d.md)",
        "paused snake-2",
        "scaled snake=2",
        "note: read this",
    ]


def test_why_a_program_is_missing_is_told_once() -> None:
    """The JSON has it for each."""
    lacking = "no agent CLI on PATH"
    workers = tuple(
        WorkerView(name=name, state="no model", note=note)
        for name, note in (("a", lacking), ("b", "other"), ("c", lacking))
    )
    view = StatusView(pit="p", config="c", daemon="d", counts={}, workers=workers)
    assert plain_lines(view)[-3:] == [
        "snake a  no model  no agent CLI on PATH",
        "snake b  no model  other",
        "snake c  no model",
    ]
    assert str(view.to_json()).count(lacking) == 2


def test_an_empty_pit_has_few_lines() -> None:
    view = StatusView(pit="p", config="c", daemon="not running", counts=count_states({}))
    assert plain_lines(view) == [
        "pit p",
        "tasks  queued 0  claimed 0  done 0  dead 0",
        "daemon not running",
    ]


def test_many_waits_show_the_first_names_only() -> None:
    (wait,) = group_waits((f"{n}.md", "r") for n in range(9, 0, -1))
    assert wait == WaitView(reason="r", count=9, names=("1.md", "2.md", "3.md"))
    view = StatusView(pit="p", config="c", daemon="d", counts={}, waits=(wait,))
    assert plain_lines(view)[-1] == "9 wait: r (1.md, 2.md, 3.md, …)"


def test_the_json_has_every_key_also_when_empty() -> None:
    raw = json.loads(json.dumps(VIEW.to_json()))
    assert raw["counts"] == {"queued": 3, "claimed": 1, "done": 0, "dead": 0}
    assert raw["workers"][0]["task"] == "x.md"
    assert raw["waits"][0] == {"reason": "needs a.md", "count": 2, "names": ["b.md", "c.md"]}
    empty = StatusView(pit="p", config="c", daemon="d", counts={}).to_json()
    assert empty.keys() == raw.keys()


def test_a_reason_that_says_for_whom_reads_as_one_sentence() -> None:
    waits = (WaitView(reason="for a snake that can think", count=2, names=()),)
    view = StatusView(pit="p", config="c", daemon="d", counts={}, waits=waits)
    assert plain_lines(view)[-1] == "2 wait for a snake that can think"
