"""Owns the verbs about food: list and show it, move it between food and scraps."""

import click

from snakepit.cli.options import Invocation, from_inside_option, verb_options, worker_inside

ALIASES = {
    "food": "food",
    "queued": "food",
    "claimed": "claimed",
    "done": "done",
    "scraps": "scraps",
    "dead": "scraps",
}


@click.command(
    epilog='JSON: {"tasks": [{"name", "state", "worker", "since", "size", "waits_for"}]}'
)
@click.argument("state", required=False, type=click.Choice(list(ALIASES)))
@verb_options
def ls(call: Invocation, state: str | None) -> None:
    """List tasks: food, claimed, done or scraps.

    Without STATE all four, in that order, each in the order tasks came there.

    \b
    Example: agents.py ls scraps
    """
    from snakepit import clock
    from snakepit.pool.status import waiting_for_accounts
    from snakepit.pool.verbs import listed

    pit = call.open()
    held = pit.store.held()
    rests = waiting_for_accounts(pit.config, pit.store)
    tasks = []
    for folder, entry in listed(pit, ALIASES.get(state or "", "")):
        since = clock.stamp(entry.ctime_ns / 1e9)
        tasks.append(
            {
                "name": entry.name,
                "state": folder,
                "worker": entry.worker,
                "since": since,
                "size": entry.size,
                "waits_for": (held.get(entry.name) or rests(entry) or None)
                if folder == "food"
                else None,
            }
        )
    rows = (
        (
            str(task["state"]),
            str(task["name"]),
            str(task["worker"] or "-"),
            str(task["since"]),
            str(task["waits_for"] or ""),
        )
        for task in tasks
    )
    call.table({"tasks": tasks}, ("where", "task", "snake", "since (UTC)", "waits for"), rows)


@click.command(
    epilog='JSON: {"name", "state", "path", "worker", "header", "kind", "problem", "waits_for", '
    '"reason", "attempt", "attempts", "events": [...], "result", "waste", "usage"}'
)
@click.argument("task")
@verb_options
def show(call: Invocation, task: str) -> None:
    """Tell how a task was read and what happened.

    TASK is its name with or without .md; the beginning of a name is enough where only one
    task begins so.

    \b
    Example: agents.py show first-meal
    """
    from snakepit.pool import story

    pit = call.open()
    told = story.tell(pit, story.find(pit, task))
    lines = (call.said(line) if line.startswith("  waits: ") else line for line in told.lines())
    call.emit(told.to_json(), lines)


@click.command(epilog='JSON: {"name", "state": "food"}')
@click.argument("tasks", nargs=-1, required=True)
@verb_options
def retry(call: Invocation, tasks: tuple[str, ...]) -> None:
    """Move a task from scraps/ back to food/.

    Its counter of attempts begins again at 0.

    \b
    Example: agents.py retry first-meal-k3ab
    """
    from snakepit.core.lifecycle import State
    from snakepit.pool import decide, story

    pit = call.open()
    moved = [decide.retry(pit, story.find(pit, task, states=(State.DEAD,))) for task in tasks]
    _moved(call, moved, "food", "waits in food/ again, attempt 0")


@click.command(epilog='JSON: {"name", "state": "scraps"}')
@click.argument("tasks", nargs=-1, required=True)
@click.option("-m", "--reason", default="cancelled", help="Why, for its reason: in scraps/.")
@verb_options
def cancel(call: Invocation, tasks: tuple[str, ...], reason: str) -> None:
    """Move a task to scraps/, ending its run.

    A claimed task's run is ended first; the snake itself goes on with the next one.

    \b
    Example: agents.py cancel long-report -m "no longer needed"
    """
    from snakepit.core.lifecycle import State
    from snakepit.pool import decide, story

    pit = call.open()
    by = worker_inside(pit.config.pit_dir) or decide.PERSON
    waiting = (State.QUEUED, State.CLAIMED)
    moved = [
        decide.cancel(pit, story.find(pit, task, states=waiting), reason, by=by) for task in tasks
    ]
    _moved(call, moved, "scraps", "lies in scraps/")


@click.command(epilog='JSON: {"name", "state": "food"}')
@click.argument("tasks", nargs=-1, required=True)
@from_inside_option
@verb_options
def allow(call: Invocation, tasks: tuple[str, ...], from_inside: bool) -> None:
    """Allow a task that a snake wrote to run its code.

    Food that a snake published and that carries `run` fences waits until a person has read it.

    \b
    Example: agents.py show build-docs && agents.py allow build-docs
    """
    from snakepit.core.lifecycle import State
    from snakepit.pool import decide, story

    call.refuse_from_inside("allow", from_inside=from_inside)
    pit = call.open()
    by = worker_inside(pit.config.pit_dir) or decide.PERSON
    waiting = (State.QUEUED,)
    moved = [decide.allow(pit, story.find(pit, task, states=waiting), by=by) for task in tasks]
    _moved(call, moved, "food", "may run")


def _moved(call: Invocation, names: list[str], state: str, said: str) -> None:
    value: dict[str, object] = {"state": state}
    if len(names) == 1:
        value["name"] = names[0]
    else:
        value["names"] = names
    call.emit(value, [f"{name} {said}" for name in names])
