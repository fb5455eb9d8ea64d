"""Owns the verbs of agents: what a snake does with its own food, for the life that its environment names.

They act for SNAKEPIT_WORKER in its life SNAKEPIT_GENERATION and no other: a claim that has gone back
to food/ meanwhile, or that was settled already, answers with exit 6 and changes nothing.
"""

import os
from typing import TYPE_CHECKING

import click

from snakepit.cli.acting import Acting, agent_options, diet_of, held_claim
from snakepit.cli.parts import given_parts, given_text
from snakepit.core.names import task_name
from snakepit.errors import NothingToClaim, UsageProblem

if TYPE_CHECKING:
    from pathlib import Path

    from snakepit.store.base import Claim, Settled

WAIT_S = 100.0
KEEPER_LOOK_S = 1.0  # an event wakes at once; this only finds that nobody keeps the index any more
BEAT_CHARS = 2000


@click.command(epilog='JSON: {"name", "path", "attempt", "kind", "title", "join", "text", "again"}')
@click.argument("name", required=False)
@click.option("--more", is_flag=True, help="Another one, although one is held already.")
@agent_options
def claim(acting: Acting, name: str | None, more: bool) -> None:
    """Claim the next task, or one by name.

    What is held already comes again until it is settled. Exit 5 when nothing waits for this snake.

    \b
    Example: agents.py claim --json
    """
    from snakepit.pool import claim as claiming

    pit, life = acting.pit, acting.life
    held = [] if more else pit.store.claims_of(life)
    again = [c for c in held if name is None or c.name == task_name(name)]
    if again:
        _show_claim(acting, again[0], again=True)
        return
    _check_gate(acting)
    if name:
        _check_diet(acting, task_name(name))
        claimed = claiming.claim_named(pit, life, task_name(name))
    else:
        found = claiming.claim_next(pit, life, diet_of(acting))
        if found is None:
            msg = f"nothing waits for {life.worker}"
            raise NothingToClaim(msg, fix="agents.py wait")
        claimed = found
    _show_claim(acting, claimed, again=False)


def _show_claim(acting: Acting, held: "Claim", *, again: bool) -> None:
    from snakepit.pool.claim import is_join

    text = held.text.decode("utf-8", "replace")
    path = acting.pit.config.pit_dir / "claimed" / held.worker / held.name
    value = {
        "name": held.name,
        "path": str(path),
        "attempt": held.attempt,
        "kind": held.task.kind,
        "title": held.task.title,
        "join": is_join(held),
        "text": text,
        "again": again,
    }
    head = f"{'still yours' if again else 'claimed'}: {held.name}, attempt {held.attempt}"
    joins = ["its parts are done: put them together"] if is_join(held) else []
    acting.call.emit(value, [head, f"path: {path}", *joins, "", *text.splitlines()])


@click.command(epilog='JSON: {"name", "state", "path"}')
@click.argument("result", required=False, metavar="[FILE|-]")
@click.option("-m", "--message", help="The result itself.")
@click.option(
    "--keep",
    metavar="DIR",
    help="Keep a copy of these files in done/<name>/ [$SNAKEPIT_ARTEFACTS].",
)
@agent_options
def done(acting: Acting, result: str | None, message: str | None, keep: str | None) -> None:
    """Settle the claimed task with a result.

    The result is a text: -m, a file, or stdin. Exit 6 when the claim is no longer yours.

    \b
    Example: agents.py done -m "Fixed in commit 3f2a; all tests pass."
    """
    from snakepit.pool import settle

    held = held_claim(acting)
    text = given_text(result, message)
    kept, said = _kept(acting, held, keep or os.environ.get("SNAKEPIT_ARTEFACTS", ""))
    _told(acting, settle.complete(acting.pit, acting.life, held, text + said, keep=kept))


@click.command(epilog='JSON: {"name", "state", "path"}')
@click.argument("reason", required=False, metavar="[FILE|-]")
@click.option("-m", "--message", help="The reason itself.")
@click.option("--dead", is_flag=True, help="To scraps/ at once, without another attempt.")
@agent_options
def fail(acting: Acting, reason: str | None, message: str | None, dead: bool) -> None:
    """Give the claimed task up with a reason.

    It counts as an attempt: back to food/, or to scraps/ after the last one.

    \b
    Example: agents.py fail -m "The API answers 500 since 10:00."
    """
    from snakepit.pool import settle

    held = held_claim(acting)
    text = given_text(reason, message)
    _told(acting, settle.fail(acting.pit, acting.life, held, text, dead=dead))


@click.command(epilog='JSON: {"name", "state", "path"}')
@click.option("-m", "--message", default="released", help="Why.")
@agent_options
def release(acting: Acting, message: str) -> None:
    """Give the claimed task back, uncounted.

    \b
    Example: agents.py release -m "needs a snake with a GPU"
    """
    from snakepit.pool import settle

    _told(acting, settle.release(acting.pit, acting.life, held_claim(acting), message))


