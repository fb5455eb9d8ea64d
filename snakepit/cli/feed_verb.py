"""Owns `feed`: finding the texts, naming them, and telling how each was read."""

import glob
import os
import re
import sys
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, BinaryIO, NamedTuple

import click

from snakepit.cli.options import Invocation, verb_options, worker_inside
from snakepit.errors import NotFound, TaskError, UsageProblem

if TYPE_CHECKING:
    from snakepit.core.task import Task
    from snakepit.pool.context import Pit
    from snakepit.pool.feed import Fed

STEM_BYTES = 150
BATCH = 200
SHOWN = 20
UNNAMED = "task"


class Source(NamedTuple):
    stem: str
    text: bytes
    origin: str


@click.command(
    epilog='JSON: {"fed": [{"name", "path", "kind", "priority", "needs"}], "ended": '
    '{"name", "state", "path", "result", "reason"} or null}'
)
@click.argument("sources", nargs=-1, metavar="[FILE|GLOB|-]...")
@click.option("-m", "--message", multiple=True, help="The task's text itself.")
@click.option("--name", help="Its name; without it <stem>-<4 letters>.md.")
@click.option("--priority", help="0 (first) to 9 (last), high, normal or low.")
@click.option("--species", help="The kind of snake that may take it.")
@click.option("--label", "labels", multiple=True, help="Add a label.")
@click.option("--needs", multiple=True, help="A task that must be done first.")
@click.option("--to", metavar="NAME", help="Only this snake may take it.")
@click.option("--each", metavar="POOL", help="One copy for each snake of the pool.")
@click.option("--wait", is_flag=True, help="Follow the task to its end; exit 1 if it is scraps.")
@verb_options
def feed(
    call: Invocation,
    sources: tuple[str, ...],
    message: tuple[str, ...],
    name: str | None,
    priority: str | None,
    species: str | None,
    labels: tuple[str, ...],
    needs: tuple[str, ...],
    to: str | None,
    each: str | None,
    wait: bool,
) -> None:
    """Put tasks into food/: files, globs, stdin or -m.

    Each task appears whole or not at all. A feed of many that is killed halfway has fed the first
    ones; the same feed again feeds all of them, and says how many are there twice.

    \b
    Examples:
      agents.py feed examples/first-meal.md --wait
      agents.py feed 'tasks/*.md' --priority high
      git diff | agents.py feed - --name review --label review
      agents.py feed -m "Write CHANGES.md from the last ten commits"
    """
    found = [*_texts(message), *read_sources(sources)]
    if not found:
        msg = "nothing to feed"
        raise UsageProblem(msg, fix='name files, - for stdin, or -m "text"')
    if name and len(found) > 1:
        msg = f"--name names one task, and {len(found)} were given"
        raise UsageProblem(msg, fix="leave --name out: each file keeps its own name")
    pit = call.open()
    keys: dict[str, object | None] = {"priority": _priority(priority), "species": species}
    keys |= {"labels": list(labels), "needs": list(needs)}
    prepared = [
        prepare_source(pit, source, name, {**keys, "to": target})
        for target in _targets(pit, to, each)
        for source in found
    ]
    if wait and len(prepared) > 1:
        msg = f"--wait follows one task, and {len(prepared)} were given"
        raise UsageProblem(msg, fix="leave --wait out; agents.py status --follow shows all")
    if len(prepared) > 1 and not each:
        _say_twins(call, pit, prepared)
    fed = publish_all(pit, prepared)
    for asked, one in zip(prepared, fed, strict=True):
        if one.name != asked[0]:
            call.notice(f"{asked[0]} is in use: this one became {one.name}")
    _answer(call, pit, fed, wait=wait)


def _say_twins(call: Invocation, pit: "Pit", prepared: "list[tuple[str, bytes, Task]]") -> None:
    """After a feed that was killed halfway: what it had fed is fed once more, but not in silence."""
    from snakepit.pool.twins import twins

    found = twins(pit, [(name, text) for name, text, _ in prepared])
    if found:
        call.notice(
            f"{len(found)} tasks with the same text were fed within the last hour and are fed again, "
            f"first {found[0]}; agents.py cancel takes one back"
        )


