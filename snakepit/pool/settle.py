"""Owns the ends of a claim: complete, fail and release, each told in the journal after its commit."""

from collections.abc import Sequence
from pathlib import Path

from snakepit.core import usage as spent
from snakepit.core.lifecycle import State
from snakepit.core.usage import Usage
from snakepit.pool.context import Pit
from snakepit.store.base import Claim, Life, Part, Settled

NOTHING = Usage()
LATE = "the claim was gone; the result was kept"


def complete(
    pit: Pit,
    life: Life,
    claim: Claim,
    result: str,
    *,
    seconds: float = 0.0,
    keep: Path | None = None,
    usage: Usage = NOTHING,
) -> Settled:
    """Exactly once; ClaimLost for a verb whose claim is gone. The result is masked before it is written.

    Of `keep` only regular files and folders are published; the result names what else it held.
    """
    if keep is not None:
        keep, said = _only_files(keep)
        result += said
    if usage is not NOTHING and usage:
        result += f"\n\n*{spent.said(usage)}*"
    settled = pit.store.complete(
        claim, life, pit.redactor.clean(result), seconds=seconds, keep=keep
    )
    if settled.late:
        _tell(pit, "task.late", claim, path=str(settled.path), usage=_counted(pit, usage))
    elif settled.by_hand:
        _tell_by_hand(pit, claim, settled, usage)
    else:
        pit.journal.append(
            "task.completed",
            task=claim.name,
            worker=claim.worker,
            attempt=claim.attempt,
            generation=claim.generation,
            seconds=round(seconds, 3),
            path=f"{settled.folder}/{settled.name}",
            usage=_counted(pit, usage),
        )
    return settled


def _only_files(keep: Path) -> tuple[Path | None, str]:
    """The folder without links and special files, None when nothing is in it; a word about those."""
    from snakepit.agents.artefacts import leave_out, tell_left_out

    left = leave_out(keep)
    is_empty = not keep.is_dir() or next(keep.iterdir(), None) is None
    return None if is_empty else keep, f"\n\n{tell_left_out(left)}\n" if left else ""


def fail(
    pit: Pit,
    life: Life,
    claim: Claim,
    reason: str,
    *,
    seconds: float = 0.0,
    counted: bool = True,
    dead: bool = False,
    delay_s: float | None = None,
    logs: str = "",
    usage: Usage = NOTHING,
) -> Settled:
    clean = pit.redactor.clean(reason)
    settled = pit.store.fail(
        claim, life, clean, counted=counted, dead=dead, delay_s=delay_s, logs=logs
    )
    if settled.by_hand:
        _tell_by_hand(pit, claim, settled, usage)
        return settled
    _tell(
        pit,
        "task.failed",
        claim,
        reason=clean,
        counted=counted,
        seconds=round(seconds, 3),
        usage=_counted(pit, usage),
    )
    if settled.state is State.DEAD:
        _tell(pit, "task.dead", claim, reason=clean, path=str(settled.path))
    return settled


def release(
    pit: Pit, life: Life, claim: Claim, reason: str = "released", *, usage: Usage = NOTHING
) -> Settled:
    settled = pit.store.release(claim, life)
    if settled.by_hand:
        _tell_by_hand(pit, claim, settled, usage)
    else:
        _tell(pit, "task.released", claim, reason=reason, usage=_counted(pit, usage))
    return settled


def split(pit: Pit, life: Life, claim: Claim, parts: Sequence[Part]) -> tuple[str, ...]:
    """All parts in one commit, or none: StoreError says which part is wrong."""
    names = pit.store.split(claim, life, parts)
    _tell(pit, "task.split", claim, parts=list(names))
    return names


def used(pit: Pit, claim: Claim, usage: Usage) -> None:
    """For a run that settled its task itself, by a verb."""
    if usage:
        _tell(pit, "task.used", claim, usage=_counted(pit, usage))


def _counted(pit: Pit, usage: Usage) -> dict[str, object] | None:
    """As the event tells it, and added to what the pit used so far."""
    if usage is NOTHING or not usage:
        return None
    from snakepit.pool.spending import count

    count(pit.config, usage)
    return usage.to_json()


_BY_HAND = {
    State.DONE: "task.completed",
    State.QUEUED: "task.released",
    State.DEAD: "task.dead",
}


def _tell_by_hand(pit: Pit, claim: Claim, settled: Settled, usage: Usage) -> None:
    """The agent had moved the file itself: a legal end, seen afterwards."""
    pit.journal.append(
        _BY_HAND[settled.state],
        task=settled.name,
        worker=claim.worker,
        attempt=claim.attempt,
        path=str(settled.path),
        observed=True,
        usage=_counted(pit, usage),
    )


def _tell(pit: Pit, kind: str, claim: Claim, **data: object) -> None:
    pit.journal.append(
        kind,
        task=claim.name,
        worker=claim.worker,
        attempt=claim.attempt,
        generation=claim.generation,
        **data,
    )
