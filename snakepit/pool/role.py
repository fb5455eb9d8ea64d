"""Owns what an agent is told at its start: the text of its prompt file, then its prompt."""

from typing import TYPE_CHECKING

from snakepit.errors import AgentError

if TYPE_CHECKING:
    from snakepit.config.model import Agent


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
