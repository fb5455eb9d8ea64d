"""Owns the verbs of agents: what a snake does with its own food, for the life that its environment names.

They act for SNAKEPIT_WORKER in its life SNAKEPIT_GENERATION and no other: a claim that has gone back
to food/ meanwhile, or that was settled already, answers with exit 6 and changes nothing.
"""

import os
from typing import TYPE_CHECKING

import click

from snakepit.cli.acting import agent_options
from snakepit.cli.options import Invocation
from snakepit.cli.parts import given_parts, given_text
from snakepit.errors import UsageProblem

if TYPE_CHECKING:
    from snakepit.pool.acting import Acting
    from snakepit.store.base import Settled

WAIT_S = 100.0


@click.command(epilog='JSON: {"name", "path", "attempt", "kind", "title", "join", "text", "again"}')
@click.argument("name", required=False)
@click.option("--more", is_flag=True, help="Another one, although one is held already.")
@agent_options
def claim(call: Invocation, acting: "Acting", name: str | None, more: bool) -> None:
    """Claim the next task, or one by name.

    What is held already comes again until it is settled. Exit 5 when nothing waits for this snake.

    \b
    Example: agents.py claim --json
    """
    from snakepit.pool import verbs

    held = verbs.claim(acting, name or "", more=more)
    found = held.claim
    head = f"{'still yours' if held.again else 'claimed'}: {found.name}, attempt {found.attempt}"
    joins = ["its parts are done: put them together"] if held.joins else []
    told = held.to_json()
    call.emit(told, [head, f"path: {held.path}", *joins, "", *str(told["text"]).splitlines()])


@click.command(epilog='JSON: {"name", "state", "path"}')
@click.argument("result", required=False, metavar="[FILE|-]")
@click.option("-m", "--message", help="The result itself.")
@click.option(
    "--keep",
    metavar="DIR",
    help="Keep a copy of these files in done/<name>/ [$SNAKEPIT_ARTEFACTS].",
)
@agent_options
def done(
    call: Invocation, acting: "Acting", result: str | None, message: str | None, keep: str | None
) -> None:
    """Settle the claimed task with a result.

    The result is a text: -m, a file, or stdin. Exit 6 when the claim is no longer yours.

    \b
    Example: agents.py done -m "Fixed in commit 3f2a; all tests pass."
    """
    from snakepit.pool import verbs
    from snakepit.pool.acting import held_claim

    held_claim(acting)  # before the text is read: it may come from a pipe
    kept = keep or os.environ.get("SNAKEPIT_ARTEFACTS", "")
    _told(call, verbs.done(acting, given_text(result, message), keep=kept))


@click.command(epilog='JSON: {"name", "state", "path"}')
@click.argument("reason", required=False, metavar="[FILE|-]")
@click.option("-m", "--message", help="The reason itself.")
@click.option("--dead", is_flag=True, help="To scraps/ at once, without another attempt.")
@agent_options
def fail(
    call: Invocation, acting: "Acting", reason: str | None, message: str | None, dead: bool
) -> None:
    """Give the claimed task up with a reason.

    It counts as an attempt: back to food/, or to scraps/ after the last one.

    \b
    Example: agents.py fail -m "The API answers 500 since 10:00."
    """
    from snakepit.pool import verbs
    from snakepit.pool.acting import held_claim

    held_claim(acting)
    _told(call, verbs.fail(acting, given_text(reason, message), dead=dead))


@click.command(epilog='JSON: {"name", "state", "path"}')
@click.option("-m", "--message", default="released", help="Why.")
@agent_options
def release(call: Invocation, acting: "Acting", message: str) -> None:
    """Give the claimed task back, uncounted.

    \b
    Example: agents.py release -m "needs a snake with a GPU"
    """
    from snakepit.pool import verbs

    _told(call, verbs.release(acting, message))


@click.command(epilog='JSON: {"name", "parts": [name, ...]}')
@click.argument("files", nargs=-1, metavar="[FILE|-]...")
@agent_options
def split(call: Invocation, acting: "Acting", files: tuple[str, ...]) -> None:
    """Replace the claimed task by smaller parts.

    Each file is one part and keeps its name. On stdin, parts follow lines of the form
    `--- part: NAME.md ---`. All parts come into food/ in one commit or none; the task itself
    waits for them and then ends with their results. Parts may name each other in `needs:`.

    \b
    Example:
      agents.py split - <<'END'
      --- part: parser.md ---
      Write the parser.
      --- part: tests.md ---
      ---
      needs: [parser]
      ---
      Test it.
      END
    """
    from snakepit.pool import verbs
    from snakepit.pool.acting import held_claim

    held_claim(acting)
    name, parts = verbs.split(acting, given_parts(files or ("-",)))
    value = {"name": name, "parts": list(parts)}
    many = "part" if len(parts) == 1 else "parts"
    call.emit(value, [f"{name} waits for {len(parts)} {many}:", *parts])


@click.command(epilog='JSON: {"waits": true}')
@click.option("--seconds", default=WAIT_S, show_default=True, help="Give up after this long.")
@agent_options
def wait(call: Invocation, acting: "Acting", seconds: float) -> None:
    """Wait until there may be something to claim.

    Costs nothing while it waits. Exit 5 when the time is over.

    \b
    Example: agents.py wait && agents.py claim
    """
    from snakepit.pool import verbs

    verbs.wait(acting, seconds)
    call.emit({"waits": True}, [call.said("something waits: agents.py claim")])


@click.command(epilog='JSON: {"task", "message"}')
@click.argument("text", required=False, metavar="[TEXT]")
@click.option("-m", "--message", help="The text itself.")
@agent_options
def beat(call: Invocation, acting: "Acting", text: str | None, message: str | None) -> None:
    """Record progress on the claimed task.

    It is shown by `show` and `events`; it proves nothing about ownership.

    \b
    Example: agents.py beat "3 of 8 files converted"
    """
    from snakepit.pool import verbs

    if text is not None and message is not None:
        msg = "the text was given twice"
        raise UsageProblem(msg, fix="either TEXT or -m TEXT")
    said = message if text is None else text
    if said is None:
        msg = "no text given"
        raise UsageProblem(msg, fix='agents.py beat "3 of 8"')
    call.emit({"task": verbs.beat(acting, said), "message": said}, ["noted"])


def _told(call: Invocation, settled: "Settled") -> None:
    from snakepit.store.layout import FOLDER

    folder = FOLDER[settled.state]
    value = {"name": settled.name, "state": folder, "path": str(settled.path or "")}
    call.emit(value, [f"{settled.name} is in {folder}/"])
