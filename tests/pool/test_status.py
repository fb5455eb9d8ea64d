"""status: every state a snake can be in, and plain words for why food waits."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from snakepit.config.model import Config
from snakepit.core.order import ClassKey
from snakepit.core.view import WorkerView
from snakepit.pool import crew, status
from snakepit.pool.crew import Crew
from snakepit.session.base import Pane
from tests.cli.pits import Box, make_box

FLEET = """
[defaults]
tmux_socket = "snakepit-test-nobody"

[[pool]]
name = "snake"
count = 2
backend = "script"
species = "script"

[[agent]]
name = "show"
backend = "demo"

[[agent]]
name = "mind"
backend = "thinker"
species = "planner"

[backend.thinker]
bin = "no-such-agent-cli --go"

[[service]]
name = "tail"
command = "tail -f x"
"""


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return make_box(tmp_path, FLEET)


def config_of(box: Box) -> Config:
    with box.opened() as pit:
        return pit.config


def pane(session: str, *, dead: bool = False) -> Pane:
    return Pane(session=f"snakepit-{session}", pane_id="%1", pid=1, dead=dead)


def seen_with(monkeypatch: pytest.MonkeyPatch, *panes: Pane) -> None:
    found = {one.session: one for one in panes}
    monkeypatch.setattr(crew, "_panes", lambda _: (found, ()))


def states(config: Config) -> Mapping[str, str]:
    return {worker.name: worker.state for worker in status.view(config).workers}


def test_nothing_runs(box: Box) -> None:
    config = config_of(box)
    assert states(config) == {
        "snake-1": "stopped",
        "snake-2": "stopped",
        "show": "stopped",
        "mind": "no model",
    }
    mind = status.view(config).workers[1]
    assert mind.note == "no-such-agent-cli is not on PATH"


def test_panes_and_lives(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(box)
    seen_with(monkeypatch, pane("snake-1"), pane("snake-2", dead=True), pane("show"), pane("tail"))
    assert states(config)["snake-1"] == "starting"
    with box.living("snake-1"):
        view = status.view(config)
    by_name = {worker.name: worker for worker in view.workers}
    assert by_name["snake-1"].state == "waiting"
    assert by_name["snake-2"].state == "dead"
    assert by_name["show"].state == "running"
    assert by_name["show"].note == ""  # it calls no model, with or without food
    assert by_name["show"].attach == "tmux -L snakepit-test-nobody attach -t =snakepit-show"
    assert [service.state for service in view.services] == ["running"]


def test_working_on_what_and_since_when(box: Box) -> None:
    box.ok("feed", "-m", "x", "--name", "meal", "--species", "script")
    with box.living("snake-1") as (snake, _):
        snake.ok("claim")
        (worker,) = [w for w in status.view(config_of(box)).workers if w.task]
    assert (worker.name, worker.state, worker.task) == ("snake-1", "working", "meal.md")
    assert worker.since_s is not None
    assert 0 <= worker.since_s < 30


def test_paused_and_scaled(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    config = config_of(box)
    state = config.state_dir / "overrides.toml"
    state.parent.mkdir(parents=True, exist_ok=True)
    state.write_text('[scale]\nsnake = 3\n\n[paused]\n"snake-3" = true\n')
    seen_with(monkeypatch, pane("snake-3"))
    with box.living("snake-3"):
        view = status.view(config)
    assert {w.name: w.state for w in view.workers}["snake-3"] == "paused"
    assert view.scaled == {"snake": 3}
    assert view.paused_workers == ("snake-3",)


def test_degraded_and_restarts(box: Box) -> None:
    config = config_of(box)
    folder = config.state_dir / "restarts"
    folder.mkdir(parents=True)
    (folder / "snake-1.json").write_text(json.dumps({"restarts": [1, 2, 3], "degraded": True}))
    (folder / "snake-2.json").write_text("damaged")
    by_name = {worker.name: worker for worker in status.view(config).workers}
    assert (by_name["snake-1"].state, by_name["snake-1"].restarts) == ("degraded", 3)
    assert by_name["snake-2"].restarts == 0


def test_a_person_in_claimed_is_shown(box: Box) -> None:
    config = config_of(box)
    mine = box.pit / "claimed" / "me"
    mine.mkdir()
    (mine / "x.md").write_text("x")
    (worker,) = [w for w in status.view(config).workers if w.name == "me"]
    assert (worker.state, worker.task) == ("by hand", "x.md")


def test_tmux_that_does_not_answer_is_a_note(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from snakepit.errors import TmuxUnavailable
    from snakepit.session.tmux import TmuxHost

    def fails(_: TmuxHost) -> list[Pane]:
        msg = "no answer in 5 s"
        raise TmuxUnavailable(msg)

    monkeypatch.setattr(crew, "_has_socket", lambda _: True)
    monkeypatch.setattr(TmuxHost, "panes", fails)
    view = status.view(config_of(box))
    assert "tmux does not answer: no answer in 5 s" in view.notes


def test_tmux_is_asked_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    from snakepit.session.tmux import TmuxHost

    calls: list[TmuxHost] = []

    def panes(host: TmuxHost) -> list[Pane]:
        calls.append(host)
        return []

    monkeypatch.setattr(crew, "_has_socket", lambda _: True)
    monkeypatch.setattr(TmuxHost, "panes", panes)
    status.view(config_of(box))
    assert len(calls) == 1


def crew_of(box: Box, **found: str) -> Crew:
    config = config_of(box)
    views = {
        agent.name: WorkerView(
            name=agent.name, state=found.get(agent.name.replace("-", "_"), "stopped")
        )
        for agent in config.agents
    }
    return Crew(agents=config.agents, views=views)


SCRIPT = ClassKey("script", (), None)
PLAN = ClassKey("planner", (), None)


def test_food_for_a_model_is_told_what_is_missing(box: Box) -> None:
    config = config_of(box)
    seen = status.view(config)
    views = {worker.name: worker for worker in seen.workers}
    why = Crew(agents=config.agents, views=views).why_nobody(PLAN)
    assert why == (
        "for a snake that can think: no-such-agent-cli is not on PATH; see `agents.py doctor`"
    )


@pytest.mark.parametrize(
    ("states_now", "key", "reason"),
    [
        ({"snake_1": "waiting"}, SCRIPT, ""),
        ({"snake_2": "working"}, SCRIPT, ""),
        ({}, SCRIPT, "the pool is not running; `agents.py up`"),
        ({"snake_1": "paused"}, SCRIPT, "snake-1, snake-2: paused; `agents.py resume`"),
        (
            {"snake_1": "degraded"},
            SCRIPT,
            "snake-1, snake-2: degraded, restarting did not help; `agents.py logs snake-1`",
        ),
        ({"mind": "no model"}, PLAN, crew.STARVED),
        ({}, ClassKey("cook", (), None), "for a cook snake: none in agents.toml"),
        (
            {},
            ClassKey("scirpt", (), None),
            'for a scirpt snake: none in agents.toml; did you mean "script"?',
        ),
        (
            {},
            ClassKey("script", (), "snake-9"),
            "for snake-9: no such snake in agents.toml, or it does not eat script food",
        ),
    ],
)
def test_why_food_waits(box: Box, states_now: dict[str, str], key: ClassKey, reason: str) -> None:
    assert crew_of(box, **states_now).why_nobody(key) == reason


def test_many_files_that_nobody_indexed_are_not_all_read(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(box)
    monkeypatch.setattr(status, "READ_AT_MOST", 5)
    for number in range(9):
        (box.pit / "food" / f"t{number}.md").write_text("---\nneeds: [x]\n---\n")
    waits = {wait.reason: wait.count for wait in status.view(config).waits}
    assert waits == {
        "needs x.md, which was never seen": 5,
        "not read yet, since nobody keeps the index": 4,
    }


def test_unreadable_food_is_held_with_what_is_wrong(box: Box) -> None:
    config = config_of(box)
    (box.pit / "food" / "bad.md").write_text("---\npriority: soon\n---\n")
    (wait,) = status.view(config).waits
    assert "priority" in wait.reason
    assert wait.names == ("bad.md",)
