"""Our own agent against the stand-in: its answers, its faults, its limits, its context, its person."""

from typing import NamedTuple

import pytest

from snakepit.agents.anthropic.client import Client
from snakepit.agents.anthropic.settings import Settings
from snakepit.core.usage import Usage
from tests.agents.anthropic.scene import FAST, Scene
from tests.standin.fixture import Vendor
from tests.standin.space import Asked
from tests.standin.steps import Call, Step, say, tool


def bash(command: str, **more: object) -> Step:
    return tool("bash", {"command": command}, **more)


def test_calls_run_in_order_and_their_results_go_back(scene: Scene, vendor: Vendor) -> None:
    both = Step(calls=(Call("bash", {"command": "echo one"}), Call("bash", {"command": "false"})))
    vendor.space.then(both, say("All done."))
    ended = scene.run()
    assert (ended.kind, ended.text) == ("ok", "All done.")
    asked = vendor.space.main[-1]
    assert asked.talk.results == ("one", "(no output)\n[exit 1]")
    blocks = asked.body["messages"][-1]["content"]
    assert [block.get("is_error", False) for block in blocks] == [False, True]
    assert ended.usage == Usage(input=2400, output=84, model="claude-standin")
    assert ended.details["turns"] == 2


def test_a_tool_that_is_misused_says_how(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(
        tool("fly", {}),
        tool("bash", {"cmd": "ls"}),
        tool("bash", {"command": 5}),
        tool("read", {"path": "none"}),
        tool("bash", {"command": "ls", "timeout": True}),
        tool("grep", {"pattern": "["}),
        say("I give up."),
    )
    scene.run()
    results = [str(event["result"]) for event in scene.told("tool_result")]
    says = (
        "no tool fly",
        "command is missing",
        "of type string",
        "No such file",
        "of type integer",
    )
    assert all(word in found for word, found in zip(says, results, strict=False))
    assert all(event["is_error"] for event in scene.told("tool_result"))


def test_grep_and_glob_and_edit_work_together(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(
        tool("write", {"path": "src/a.py", "content": "x = 1\n"}),
        tool("grep", {"pattern": "x = [0-9]", "include": "*.py"}),
        tool("edit", {"path": "src/a.py", "old_string": "x = 1", "new_string": "x = 2"}),
        tool("glob", {"pattern": "**/*.py"}),
        tool("grep", {"pattern": "nowhere"}),
        say("ok"),
    )
    scene.run()
    results = [str(event["result"]) for event in scene.told("tool_result")]
    assert "src/a.py:1:x = 1" in results[1]
    assert results[3:] == ["src/a.py", "nothing matches"]
    assert (scene.folder / "work/src/a.py").read_text() == "x = 2\n"


class Limit(NamedTuple):
    test_id: str
    settings: Settings
    says: str
    answers: int


LIMITS = [
    Limit("turns", FAST._replace(max_turns=3), "3 turns", 3),
    Limit("tokens", FAST._replace(max_tokens=2400), "tokens", 2),
    Limit("money", FAST._replace(budget_usd=0.025), "$0.03", 3),
]


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.test_id)
def test_a_run_ends_at_its_limit(limit: Limit, scene: Scene, vendor: Vendor) -> None:
    scene.settings = limit.settings
    scene.price = lambda used: 0.01
    vendor.space.always(bash("true"))
    ended = scene.run()
    assert ended.kind == "failed"
    assert limit.says in ended.reason
    assert len(vendor.space.main) == limit.answers


def test_money_without_a_price_stops_after_the_first_answer(scene: Scene, vendor: Vendor) -> None:
    scene.settings = FAST._replace(budget_usd=1.0)
    vendor.space.always(bash("true"))
    ended = scene.run()
    assert "price of claude-standin is unknown" in ended.reason
    assert ended.usage.cost_usd is None
    assert len(vendor.space.main) == 1


def test_costs_add_up_over_all_answers(scene: Scene, vendor: Vendor) -> None:
    scene.price = lambda used: used.tokens / 1_000_000
    vendor.space.then(bash("true"), bash("true"), say("x"))
    ended = scene.run()
    assert ended.usage.cost_usd == pytest.approx(3 * 1242 / 1_000_000)
    usage = scene.told("agent_stop")[0]["usage"]
    assert isinstance(usage, dict)
    assert usage["cumulative_cost"] == pytest.approx(3 * 1242 / 1_000_000)
    assert usage["input_cost"] == pytest.approx(0.0012)


def test_a_cut_answer_goes_on(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then("max_tokens", say("and the rest."))
    assert scene.run().text == "and the rest."
    assert "was cut" in vendor.space.main[-1].user


def test_a_call_in_a_cut_answer_is_not_run(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(bash("touch bad", stop="max_tokens"), say("ok"))
    scene.run()
    assert not (scene.folder / "work/bad").exists()


def test_answers_that_are_always_cut_fail(scene: Scene, vendor: Vendor) -> None:
    vendor.space.always("max_tokens")
    assert scene.run().kind == "failed"
    assert len(vendor.space.main) == 4


def test_a_refusal_fails_with_its_words(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then("refusal")
    ended = scene.run()
    assert (ended.kind, ended.reason) == ("failed", "the model refused: I can't help with that.")


def test_silence_is_asked_about_once(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then("empty", say("Sorry. Done."))
    assert scene.run().text == "Sorry. Done."
    assert "said nothing" in vendor.space.main[-1].user


def test_silence_twice_fails(scene: Scene, vendor: Vendor) -> None:
    vendor.space.always("empty")
    assert scene.run().kind == "failed"


def test_done_and_fail_end_it(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(tool("fail", {"reason": "no compiler"}))
    ended = scene.run()
    assert (ended.kind, ended.reason) == ("failed", "no compiler")


def test_a_line_typed_at_the_pane_joins_the_next_turn(scene: Scene, vendor: Vendor) -> None:
    def second(asked: Asked) -> Step:
        return say("Yes." if "use tabs" in asked.user else "Nothing heard.")

    vendor.space.then(bash("echo hi"), second)
    scene.lines = ["use tabs"]
    assert scene.run().text == "Yes."
    origins = [event["origin"] for event in scene.told("user_prompt")]
    assert origins == ["task", "person"]
    assert "[to the model: use tabs]" in scene.screen.text


def test_a_line_typed_before_the_end_holds_it_up(scene: Scene, vendor: Vendor) -> None:
    def second(asked: Asked) -> Step:
        scene_heard = asked.user == "and test it" and "not ended" in asked.result
        return tool("done", {"result": "Tested." if scene_heard else "Heard nothing."})

    def first(asked: Asked) -> Step:
        scene.lines = ["and test it"]
        return tool("done", {"result": "Too early."})

    vendor.space.then(first, second)
    assert scene.run().text == "Tested."


def test_an_unfinished_line_is_shown_while_nothing_more_comes(scene: Scene, vendor: Vendor) -> None:
    shown: list[str] = []

    def look() -> str:
        shown.append(scene.screen.text)
        return "enough" if "I think" in scene.screen.text else ""

    scene.attention.look = look  # type: ignore[method-assign]
    vendor.space.then(say("I think about it", chunk=8, hang_after=1))
    assert scene.run().kind == "interrupted"
    assert shown[-1].startswith("I think")


def test_bytes_that_are_no_text_reach_the_model_as_text(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(
        bash(r"printf 'caf\351\n' > latin; cat latin"),
        tool("read", {"path": "latin"}),
        tool("write", {"path": "odd", "content": "\ud800"}),
        say("ok \ud800"),
    )
    assert scene.run().is_ok
    results = [str(event["result"]) for event in scene.told("tool_result")]
    assert results[:2] == ["caf\ufffd", "     1\tcaf\ufffd"]
    assert (scene.folder / "work/latin").read_bytes() == b"caf\xe9\n"


def test_a_folder_that_is_gone_is_the_models_to_see(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(
        bash("rm -r ../work"),
        tool("read", {"path": "a"}),
        tool("grep", {"pattern": "x"}),
        tool("glob", {"pattern": "*"}),
        bash("exit 1"),
        bash("true"),
        say("Gone."),
    )
    assert scene.run().text == "Gone."


def test_a_word_at_the_pane_stops_a_request(scene: Scene, vendor: Vendor) -> None:
    scene.attention.word = "give back"
    vendor.space.always("hang_connect")
    ended = scene.run()
    assert (ended.kind, ended.reason) == ("interrupted", "give back")


def test_caching_is_asked_for_at_three_places(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(bash("true"), say("ok"))
    scene.run()
    body = vendor.space.main[-1].body
    assert body["system"][0]["cache_control"] == {"type": "ephemeral"}
    assert "cache_control" in body["tools"][-1]
    assert "cache_control" in body["messages"][-1]["content"][-1]
    assert str(body["messages"]).count("cache_control") == 1


def test_without_caching_no_mark_is_sent(scene: Scene, vendor: Vendor) -> None:
    scene.settings = FAST._replace(cache=False)
    vendor.space.then(say("ok"))
    scene.run()
    asked = vendor.space.main[-1]
    assert "cache_control" not in str(asked.body)
    assert "anthropic-beta" not in asked.headers


def test_old_results_are_shortened_before_the_window_is_full(scene: Scene, vendor: Vendor) -> None:
    scene.limit = 20_000
    for number in range(12):
        vendor.space.then(bash(f"seq 1 800 # {number}", usage={"input_tokens": 900 * number}))
    vendor.space.then(say("End."))
    assert scene.run().text == "End."
    events = scene.told("context_compression")
    assert events
    assert events[0]["compression_strategy"] == "progressive_tool_result_compression"
    assert int(str(events[0]["tokens_after"])) < int(str(events[0]["tokens_before"]))
    marks = [event["threshold"] for event in scene.told("context_limit_warning")]
    assert marks[0] == "60%"
    assert "left out to save room" in str(vendor.space.main[-1].body)
    last = vendor.space.main[-1].body["messages"]
    assert str(last[-1]).count("left out") == 0, "the newest stay whole"


def test_a_full_context_is_made_smaller_and_the_task_goes_on(scene: Scene, vendor: Vendor) -> None:
    for _ in range(8):
        vendor.space.then(bash("seq 1 900"))
    vendor.space.then(
        {"preset": "400_too_long", "times": 1}, {"preset": "413", "times": 1}, say("Still here.")
    )
    assert scene.run().text == "Still here."
    sizes = [asked.size for asked in vendor.space.main[-3:]]
    assert sizes[0] > sizes[1] > sizes[2]
    assert len(scene.told("context_compression")) >= 2


def test_what_cannot_be_shortened_is_summarised(scene: Scene, vendor: Vendor) -> None:
    scene.limit = 12_000
    for number in range(14):
        told = {"path": f"{number}.txt", "content": "word " * 600}
        vendor.space.then(tool("write", told, usage={"input_tokens": 800 * (number + 1)}))
    vendor.space.then(say("End."))
    assert scene.run().text == "End."
    events = scene.told("context_compression")
    assert events[-1]["compression_strategy"] == "summary"
    last = vendor.space.main[-1].body["messages"]
    assert "Do the task." in str(last[0]), "the task stays"
    assert "summarised to save room" in str(last[0])
    (side,) = [asked for asked in vendor.space.asked if asked.kind == "side"]
    assert "Do the task." in side.user
    assert len(list((scene.folder / "work").iterdir())) == 14


def test_a_server_that_does_not_count_is_asked_once(scene: Scene, vendor: Vendor) -> None:
    asked: list[object] = []

    class Uncounting(Client):
        def count(self, request: object) -> None:
            asked.append(request)

    scene.client_class = Uncounting
    scene.limit = 4000
    for _ in range(5):
        vendor.space.then(bash("seq 1 500", usage={"input_tokens": 2500}))
    vendor.space.then(say("ok"))
    assert scene.run().text == "ok"
    assert len(asked) == 1
    assert all(event["is_estimate"] for event in scene.told("context_limit_warning"))


def test_a_context_that_stays_full_ends_the_run(scene: Scene, vendor: Vendor) -> None:
    for _ in range(8):
        vendor.space.then(bash("seq 1 900"))
    vendor.space.always({"preset": "400_too_long", "times": -1})
    ended = scene.run()
    assert ended.kind == "context_full"
    assert len(vendor.space.main) < 20


def test_the_answer_is_never_asked_to_be_longer_than_the_room(scene: Scene, vendor: Vendor) -> None:
    scene.limit = 8000
    vendor.space.then(bash("true", usage={"input_tokens": 3000}), say("ok"))
    scene.run()
    asked = [int(found.body["max_tokens"]) for found in vendor.space.main]
    assert asked[0] < 8000
    assert asked[1] < 5000


def test_a_known_secret_reaches_neither_model_nor_pane(scene: Scene, vendor: Vendor) -> None:
    scene.secrets = ("hush-hush-1",)
    vendor.space.then(bash("echo hush-hush-1"), say("I saw hush-hush-1."))
    scene.run()
    assert "hush-hush-1" not in str(vendor.space.main[-1].body["messages"][-1])
    assert "hush-hush-1" not in scene.screen.text.replace("> bash echo [redacted]", "")
    assert "I saw [redacted]." in scene.screen.text


def test_the_pane_shows_what_happens(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(bash("seq 1 9", text="Let me count."), say("Nine."))
    scene.run()
    assert scene.screen.text == (
        "Let me count.\n> bash seq 1 9\n  | 1\n  | 2\n  | 3\n  | … 6 more lines\nNine.\n"
    )


def test_every_call_has_one_result_and_every_step_its_usage(scene: Scene, vendor: Vendor) -> None:
    vendor.space.then(bash("true"), bash("true"), say("ok"))
    scene.run()
    calls = [event["tool_call_id"] for event in scene.told("tool_call")]
    assert calls == [event["tool_call_id"] for event in scene.told("tool_result")]
    assert len(set(calls)) == 2
    steps = scene.told("agent_step")
    executed = [step["tool_executions"] for step in steps]
    assert executed == [[], [calls[0]]]
    usage = steps[-1]["usage"]
    assert isinstance(usage, dict)
    assert usage["cumulative_total_tokens"] == 2 * 1242
    assert usage["context_limit"] == 200_000
