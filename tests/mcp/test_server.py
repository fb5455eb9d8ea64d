"""The server as a program starts it, asked by the SDK's own client over stdin and stdout."""

import json
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path

import anyio
import pytest
from mcp import Client, StdioServerParameters
from mcp_types import CallToolResult, TextContent

from snakepit.pool.program import module_argv
from tests.cli.pits import Box, make_box

pytestmark = pytest.mark.timeout(90)
Talk = Callable[[Client], Awaitable[None]]


@pytest.fixture
def box(tmp_path: Path) -> Box:
    return make_box(tmp_path)


def talk(box: Box, conversation: Talk, *, env: Mapping[str, str] | None = None) -> None:
    """One server for one conversation; without `env` its identity is in a file."""
    given: list[str] = []
    if env is None:
        file = box.root / "identity.json"
        file.write_text(json.dumps(dict(box.identity)))
        given = [str(file)]
    argv = module_argv("snakepit.mcp", *given)
    server = StdioServerParameters(
        command=argv[0], args=argv[1:], env=dict(env or {}), cwd=str(box.root)
    )

    async def run() -> None:
        async with Client(server, read_timeout_seconds=60) as client:
            await conversation(client)

    anyio.run(run)


def said(result: CallToolResult) -> str:
    (block,) = result.content
    assert isinstance(block, TextContent)
    return block.text


async def ok(client: Client, tool: str, **given: object) -> str:
    result = await client.call_tool(tool, given)
    assert not result.is_error, said(result)
    return said(result)


async def refused(client: Client, tool: str, **given: object) -> str:
    result = await client.call_tool(tool, given)
    assert result.is_error, said(result)
    return said(result)


def test_it_has_the_verbs_of_agents(box: Box) -> None:
    async def conversation(client: Client) -> None:
        listed = await client.list_tools()
        names = {tool.name for tool in listed.tools}
        verbs = {"claim", "done", "fail", "split", "release", "feed", "list", "show"}
        assert names == verbs | {"wait", "beat"}
        assert all(tool.description for tool in listed.tools)
        assert client.instructions is not None
        assert "claim" in client.instructions

    with box.living() as (snake, _):
        talk(snake, conversation)


def test_a_task_from_claim_to_done(box: Box) -> None:
    async def conversation(client: Client) -> None:
        claimed = await ok(client, "claim")
        assert "claimed: stars.md, attempt 1" in claimed
        assert str(box.pit / "claimed" / "snake-1" / "stars.md") in claimed
        assert "count the stars" in claimed
        assert "still yours: stars.md" in await ok(client, "claim")
        await ok(client, "beat", message="3 of 8")
        assert await ok(client, "done", result="forty-two") == "stars.md is in done/"
        assert "holds nothing" in await refused(client, "done", result="again")
        assert "nothing waits for snake-1" in await refused(client, "claim")

    box.fed("count the stars", "stars")
    with box.living() as (snake, _):
        talk(snake, conversation)
    assert "forty-two" in (box.pit / "done" / "stars.md").read_text()
    events = json.loads(box.ok("events", "--json"))["events"]
    kinds = [event["type"] for event in events]
    assert kinds.count("task.completed") == 1
    assert "worker.beat" in kinds


def test_it_acts_by_its_environment_too(box: Box) -> None:
    async def conversation(client: Client) -> None:
        assert "claimed: one.md" in await ok(client, "claim", name="one")
        assert await ok(client, "release", reason="later") == "one.md is in food/"

    box.fed("one", "one")
    with box.living() as (snake, _):
        talk(snake, conversation, env=snake.identity)
    assert box.names("food") == ["one.md"]


def test_split_feed_list_and_show(box: Box) -> None:
    async def conversation(client: Client) -> None:
        await ok(client, "claim")
        parts = [
            {"name": "first", "text": "begin"},
            {"name": "last.md", "text": "---\nneeds: [first]\n---\nend"},
        ]
        assert await ok(client, "split", parts=parts) == "big.md waits for first.md, last.md"
        fed = await ok(client, "feed", text="also this", name="more", priority=2)
        assert "priority 2" in fed
        listed = await ok(client, "list", state="food")
        assert [line.partition(",")[0] for line in listed.splitlines()][1:3] == [
            "food/first.md",
            "food/last.md",
        ]
        assert "needs first.md" in await ok(client, "show", name="last")
        assert await ok(client, "list", state="done") == "there is none"

    box.fed("big", "big")
    with box.living() as (snake, _):
        talk(snake, conversation)
    assert len(box.names("food")) == 4


def test_fail_says_where_it_went(box: Box) -> None:
    async def conversation(client: Client) -> None:
        await ok(client, "claim")
        told = await ok(client, "fail", reason="cannot reach the moon", dead=True)
        assert told == "hard.md is in scraps/"

    box.fed("hard", "hard")
    with box.living() as (snake, _):
        talk(snake, conversation)
    assert "cannot reach the moon" in (box.pit / "scraps" / "hard.md").read_text()


def test_refusals_are_plain_words_with_a_fix(box: Box) -> None:
    async def conversation(client: Client) -> None:
        assert "done: result is missing" in await refused(client, "done")
        assert "must be a text" in await refused(client, "done", result=7)
        assert "there is no colour" in await refused(client, "feed", text="x", colour="red")
        assert "each of needs must be a text" in await refused(client, "feed", text="x", needs=[1])
        assert "there is no tool eat" in await refused(client, "eat")
        assert "script snake" in await refused(client, "claim", name="code")
        nothing = await refused(client, "wait", seconds=0.1)
        assert "nothing came" in nothing
        assert "fix: `wait`" in nothing

    box.fed("```bash run\necho hi\n```", "code")
    with box.living() as (snake, _):
        talk(snake, conversation)


def test_a_life_that_is_over_settles_nothing(box: Box) -> None:
    async def conversation(client: Client) -> None:
        assert "fix: " in await refused(client, "done", result="late")

    box.fed("one", "one")
    with box.living() as (old, _):
        old.ok("claim")
    with box.living():
        talk(old, conversation)
    assert box.names("done") == []


def test_without_a_snake_it_says_so(box: Box) -> None:
    async def conversation(client: Client) -> None:
        assert "no snake to act for" in await refused(client, "claim")

    talk(box, conversation, env={"SNAKEPIT_CONFIG": str(box.root / "agents.toml")})


def test_it_ends_while_a_tool_waits(box: Box) -> None:
    async def conversation(client: Client) -> None:
        with anyio.move_on_after(1):
            await client.call_tool("wait", {"seconds": 3600})

    with box.living() as (snake, _):
        talk(snake, conversation)  # the client waits for its end before it would kill it


def test_the_verb_serves_it(box: Box) -> None:
    async def conversation(client: Client) -> None:
        assert "claimed: one.md" in await ok(client, "claim")

    box.fed("one", "one")
    with box.living() as (snake, _):
        environ = {**snake.identity, "PYTHONPATH": str(Path(__file__).parents[2])}
        server = StdioServerParameters(
            command=sys.executable,
            args=["-m", "snakepit.cli.main", "mcp"],
            env={**environ, "HOME": os.environ.get("HOME", "/")},
            cwd=str(box.root),
        )

        async def run() -> None:
            async with Client(server, read_timeout_seconds=60) as client:
                await conversation(client)

        anyio.run(run)