@click.command(epilog='JSON: {"name", "parts": [name, ...]}')
@click.argument("files", nargs=-1, metavar="[FILE|-]...")
@agent_options
def split(acting: Acting, files: tuple[str, ...]) -> None:
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
    from snakepit.pool import settle
    from snakepit.pool.feed import prepare
    from snakepit.store.base import Part

    held = held_claim(acting)
    parts = []
    for name, text in given_parts(files or ("-",)):
        whole, _ = prepare(name, text, {}, by=acting.life.worker)
        parts.append(Part(name=name, text=whole))
    names = settle.split(acting.pit, acting.life, held, parts)
    value = {"name": held.name, "parts": list(names)}
    acting.call.emit(value, [f"{held.name} waits for {len(names)} parts:", *names])


@click.command(epilog='JSON: {"waits": true}')
@click.option("--seconds", default=WAIT_S, show_default=True, help="Give up after this long.")
@agent_options
def wait(acting: Acting, seconds: float) -> None:
    """Wait until there may be something to claim.

    Costs nothing while it waits. Exit 5 when the time is over.

    \b
    Example: agents.py wait && agents.py claim
    """
    from snakepit import clock
    from snakepit.pool.gate import Gate
    from snakepit.pool.resting import why_rests

    deadline = clock.monotonic() + seconds
    diet = diet_of(acting)
    store = acting.pit.store
    gate = Gate(acting.pit.config, acting.life.worker)
    while True:
        waiting = store.waiting_by_class()
        is_open = not (
            store.paused or gate.closed() or why_rests(acting.pit.config, acting.life.worker)
        )
        if is_open and any(n and diet.takes(key) for key, n in waiting.items()):
            acting.call.emit(
                {"waits": True}, [acting.call.said("something waits: agents.py claim")]
            )
            return
        left = deadline - clock.monotonic()
        if left <= 0:
            msg = f"nothing came for {acting.life.worker} in {seconds:g} s"
            raise NothingToClaim(msg, fix="agents.py wait, again")
        store.wait(acting.life, min(left, KEEPER_LOOK_S))


@click.command(epilog='JSON: {"task", "message"}')
@click.argument("text", required=False, metavar="[TEXT]")
@click.option("-m", "--message", help="The text itself.")
@agent_options
def beat(acting: Acting, text: str | None, message: str | None) -> None:
    """Record progress on the claimed task.

    It is shown by `show` and `events`; it proves nothing about ownership.

    \b
    Example: agents.py beat "3 of 8 files converted"
    """
    if text is not None and message is not None:
        msg = "the text was given twice"
        raise UsageProblem(msg, fix="either TEXT or -m TEXT")
    said = message if text is None else text
    if said is None:
        msg = "no text given"
        raise UsageProblem(msg, fix='agents.py beat "3 of 8"')
    held = acting.pit.store.claims_of(acting.life)
    task = acting.task or (held[0].name if len(held) == 1 else None)
    acting.pit.journal.append(
        "worker.beat",
        task=task_name(task) if task else None,
        worker=acting.life.worker,
        generation=acting.life.generation,
        message=said[:BEAT_CHARS],
    )
    acting.call.emit({"task": task, "message": said}, ["noted"])


def _check_gate(acting: Acting) -> None:
    from snakepit.pool.gate import Gate
    from snakepit.pool.resting import why_rests

    closed = Gate(acting.pit.config, acting.life.worker).closed()
    closed = closed or why_rests(acting.pit.config, acting.life.worker)
    if acting.pit.store.paused:
        closed = "the pool is ending; nothing is claimed"
    if closed:
        msg = f"{acting.life.worker} may not claim now: {closed}"
        raise NothingToClaim(msg, fix="finish what you hold; agents.py status tells more")


def _check_diet(acting: Acting, name: str) -> None:
    """A claim by name obeys the diet too: code to run is no food for a snake that thinks."""
    from snakepit.core.lifecycle import State
    from snakepit.store.reader import read_task

    waiting = [e for e in acting.pit.store.locate(name) if e.state is State.QUEUED]
    for entry in waiting:
        task = read_task(name, acting.pit.store.read(entry))
        reason = acting.pit.store.held().get(name)
        if reason:
            msg = f"{name} waits: {reason}"
            raise NothingToClaim(msg, fix="agents.py claim takes the next one")
        if not diet_of(acting).eats(task.kind, task.labels, task.to):
            msg = f"{name} is for a {task.kind} snake, not for {acting.life.worker}"
            raise UsageProblem(msg, fix="agents.py claim takes the next one")


def _kept(acting: Acting, held: "Claim", folder: str) -> "tuple[Path | None, str]":
    """A copy inside the pit, which can be moved to done/ by one rename; and a word about what it lacks."""
    if not folder or not os.path.isdir(folder) or not os.listdir(folder):
        return None, ""
    from snakepit.agents.artefacts import copy_plain, tell_left_out

    kept = acting.pit.store.waste_dir(held.name, held.attempt) / "keep"
    left = copy_plain(folder, kept)
    return kept, f"\n\n{tell_left_out(left)}\n" if left else ""


def _told(acting: Acting, settled: "Settled") -> None:
    from snakepit.store.layout import FOLDER

    folder = FOLDER[settled.state]
    value = {"name": settled.name, "state": folder, "path": str(settled.path or "")}
    acting.call.emit(value, [f"{settled.name} is in {folder}/"])
