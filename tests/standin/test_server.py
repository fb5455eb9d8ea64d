"""The stand-in itself: every dialect answers, calls tools, fails, hangs and is read from outside."""

import json
import shlex
import subprocess
import sys
import urllib.error
import urllib.request
from http.client import HTTPResponse
from pathlib import Path
from typing import Any

import pytest

from tests.standin import models
from tests.standin.fixture import Vendor
from tests.standin.presets import FAULTS, PRESETS
from tests.standin.steps import say, shell, write
from tests.support.processes import PLAIN_ENV
from tests.support.wait import wait_for

BASH = {"name": "Bash", "input_schema": {"properties": {"command": {"type": "string"}}}}
RUN = {
    "name": "exec_command",
    "parameters": {
        "properties": {"cmd": {"type": "string"}, "login": {"type": "boolean"}},
        "required": ["cmd", "login"],
    },
}
GEMINI_RUN = {
    "name": "run_shell_command",
    "parametersJsonSchema": {"properties": {"command": {"type": "string"}}},
}
# dialect -> path, body with a tool
ASK: dict[str, tuple[str, dict[str, Any]]] = {
    "messages": (
        "/v1/messages",
        {"model": "m", "messages": [{"role": "user", "content": "hi"}], "tools": [BASH]},
    ),
    "chat": (
        "/v1/chat/completions",
        {
            "model": "m",
            "messages": [{"role": "user", "content": "hi"}],
            "tools": [{"type": "function", "function": RUN}],
        },
    ),
    "responses": (
        "/v1/responses",
        {
            "model": "m",
            "input": [{"role": "user", "content": [{"type": "input_text", "text": "hi"}]}],
            "tools": [{"type": "function", **RUN}],
        },
    ),
    "gemini": (
        "/v1beta/models/m:generateContent",
        {
            "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
            "tools": [{"functionDeclarations": [GEMINI_RUN]}],
        },
    ),
}
every = pytest.mark.parametrize("dialect", sorted(ASK))


def send(url: str, body: object, *, method: str = "POST", seconds: float = 10) -> HTTPResponse:
    data = json.dumps(body).encode() if body is not None else None
    request = urllib.request.Request(url, data=data, method=method)
    answer = urllib.request.urlopen(request, timeout=seconds)
    assert isinstance(answer, HTTPResponse)
    return answer


def ask(vendor: Vendor, dialect: str, *, stream: bool = False) -> str:
    path, body = ASK[dialect]
    if stream and dialect == "gemini":
        path = path.replace(":generate", ":streamGenerate")
    sent = {**body, "stream": True} if stream and dialect != "gemini" else body
    with send(vendor.url + path, sent) as answer:
        return answer.read().decode()


@every
@pytest.mark.parametrize("stream", [False, True])
def test_a_step_answers_and_is_logged(vendor: Vendor, dialect: str, stream: bool) -> None:
    vendor.space.then(say("well-said", name="mine", chunk=999))
    assert "well-said" in ask(vendor, dialect, stream=stream)
    (asked,) = vendor.space.main
    assert (asked.dialect, asked.model, asked.stream) == (dialect, "m", stream)
    assert (asked.user, asked.answered, asked.status) == ("hi", "mine", 200)
    assert vendor.space.calls == 1


@every
@pytest.mark.parametrize("stream", [False, True])
def test_a_shell_step_calls_the_tool_that_is_offered(
    vendor: Vendor, dialect: str, stream: bool
) -> None:
    vendor.space.then(shell("echo 1", chunk=999), write("a.txt", "content", chunk=999))
    first, second = ask(vendor, dialect, stream=stream), ask(vendor, dialect, stream=stream)
    names = {"messages": "Bash", "gemini": "run_shell_command"}
    assert names.get(dialect, "exec_command") in first
    assert "echo 1" in first
    assert "a.txt" in second


@every
@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_an_error_answer(vendor: Vendor, dialect: str, name: str) -> None:
    vendor.space.then(name)
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(vendor, dialect)
    with caught.value as answer:
        assert answer.code >= 400
        assert answer.read()
        if dialect == "messages" and name[:3].isdigit() and name != "429_spend_workspace":
            assert answer.code == int(name[:3])


def test_a_subscription_limit_says_when_it_ends(vendor: Vendor) -> None:
    vendor.space.then(PRESETS["429_5h"].but(reset_s=60))
    with pytest.raises(urllib.error.HTTPError) as caught:
        ask(vendor, "messages")
    with caught.value as answer:
        at = int(answer.headers["anthropic-ratelimit-unified-reset"])
        assert 0 < at - vendor.space.main[0].at <= 61
        assert answer.headers["retry-after"] == "60"


