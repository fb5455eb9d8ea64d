"""Owns which conversation an interactive agent takes up at its next start: one line in a file for each."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from snakepit.agents.given import write_anew

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config


def resume_path(config: "Config", agent: "Agent") -> Path:
    return config.state_dir / "resume" / agent.name


def resume_id(config: "Config", agent: "Agent") -> str:
    """The id of the last conversation, if it may be continued."""
    try:
        return resume_path(config, agent).read_text(encoding="utf-8").strip()
    except OSError:
        return ""


def take_resume_id(config: "Config", agent: "Agent") -> str:
    """The same, for one start: a conversation that cannot be taken up shall not be tried for ever.

    One that was taken up is noted anew at the end of its next turn.
    """
    found = resume_id(config, agent)
    forget_conversation(config, agent)
    return found


def note_conversation(config: "Config", agent: "Agent", session_id: str) -> None:
    """After a turn that ended well: before one, there may be nothing that could be taken up."""
    backend = config.backend_of(agent)
    is_word = bool(session_id) and not any(char.isspace() for char in session_id)
    is_wanted = agent.resume and backend.supports_resume
    if not is_wanted or not is_word or session_id.startswith("-"):
        return
    if resume_id(config, agent) != session_id:
        write_anew(resume_path(config, agent), session_id + "\n")


def forget_conversation(config: "Config", agent: "Agent") -> None:
    try:
        os.unlink(resume_path(config, agent))
    except OSError:
        return
