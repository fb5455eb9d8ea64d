"""Owns which conversation a run has: a new one about its task, or that of an earlier run which was cut off."""

import os
import secrets
from hashlib import sha256
from pathlib import Path

from snakepit.agents.anthropic.transcript import NAME, Transcript, earlier_transcript
from snakepit.core.conversation import Conversation
from snakepit.core.header import split
from snakepit.core.lifecycle import State
from snakepit.core.result import result_heading, without_blocks
from snakepit.pool.claim import is_join, parts_summary
from snakepit.pool.context import Pit
from snakepit.store.base import Claim


def prompt_of(pit: Pit, claim: Claim) -> str:
    """The task as the agent reads it, with the stories of earlier attempts and the results of its parts."""
    body = split(claim.text)[1].decode("utf-8", "replace").strip()
    lines = [f"# Task {claim.name}, attempt {claim.attempt}"]
    if claim.task.title and claim.task.title not in body:
        lines.append(f"Title: {claim.task.title}")
    if claim.task.artefacts:
        lines.append(f"Kept of your folder with the result: {', '.join(claim.task.artefacts)}")
    lines += ["", body]
    if is_join(claim):
        lines += ["", "Its parts are done; put their results together.", parts_summary(pit, claim)]
    return "\n".join(lines)


def open_transcript(
    pit: Pit, claim: Claim, folder: Path, model: str, *, resumes: bool = True
) -> Transcript:
    """That of the run before, if it is about the same text and was cut off; else a new one."""
    text_hash = _text_hash(claim)
    earlier = earlier_transcript(folder) if resumes else None
    transcript = Transcript(folder / NAME, earlier=earlier)
    found = transcript.conversation
    if earlier is not None and not _goes_on(pit, claim, found, text_hash):
        transcript.close()
        os.unlink(folder / NAME)
        transcript = Transcript(folder / NAME)
        found = transcript.conversation
    if not found.session:
        session = secrets.token_hex(8)
        transcript.add("begin", session=session, task=claim.name, text_hash=text_hash, model=model)
    transcript.add("run", generation=claim.generation, attempt=claim.attempt)
    return transcript


def _goes_on(pit: Pit, claim: Claim, found: Conversation, text_hash: str) -> bool:
    if found.is_settled or found.text_hash != text_hash or is_join(claim):
        return False
    if found.ending is None:
        return True
    return found.ending.kind == "done" and not _was_accepted(pit, claim, found)


def _was_accepted(pit: Pit, claim: Claim, found: Conversation) -> bool:
    """Its result lies in done/, and only the note of it is missing: this is the same name once more."""
    headings = [result_heading(generation).encode() for generation in found.generations]
    texts = [
        pit.store.read(entry) for entry in pit.store.locate(claim.name) if entry.state is State.DONE
    ]
    return any(heading in text for text in texts for heading in headings)


def _text_hash(claim: Claim) -> str:
    body = split(claim.text)[1].decode("utf-8", "replace")
    return sha256(without_blocks(body).encode()).hexdigest()[:16]


def note_settled(path: Path) -> None:
    """The pit has accepted what the conversation ended with: nobody goes on with it."""
    transcript = Transcript(path, earlier=path)
    transcript.add("settled")
    transcript.close()
