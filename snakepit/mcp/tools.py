"""Owns the tools: what each is called, takes and answers. It knows nothing of the protocol they travel by."""

import re
from collections.abc import Callable, Mapping
from typing import NamedTuple

from snakepit.core.names import task_name
from snakepit.errors import SnakepitError
from snakepit.mcp.schema import Given, flag, names, number, shape, text
from snakepit.pool import story, verbs
from snakepit.pool.acting import Acting
from snakepit.store.base import Settled
from snakepit.store.layout import FOLDER

LISTED = 200  # tasks
WAIT_S = 50.0  # programs give a tool a minute

_HINT = re.compile(r"agents\.py ([a-z]+)")


class Tool(NamedTuple):
    """`over()`: nobody waits for the answer any more. `is_pure`: it changes nothing."""

    name: str
    says: str
    schema: Mapping[str, object]
    run: Callable[[Acting, Given, Callable[[], bool]], str]
    is_pure: bool = False


def claim(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    held = verbs.claim(acting, given.get("name", ""), more=given.get("more", False))
    found = held.claim
    lines = [
        f"{'still yours' if held.again else 'claimed'}: {found.name}, attempt {found.attempt}",
        f"path: {held.path}",
        *(["its parts are done: put them together"] if held.joins else []),
        "",
        found.text.decode("utf-8", "replace"),
    ]
    return "\n".join(lines)


def done(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    return _told(verbs.done(acting, given["result"], keep=given.get("keep", "")))


def fail(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    return _told(verbs.fail(acting, given["reason"], dead=given.get("dead", False)))


def release(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    return _told(verbs.release(acting, given.get("reason", "released")))


def split(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    parts = [(task_name(part["name"]), part["text"].encode()) for part in given["parts"]]
    name, made = verbs.split(acting, parts)
    return f"{name} waits for {', '.join(made)}"


def feed(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    keys = {key: value for key, value in given.items() if key not in ("text", "name")}
    fed = verbs.feed(acting, given["text"], given.get("name", ""), keys)
    return f"{fed.name} waits, priority {fed.task.priority}"


def listing(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    waits = acting.pit.store.held()
    lines = []
    for folder, entry in verbs.listed(acting.pit, given.get("state", "")):
        by = f", held by {entry.worker}" if entry.worker else ""
        why = f", waits: {waits[entry.name]}" if entry.name in waits else ""
        lines.append(f"{folder}/{entry.name}{by}{why}")
    more = [f"[and {len(lines) - LISTED} more]"] if len(lines) > LISTED else []
    return "\n".join([*lines[:LISTED], *more]) or "there is none"


def show(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    told = story.tell(acting.pit, story.find(acting.pit, given["name"]))
    return "\n".join(told.lines())


def wait(acting: Acting, given: Given, over: Callable[[], bool]) -> str:
    verbs.wait(acting, given.get("seconds", WAIT_S), over=over)
    return "something waits: `claim`"


def beat(acting: Acting, given: Given, _over: Callable[[], bool]) -> str:
    verbs.beat(acting, given["message"])
    return "noted"


def _told(settled: Settled) -> str:
    return f"{settled.name} is in {FOLDER[settled.state]}/"


_TASK = text("Which one, where you hold more than one.")
_PART = shape(
    "name",
    "text",
    name=text("File name, as parser.md."),
    text=text("Its markdown; front matter may say `needs: [other-part]`."),
)

TOOLS: Mapping[str, Tool] = {
    tool.name: tool
    for tool in (
        Tool(
            "claim",
            "Take your next task: its name, path and text. What you hold comes again until you end it "
            "with done, fail, release or split.",
            shape(
                name=text("This one and no other."),
                more=flag("Another one, although you hold one already."),
            ),
            claim,
        ),
        Tool(
            "done",
            "End your task with its result. Only when the work is finished and checked.",
            shape(
                "result",
                result=text("What was done and found, in which files, how it was checked."),
                keep=text("A folder whose files belong to the result."),
                task=_TASK,
            ),
            done,
        ),
        Tool(
            "fail",
            "Give your task up. It is tried again unless its attempts are used up.",
            shape(
                "reason",
                reason=text("What stands in the way."),
                dead=flag("Another attempt would end the same way."),
                task=_TASK,
            ),
            fail,
        ),
        Tool(
            "release",
            "Give your task back untouched and uncounted, for another worker or another time.",
            shape(reason=text("Why it is not for you, or not for now."), task=_TASK),
            release,
        ),
        Tool(
            "split",
            "Replace your task by smaller ones: all come into the queue at once, and it ends when "
            "they are done. Your work on it is over then.",
            shape(
                "parts",
                parts={"type": "array", "items": _PART, "description": "The smaller tasks."},
                task=_TASK,
            ),
            split,
        ),
        Tool(
            "feed",
            "Put a new task into the queue, beside yours.",
            shape(
                "text",
                text=text("Its markdown."),
                name=text("A short name; a suffix makes it unique."),
                priority=number("0 first, 9 last, 5 if not given.", "integer"),
                needs=names("Tasks that must be done before it."),
                labels=names("Its labels."),
                species=text("The kind of worker that takes it."),
                to=text("The only worker that may take it."),
            ),
            feed,
        ),
        Tool(
            "list",
            "List tasks and where they are.",
            shape(state=text("food, claimed, done or scraps; all if not given.")),
            listing,
            is_pure=True,
        ),
        Tool(
            "show",
            "Tell how a task was read, what happened to it, and its result.",
            shape("name", name=text("Its name, or the beginning of it.")),
            show,
            is_pure=True,
        ),
        Tool(
            "wait",
            "Wait until there may be something to claim. It costs nothing while it waits.",
            shape(seconds=number("Give up after this long; 50 if not given.")),
            wait,
            is_pure=True,
        ),
        Tool(
            "beat",
            "Say how far you are with your task, for whoever looks at it.",
            shape("message", message=text("As `3 of 8 files converted`."), task=_TASK),
            beat,
        ),
    )
}


def refusal(error: SnakepitError) -> str:
    """What is wrong and the fix, its verbs as tools where there are such."""
    fix = error.fix.replace("--task NAME", "`task`")
    said = f"{error.message}\nfix: {fix}" if fix else error.message
    return _HINT.sub(
        lambda hint: f"`{hint[1] if hint[1] in TOOLS else 'snakepit ' + hint[1]}`", said
    )