def _texts(messages: Sequence[str]) -> Iterator[Source]:
    for message in messages:
        yield Source(stem_of_text(message), (message + "\n").encode(), "-m")


def read_sources(patterns: Sequence[str]) -> Iterator[Source]:
    for pattern in patterns:
        if pattern == "-":
            text = _bounded(sys.stdin.buffer, "stdin")
            yield Source(stem_of_text(text.decode("utf-8", "replace")), text, "stdin")
            continue
        for path in _expand(pattern):
            stem = os.path.basename(path).removesuffix(".md")
            yield Source(safe_stem(stem), _read_file(path), path)


def _expand(pattern: str) -> list[str]:
    if os.path.lexists(pattern) or not glob.has_magic(pattern):
        return [pattern]
    found = sorted(path for path in glob.glob(pattern, recursive=True) if os.path.isfile(path))
    if not found:
        msg = f"no file matches {pattern}"
        raise NotFound(msg, fix="quote the pattern, and see what ls says to it")
    return found


def _read_file(path: str) -> bytes:
    if os.path.isdir(path):
        msg = f"{path} is a folder"
        raise UsageProblem(msg, fix=f"agents.py feed '{path.rstrip('/')}/*.md'")
    if os.path.exists(path) and not os.path.isfile(path):
        msg = f"{path} is no regular file"
        raise UsageProblem(msg, fix="feed its text: agents.py feed - < FILE")
    try:
        with open(path, "rb") as file:
            return _bounded(file, path)
    except OSError as exc:
        msg = f"cannot read {path}: {exc.strerror}"
        raise NotFound(msg, fix="check the path and its permissions") from exc


def _bounded(file: BinaryIO, origin: str) -> bytes:
    """Never more in memory than a task may have."""
    from snakepit.store.settle import TASK_LIMIT

    data = file.read(TASK_LIMIT + 1)
    if len(data) > TASK_LIMIT:
        msg = f"{origin} is larger than {TASK_LIMIT >> 20} MiB, the most a task may have"
        raise TaskError(msg, fix="name the file in the task's text instead of feeding it")
    return data


def stem_of_text(text: str) -> str:
    """From the first heading or line of words, past any front matter."""
    body = re.sub(r"\A---\n.*?\n---\n", "", text, count=1, flags=re.DOTALL)
    first = next((line for line in body.splitlines() if re.search(r"\w", line)), "")
    words = re.findall(r"[a-z0-9]+", first.lower())
    return "-".join(words)[:40].rstrip("-") or UNNAMED


def safe_stem(stem: str) -> str:
    """The file's own stem where it is a legal name, else the nearest one that is."""
    shown = "".join(char if char.isprintable() and char != "/" else "-" for char in stem)
    shown = shown.lstrip(".-").replace(" ", "-")
    return shown.encode("utf-8", "ignore")[:STEM_BYTES].decode("utf-8", "ignore") or UNNAMED


def _priority(given: str | None) -> int | str | None:
    return int(given) if given and given.isdecimal() else given


def _targets(pit: "Pit", to: str | None, each: str | None) -> list[str | None]:
    if to and each:
        msg = "--to and --each exclude each other"
        raise UsageProblem(msg)
    if to:
        if pit.config.member_of(to) is None:
            known = ", ".join(agent.name for agent in pit.config.agents)
            msg = f"no snake {to} in {pit.config.path}"
            raise NotFound(msg, fix=f"one of {known}")
        return [to]
    if each:
        from snakepit.pool.status import current_agents

        members = [agent.name for agent in current_agents(pit.config) if agent.pool == each]
        if not members:
            known = ", ".join(pool.name for pool in pit.config.pools) or "there is none"
            msg = f"no pool {each} with snakes in it in {pit.config.path}"
            raise NotFound(msg, fix=f"pools: {known}")
        return [*members]
    return [None]


