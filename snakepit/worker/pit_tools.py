"""Owns the pit's verbs as tools of our own agent: in this process, for the life that holds the task."""

from collections.abc import Callable
from typing import TYPE_CHECKING

from snakepit.agents.anthropic.toolbox import Given, Tool, ToolResult, flag, number, shape, text
from snakepit.core.conversation import Ending
from snakepit.core.names import problem_with, task_name
from snakepit.errors import SnakepitError
from snakepit.pool import settle
from snakepit.pool.feed import feed_one, fresh_name, prepare
from snakepit.store.base import Claim, Life, Part

if TYPE_CHECKING:
    from snakepit.pool.context import Pit

LISTED = 200  # tasks
PARTS = {
    "type": "array",
    "description": "The smaller tasks.",
    "items": {
        "type": "object",
        "properties": {
            "name": text("File name, as parser.md."),
            "text": text("Its markdown; front matter may say `needs: [other-part]`."),
        },
        "required": ["name", "text"],
        "additionalProperties": False,
    },
}


def pit_tools(pit: "Pit", life: Life, claim: Claim) -> list[Tool]:
    def done(given: Given) -> ToolResult:
        return _end("done", given["result"])

    def fail(given: Given) -> ToolResult:
        return _end("dead" if given.get("dead") else "fail", given["reason"])

    def release(given: Given) -> ToolResult:
        return _end("release", given.get("reason") or "released")

    def split(given: Given) -> ToolResult:
        parts = []
        for part in given["parts"]:
            if not isinstance(part, dict) or not {"name", "text"} <= part.keys():
                return ToolResult("each part is an object with name and text", True)
            name = task_name(str(part["name"]))
            whole, _ = prepare(name, str(part["text"]).encode(), {}, by=life.worker)
            parts.append(Part(name=name, text=whole))
        names = settle.split(pit, life, claim, parts)
        told = f"{claim.name} waits for {', '.join(names)}"
        return ToolResult(told, ending=Ending("split", told))

    def feed(given: Given) -> ToolResult:
        name = fresh_name(str(given.get("name") or "from-" + life.worker))
        problem = problem_with(name)
        if problem:
            return ToolResult(f"{name}: {problem}", True)
        keys = {key: given[key] for key in ("priority", "needs", "labels") if given.get(key)}
        fed = feed_one(pit, name, given["text"].encode(), by=life.worker, **keys)
        return ToolResult(f"{fed.name} waits, priority {fed.task.priority}")

    names = {"type": "array", "items": {"type": "string"}, "description": "Names of tasks."}
    labels = {"type": "array", "items": {"type": "string"}, "description": "Its labels."}
    tools = [
        Tool(
            "done",
            "End the task with its result. Nothing you say afterwards is heard.",
            shape("result", result=text("What was done and found, for who asked for it.")),
            done,
            is_pure=True,
            ends=True,
        ),
        Tool(
            "fail",
            "Give the task up. It is tried again unless its attempts are used up.",
            shape(
                "reason",
                reason=text("What stands in the way."),
                dead=flag("Another attempt would end the same way."),
            ),
            fail,
            is_pure=True,
            ends=True,
        ),
        Tool(
            "release",
            "Give the task back untouched, for another worker or another time.",
            shape(reason=text("Why it is not for you, or not for now.")),
            release,
            is_pure=True,
            ends=True,
        ),
        Tool(
            "split",
            "Replace the task by smaller ones; all come into the queue at once, and the task ends "
            "when they are done. Your work on it is over then.",
            shape("parts", parts=PARTS),
            split,
            ends=True,
        ),
        Tool(
            "feed",
            "Put a new task into the queue, beside this one.",
            shape(
                "text",
                text=text("Its markdown."),
                name=text("A short name."),
                priority=number("0 first, 9 last, 5 if not given."),
                needs=names,
                labels=labels,
            ),
            feed,
        ),
        Tool(
            "list",
            "List tasks and where they are.",
            shape(state=text("food, claimed, done or scraps; all if not given.")),
            lambda given: ToolResult(_listed(pit, given.get("state", ""))),
            is_pure=True,
        ),
        Tool(
            "show",
            "Tell how a task was read, what happened to it, and its result.",
            shape("task", task=text("Its name.")),
            lambda given: ToolResult(_shown(pit, given["task"])),
            is_pure=True,
        ),
    ]
    return [tool._replace(run=_telling(tool.run)) for tool in tools]


def _end(kind: str, said: str) -> ToolResult:
    return ToolResult("over", ending=Ending(kind, said))


def _telling(run: Callable[[Given], ToolResult]) -> Callable[[Given], ToolResult]:
    """What the pit refuses is told to the model, with the fix."""

    def told(given: Given) -> ToolResult:
        try:
            return run(given)
        except SnakepitError as error:
            fix = f" ({error.fix})" if error.fix else ""
            return ToolResult(f"{error.message}{fix}", True)

    return told


def _listed(pit: "Pit", state: str) -> str:
    from snakepit.store.layout import FOLDER

    held = pit.store.held()
    lines = []
    for found, folder in FOLDER.items():
        if state in ("", folder):
            for entry in sorted(pit.store.entries(found), key=lambda e: (e.ctime_ns, e.name)):
                waits = f", waits for {held[entry.name]}" if entry.name in held else ""
                by = f", held by {entry.worker}" if entry.worker else ""
                lines.append(f"{folder}/{entry.name}{by}{waits}")
    more = [f"[and {len(lines) - LISTED} more]"] if len(lines) > LISTED else []
    return "\n".join([*lines[:LISTED], *more]) or "there is none"


def _shown(pit: "Pit", name: str) -> str:
    from snakepit.pool import story

    return "\n".join(story.tell(pit, story.find(pit, name)).lines())
