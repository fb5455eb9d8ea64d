"""Owns what an agent is told at its start, the text of its prompt file and its prompt, and what that costs."""

import re
from typing import TYPE_CHECKING

from snakepit.errors import AgentError

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config


_LOOP = re.compile(r"(?m)^\s*/loop(?:\s+(\d+[smhd]))?(?:\s|$)")


def model_calls(config: "Config", agent: "Agent") -> str:
    """When it calls its model although there is no food, in words; "" for one that the pit feeds."""
    if agent.feed != "self" or config.is_driven(agent) or not config.backend_of(agent).thinks:
        return ""
    loop = _LOOP.search(agent.prompt)
    often = f"every {loop[1]}" if loop and loop[1] else "as often as it likes"
    return f"feeds itself: calls its model also while there is no food, {often}"


def role_of(agent: "Agent") -> str:
    """`{name}` filled in; "" where the config says nothing. AgentError when the file cannot be read."""
    texts = [agent.prompt.replace("{name}", agent.name)]
    if agent.prompt_file is not None:
        try:
            texts.insert(0, agent.prompt_file.read_text(encoding="utf-8").strip())
        except (OSError, UnicodeDecodeError) as error:
            msg = f"{agent.name}: its prompt_file {agent.prompt_file} cannot be read: {error}"
            raise AgentError(msg, fix="agents.py check") from error
    return "\n\n".join(filter(None, texts))
