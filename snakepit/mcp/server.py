"""Owns the server: the protocol on stdin and stdout, by the official SDK; each call opens the pit for itself."""

import functools
import os
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
from anyio import to_thread
from mcp.server.lowlevel import Server
from mcp.server.stdio import stdio_server
from mcp_types import (
    CallToolRequestParams,
    CallToolResult,
    ListToolsResult,
    PaginatedRequestParams,
    TextContent,
    Tool,
    ToolAnnotations,
)

from snakepit import __version__
from snakepit.errors import SnakepitError, UsageProblem
from snakepit.mcp.schema import Given, problem
from snakepit.mcp.tools import TOOLS, refusal
from snakepit.pool.acting import acting_for, check_identity
from snakepit.pool.applied import load_in_use
from snakepit.pool.context import opened

if TYPE_CHECKING:
    from mcp.server.context import ServerRequestContext

NAME = "snakepit"
INSTRUCTIONS = (
    "You are one worker of a queue of markdown tasks. `claim` gives you the next one; work on it, then "
    "end it with exactly one of `done`, `fail`, `release` or `split`. Never touch a task that another worker "
    "holds. An error that says the claim is no longer yours means: stop working on it."
)


def call(name: str, given: Given, *, closing: threading.Event) -> str:
    """What the tool answers; SnakepitError where it refuses."""
    tool = TOOLS.get(name)
    if tool is None:
        msg = f"there is no tool {name}"
        raise UsageProblem(msg, fix=f"one of {', '.join(TOOLS)}")
    wrong = problem(tool.schema, given)
    if wrong:
        msg = f"{name}: {wrong}"
        raise UsageProblem(msg)
    environ = os.environ
    worker = environ.get("SNAKEPIT_WORKER", "")
    generation = environ.get("SNAKEPIT_GENERATION", "")
    check_identity(worker, generation)
    own = given.get("task") or environ.get("SNAKEPIT_TASK", "")
    if name == "done" and "keep" not in given and environ.get("SNAKEPIT_ARTEFACTS"):
        given = {**given, "keep": environ["SNAKEPIT_ARTEFACTS"]}
    config = load_in_use(Path(environ.get("SNAKEPIT_CONFIG") or "agents.toml"), environ)
    with opened(config) as pit, acting_for(pit, worker, generation, own) as acting:
        return tool.run(acting, given, closing.is_set)


def make_server(closing: threading.Event) -> "Server[dict[str, Any]]":
    async def list_tools(
        _context: "ServerRequestContext[dict[str, Any]]", _asked: PaginatedRequestParams | None
    ) -> ListToolsResult:
        return ListToolsResult(tools=[_shown(name) for name in TOOLS])

    async def call_tool(
        _context: "ServerRequestContext[dict[str, Any]]", asked: CallToolRequestParams
    ) -> CallToolResult:
        run = functools.partial(_answer, asked.name, asked.arguments or {}, closing)
        text, is_error = await to_thread.run_sync(run, abandon_on_cancel=True)
        return CallToolResult(content=[TextContent(text=text)], is_error=is_error)

    return Server(
        NAME,
        version=__version__,
        instructions=INSTRUCTIONS,
        on_list_tools=list_tools,
        on_call_tool=call_tool,
    )


def _answer(name: str, given: Given, closing: threading.Event) -> tuple[str, bool]:
    try:
        return call(name, given, closing=closing), False
    except SnakepitError as error:
        return refusal(error), True
    except OSError as error:
        return f"{name} failed: {error}\nfix: `snakepit doctor` tells what is wrong", True


def _shown(name: str) -> Tool:
    tool = TOOLS[name]
    return Tool(
        name=name,
        description=tool.says,
        input_schema=dict(tool.schema),
        annotations=ToolAnnotations(read_only_hint=tool.is_pure, open_world_hint=False),
    )


def serve() -> None:
    """Until stdin ends; a call that still waits is given up then."""
    closing = threading.Event()
    anyio.run(_serve, closing)


async def _serve(closing: threading.Event) -> None:
    server = make_server(closing)
    async with stdio_server() as (read, write):
        try:
            await server.run(read, write, server.create_initialization_options())
        finally:
            closing.set()
