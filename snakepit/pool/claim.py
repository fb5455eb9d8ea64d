"""Owns claiming: the next task for a life, told in the journal; parents whose parts are done end here."""

from snakepit.core.lifecycle import State
from snakepit.core.order import Diet
from snakepit.core.result import result_of
from snakepit.pool import settle
from snakepit.pool.context import Pit
from snakepit.store.base import Claim, Life

SHOWN_OF_A_PART = 400


def claim_next(pit: Pit, life: Life, diet: Diet) -> Claim | None:
    """None when nothing waits for this diet. A parent of finished parts is completed on the way, without a run."""
    while True:
        claim = pit.store.claim(life, diet)
        if claim is None:
            return None
        told_claim(pit, claim)
        if not is_only_parent(claim):
            return claim
        settle.complete(pit, life, claim, parts_summary(pit, claim))


def claim_named(pit: Pit, life: Life, name: str) -> Claim:
    claim = pit.store.claim_name(life, name)
    told_claim(pit, claim)
    return claim


def told_claim(pit: Pit, claim: Claim, *, observed: bool = False) -> None:
    pit.journal.append(
        "task.claimed",
        task=claim.name,
        worker=claim.worker,
        attempt=claim.attempt,
        generation=claim.generation,
        observed=observed or None,
    )


def is_only_parent(claim: Claim) -> bool:
    return bool(claim.task.parts) and not claim.task.join


def is_join(claim: Claim) -> bool:
    """The run that puts finished parts together."""
    return bool(claim.task.parts) and claim.task.join


def parts_summary(pit: Pit, claim: Claim) -> str:
    """The results of the parts, each cut to its beginning, as the parent's own result."""
    lines = [f"All {len(claim.task.parts)} parts are done:", ""]
    for name in claim.task.parts:
        lines.append(f"- [{name}]({name})")
        for entry in pit.store.locate(name):
            if entry.state is State.DONE:
                text = " ".join(result_of(pit.store.read(entry)).split())
                cut = text[:SHOWN_OF_A_PART] + (" …" if len(text) > SHOWN_OF_A_PART else "")
                lines.append(f"  {cut}")
    return "\n".join(lines)
