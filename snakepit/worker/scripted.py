"""Owns one run of one script task: what it gets and what came of it; settles nothing."""

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from snakepit.agents import script
from snakepit.core.header import split
from snakepit.core.outcome import Outcome
from snakepit.errors import AgentError
from snakepit.pool.claim import is_join
from snakepit.pool.context import Pit
from snakepit.pool.environment import plain
from snakepit.store.base import Claim
from snakepit.worker.attention import Attention
from snakepit.worker.identity import SESSION, identity, with_own_command
from snakepit.worker.screen import Screen

KEEP = "keep"


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a run happens: its waste folder, its working folder, its environment without identity."""

    folder: Path
    cwd: Path
    env: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """`reason` is empty when it went well; `dead`: another try would end the same way. `outcome` is what an
    agent program told: where that ended for its account's sake, the task goes back uncounted. `rest_s`: seconds
    without claims after the task went back. `is_settled`: the run did that. `accepted` is called once the pit has it.
    """

    text: str = ""
    reason: str = ""
    stopped: str = ""
    dead: bool = False
    keep: Path | None = None
    logs: str = ""
    folder: Path | None = None
    outcome: Outcome | None = None
    rest_s: float = 0.0
    is_settled: bool = False
    accepted: Callable[[], None] | None = None


def run_script(
    pit: Pit,
    claim: Claim,
    place: Place,
    *,
    screen: Screen,
    attention: Attention,
    end_rest: Callable[[], bool],
    secrets: Iterable[str] = (),
) -> Run:
    """`end_rest` ends what the run left behind; `secrets` are masked beside their known shapes."""
    from snakepit.session.masking import MaskingStream

    body = split(claim.text)[1]
    folder, cwd = place.folder, place.cwd
    try:
        blocks = script.blocks_of(
            body.decode("utf-8", "replace"), is_script=claim.task.species == "script"
        )
    except AgentError as error:
        return Run(reason=f"{error.message}; {error.fix}", dead=True, folder=folder)
    if not cwd.is_dir():
        return Run(reason=f"dir: {cwd} is no folder", folder=folder)
    kept = folder / KEEP
    kept.mkdir(mode=0o700)
    job = script.Job(
        blocks=blocks,
        env={**place.env, **run_identity(pit, claim, kept)},
        cwd=cwd,
        folder=folder,
        timeout_s=claim.task.timeout_s or pit.config.pit.timeout_s,
    )
    outcome = script.run(
        job,
        mask=MaskingStream(secrets),
        screen=screen,
        attention=attention,
        end_rest=end_rest,
    )
    if claim.task.artefacts:
        keep_artefacts(claim, cwd, kept, screen)
    return Run(
        text=outcome.text,
        reason=outcome.reason,
        stopped=outcome.stopped,
        keep=kept if has_files(kept) else None,
        logs=str(folder / "output.log"),
        folder=folder,
    )


def keep_artefacts(claim: Claim, cwd: Path, kept: Path, screen: Screen) -> None:
    from snakepit.agents.artefacts import keep

    for problem in keep(claim.task.artefacts, cwd, kept):
        screen.say(problem)


def has_files(folder: Path) -> bool:
    with os.scandir(folder) as entries:
        return any(entries)


def run_identity(pit: Pit, claim: Claim, kept: Path) -> dict[str, str]:
    own = {
        **identity(pit.config, claim.worker, claim.generation),
        "SNAKEPIT_TASK": claim.name,
        "SNAKEPIT_ATTEMPT": str(claim.attempt),
        "SNAKEPIT_ARTEFACTS": str(kept),
    }
    if is_join(claim):
        own["SNAKEPIT_JOIN"] = "1"
    session = os.environ.get(SESSION)
    return {**own, SESSION: session} if session else own


def script_environment(own: Mapping[str, str]) -> dict[str, str]:
    """What a script task gets beside its identity: no key."""
    return with_own_command({**plain(os.environ), **own})