def test_steps_repeat_and_then_the_default_answers(vendor: Vendor) -> None:
    vendor.space.then(say("twice", times=2), "empty").always(say("default"))
    said = [ask(vendor, "messages") for _ in range(4)]
    assert ["twice" in text for text in said] == [True, True, False, False]
    assert "default" in said[3]


def test_a_request_without_tools_takes_no_step(vendor: Vendor) -> None:
    vendor.space.then(say("mine"))
    path, body = ASK["messages"]
    toolless = {**body, "tools": []}
    assert "title" in send(vendor.url + path, toolless).read().decode()
    vendor.space.side = "main"
    assert "mine" in send(vendor.url + path, toolless).read().decode()
    assert [asked.kind for asked in vendor.space.asked] == ["side", "main"]


def test_counting_tokens_and_listing_models_are_no_calls(vendor: Vendor) -> None:
    path, body = ASK["messages"]
    with send(f"{vendor.url}{path}/count_tokens", body) as answer:
        assert json.loads(answer.read())["input_tokens"] > 0
    with send(f"{vendor.url}/v1/models", None, method="GET") as answer:
        assert json.loads(answer.read())["data"]
    assert vendor.space.calls == 0


@pytest.mark.parametrize("name", ["hang_connect", "hang_headers", "hang_mid"])
def test_a_hang_lasts_until_it_is_released(vendor: Vendor, name: str) -> None:
    vendor.space.then(name)
    path, body = ASK["messages"]
    with pytest.raises((TimeoutError, OSError)):
        send(vendor.url + path, {**body, "stream": True}, seconds=0.3).read()
    wait_for(lambda: vendor.space.main[0].gone, what="the stand-in to see the client go")


@pytest.mark.parametrize("name", ["drop_mid", "garbage", "garbage_mid", "sse_error_overloaded"])
def test_a_broken_stream_has_no_end(vendor: Vendor, name: str) -> None:
    vendor.space.then(name)
    assert "message_stop" not in ask(vendor, "messages", stream=True)


def test_a_model_without_a_fitting_tool_says_so(vendor: Vendor) -> None:
    vendor.space.side = "main"
    vendor.space.then(shell("echo"))
    path, body = ASK["messages"]
    with pytest.raises(urllib.error.HTTPError) as caught:
        send(vendor.url + path, {**body, "tools": []})
    with caught.value as answer:
        assert "offers none of Bash" in answer.read().decode()


def test_by_hand_eats_all_there_is(vendor: Vendor, tmp_path: Path) -> None:
    """The Messages API's conversation, played by hand with a real shell."""
    for folder in ("food", "claimed", "done"):
        (tmp_path / folder).mkdir()
    for name in ("a.md", "b c.md"):
        (tmp_path / "food" / name.replace(" ", "-")).write_text(f"task {name}\n")
    vendor.space.always(models.by_hand(tmp_path, "me"))
    messages: list[dict[str, Any]] = [{"role": "user", "content": "go"}]
    body = {**ASK["messages"][1], "messages": messages}
    for _ in range(20):
        with send(f"{vendor.url}/v1/messages", body) as answer:
            block = json.loads(answer.read())["content"][-1]
        messages.append({"role": "assistant", "content": [block]})
        if block["type"] == "text":
            break
        done = subprocess.run(
            ["bash", "-c", block["input"]["command"]], capture_output=True, text=True, check=False
        )
        result = {"type": "tool_result", "tool_use_id": block["id"], "content": done.stdout}
        messages.append({"role": "user", "content": [result]})
    assert messages[-1]["content"][0]["text"] == "Nothing left to do."
    assert sorted(path.name for path in (tmp_path / "done").iterdir()) == ["a.md", "b-c.md"]
    assert "eaten by hand" in (tmp_path / "done" / "a.md").read_text()


def test_the_command_serves_and_takes_orders(tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    command = [sys.executable, "-m", "tests.standin", "--log", str(log)]
    root = Path(__file__).parents[2]
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, text=True, cwd=root, env=PLAIN_ENV
    ) as served:
        try:
            assert served.stdout is not None
            url = shlex.split(served.stdout.readline())[-1]
            order = {"steps": [{"preset": "text", "text": "as told"}]}
            send(f"{url}/_admin/one", order, method="PUT").close()
            path, body = ASK["messages"]
            assert "as told" in send(f"{url}/s/one{path}", body).read().decode()
            with send(f"{url}/_admin/one", None, method="GET") as answer:
                told = json.loads(answer.read())
            assert (told["calls"], told["steps_left"]) == (1, 0)
            assert json.loads(log.read_text())["space"] == "one"
            with pytest.raises(urllib.error.HTTPError) as caught:
                send(f"{url}/_admin/one", {"steps": [{"nonsense": 1}]})
            caught.value.close()
        finally:
            served.terminate()