def prepare_source(
    pit: "Pit", source: Source, name: str | None, keys: dict[str, object | None]
) -> "tuple[str, bytes, Task]":
    from snakepit.core import names
    from snakepit.pool.feed import fresh_name, prepare

    full = names.task_name(name) if name else fresh_name(source.stem)
    problem = names.problem_with(full)
    if problem:
        msg = f"{names.printable(full)}: {problem}"
        raise UsageProblem(msg, fix="another --name")
    changes = {key: value for key, value in keys.items() if value}
    if keys["priority"] == 0:
        changes["priority"] = 0
    try:
        _, task = prepare(full, source.text, {})
        for key in ("labels", "needs"):
            if key in changes:
                own = getattr(task, key)
                added = changes[key]
                changes[key] = list(dict.fromkeys([*own, *added]))  # type: ignore[misc]
        text, task = prepare(full, source.text, changes, by=worker_inside(pit.config.pit_dir))
    except TaskError as exc:
        msg = f"{source.origin}: {exc.message}"
        raise TaskError(msg, line=0, key=exc.key, fix=exc.fix) from exc
    return full, text, task


def publish_all(pit: "Pit", prepared: "list[tuple[str, bytes, Task]]") -> "list[Fed]":
    from snakepit.pool.feed import feed as publish

    fed: list[Fed] = []
    shows = len(prepared) > BATCH and sys.stderr.isatty()
    for start in range(0, len(prepared), BATCH):
        fed += publish(pit, prepared[start : start + BATCH])
        if shows:
            sys.stderr.write(f"\rfed {len(fed)} of {len(prepared)}")
            sys.stderr.flush()
    if shows:
        sys.stderr.write("\n")
    return fed


def _answer(call: Invocation, pit: "Pit", fed: "list[Fed]", *, wait: bool) -> None:
    value: dict[str, object] = {
        "fed": [
            {
                "name": one.name,
                "path": str(one.path),
                "kind": one.task.kind,
                "priority": one.task.priority,
                "needs": list(one.task.needs),
            }
            for one in fed
        ],
        "ended": None,
    }
    if not wait:
        for reason in _nobody(pit, fed):
            call.notice(f"waits {reason}")
        call.emit(value, _told(fed))
        return
    from snakepit.pool.follow import follow
    from snakepit.pool.status import why_nobody
    from snakepit.store.layout import FOLDER

    if not call.as_json:
        call.emit(value, _told(fed))
        sys.stdout.flush()
    nobody = why_nobody(pit.config, pit.store, fed[0].task)
    if nobody:
        call.notice(f"waits: {nobody}")
    ending = follow(pit, fed[0].name, notice=lambda reason: call.notice(f"waits: {reason}"))
    if ending is None:  # only where a limit of time was given
        return
    value["ended"] = {
        "name": ending.name,
        "state": FOLDER[ending.state],
        "path": str(ending.path),
        "result": ending.text if ending.is_done else None,
        "reason": None if ending.is_done else ending.text,
    }
    call.emit(value, [*ending.text.splitlines(), str(ending.path)])
    if not ending.is_done:
        raise SystemExit(1)


def _nobody(pit: "Pit", fed: "list[Fed]") -> list[str]:
    """What of species and labels no snake of agents.toml eats, each said once."""
    from snakepit.core.order import class_of
    from snakepit.pool.crew import no_taste
    from snakepit.pool.status import current_agents

    agents = current_agents(pit.config)
    keys = dict.fromkeys(class_of(one.task) for one in fed)
    return [reason for reason in (no_taste(agents, key) for key in keys) if reason]


def _told(fed: "list[Fed]") -> Iterator[str]:
    shown = fed if len(fed) <= SHOWN or not sys.stdout.isatty() else fed[:SHOWN]
    for one in shown:
        waits = f", after {', '.join(one.task.needs)}" if one.task.needs else ""
        yield f"{one.name}: waits for a {one.task.kind} snake, priority {one.task.priority}{waits}"
    if len(shown) < len(fed):
        yield f"and {len(fed) - len(shown)} more"
