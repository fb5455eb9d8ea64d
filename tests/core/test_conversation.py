"""The conversation as a fold: what is sent next, what is still open, what a resume finds."""

from snakepit.core.conversation import Conversation, Ending, Record, fold, text_of
from snakepit.core.usage import Usage

BEGIN: Record = {"t": "begin", "session": "s", "text_hash": "h"}
PROMPT: Record = {"t": "prompt", "text": "do it", "origin": "task"}


def answer(*calls: str, text: str = "", stop: str = "tool_use", context: int = 100) -> Record:
    blocks: list[object] = [{"type": "text", "text": text}] if text else []
    blocks += [{"type": "tool_use", "id": c, "name": "bash", "input": {"n": c}} for c in calls]
    used = Usage(input=90, output=10, model="m")
    return {
        "t": "answer",
        "content": blocks,
        "stop": stop,
        "usage": used.to_json(),
        "context": context,
    }


def call(name: str) -> Record:
    return {"t": "call", "id": name, "name": "bash", "input": {}}


def result(name: str, text: str = "out") -> Record:
    return {"t": "result", "id": name, "content": text, "is_error": False}


def roles(found: Conversation) -> list[object]:
    return [message["role"] for message in found.messages]


def test_a_task_and_its_answer() -> None:
    found = fold([BEGIN, PROMPT, answer(text="done", stop="end_turn")])
    assert roles(found) == ["user", "assistant"]
    assert found.last_text() == "done"
    assert found.usage == Usage(input=90, output=10, model="m")
    assert (found.turns, found.context, found.stop) == (1, 100, "end_turn")


def test_results_go_back_together_in_the_order_of_the_calls() -> None:
    found = fold([BEGIN, PROMPT, answer("a", "b"), call("a"), result("a")])
    assert roles(found) == ["user", "assistant"], "not before the last result"
    assert [one.id for one in found.pending()] == ["b"]
    found.add(result("b"))
    blocks = found.messages[-1]["content"]
    assert isinstance(blocks, list)
    assert [block["tool_use_id"] for block in blocks] == ["a", "b"]
    assert not found.pending()


def test_what_a_person_types_during_calls_comes_after_their_results() -> None:
    note: Record = {"t": "prompt", "text": "and hurry", "origin": "person"}
    found = fold([BEGIN, PROMPT, answer("a"), call("a"), note, result("a")])
    blocks = found.messages[-1]["content"]
    assert isinstance(blocks, list)
    assert [block["type"] for block in blocks] == ["tool_result", "text"]
    assert blocks[1]["text"] == "and hurry"


def test_two_prompts_are_one_message() -> None:
    found = fold([BEGIN, PROMPT, PROMPT])
    assert roles(found) == ["user"]


def test_a_started_call_without_a_result_is_interrupted() -> None:
    found = fold([BEGIN, PROMPT, answer("a", "b", "c"), call("a"), result("a"), call("b")])
    states = {one.id: found.is_interrupted(one) for one in found.pending()}
    assert states == {"b": True, "c": False}


def test_a_result_nobody_asked_for_is_no_result() -> None:
    found = fold([BEGIN, PROMPT, answer("a"), result("z"), result("a", "1"), result("a", "2")])
    blocks = found.messages[-1]["content"]
    assert isinstance(blocks, list)
    assert [block["content"] for block in blocks] == ["1"]


def test_an_error_is_marked() -> None:
    failed: Record = {"t": "result", "id": "a", "content": "no", "is_error": True}
    blocks = fold([BEGIN, PROMPT, answer("a"), failed]).messages[-1]["content"]
    assert isinstance(blocks, list)
    assert blocks[0]["is_error"] is True


def test_shortening_and_a_summary_are_folded_again_the_same_way() -> None:
    records: list[Record] = [BEGIN, PROMPT]
    for number in range(8):
        records += [answer(f"c{number}"), result(f"c{number}", "y" * 3000)]
    whole = fold(records)
    records += [{"t": "shortened", "keep": 2}]
    small = fold(records)
    assert len(str(small.messages)) < len(str(whole.messages)) / 2
    assert small.context == 0, "the server's count no longer holds"
    spent = Usage(input=5, output=5, model="m").to_json()
    records += [{"t": "summary", "cut": 13, "text": "much was done", "usage": spent}]
    summed = fold(records)
    assert "much was done" in str(summed.messages[0])
    assert len(summed.messages) == 1 + 17 - 13
    assert summed.usage == small.usage + Usage(input=5, output=5, model="m")


def test_a_lost_answer_is_paid_for() -> None:
    lost: Record = {"t": "lost", "usage": Usage(input=7, model="m").to_json()}
    assert fold([BEGIN, PROMPT, lost]).usage.input == 7


def test_an_end_and_its_acceptance_are_known() -> None:
    found = fold(
        [BEGIN, {"t": "run", "generation": "g1"}, {"t": "end", "kind": "done", "text": "x"}]
    )
    assert found.ending == Ending("done", "x")
    assert found.generations == ["g1"]
    assert not found.is_settled
    found.add({"t": "settled"})
    assert found.is_settled


def test_records_of_another_version_are_passed_over() -> None:
    assert fold([BEGIN, {"t": "new-kind"}, {"no": "t"}, PROMPT]).messages


def test_text_leaves_out_calls_and_thoughts() -> None:
    content = [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "a"}, {"type": "x"}]
    assert text_of(content) == "a"
