"""Owns whether a run has used up what it may: turns, tokens, money."""

from snakepit.agents.anthropic.settings import Settings
from snakepit.core.conversation import Conversation


def over_limit(settings: Settings, conversation: Conversation) -> str:
    """Why no further request may be sent; "" while one may."""
    used = conversation.usage
    if conversation.turns >= settings.max_turns:
        return f"it took {conversation.turns} turns, as many as [anthropic] max_turns allows"
    if settings.max_tokens and used.tokens >= settings.max_tokens:
        return f"it used {used.tokens:,} tokens; [anthropic] max_tokens is {settings.max_tokens:,}"
    if settings.budget_usd and conversation.turns:
        if used.cost_usd is None:
            model = used.model or settings.model
            return f"[anthropic] budget_usd is set, and the price of {model} is unknown"
        if used.cost_usd >= settings.budget_usd:
            spent, allowed = f"${used.cost_usd:.4f}", f"${settings.budget_usd:.2f}"
            return f"it spent {spent}; [anthropic] budget_usd is {allowed}"
    return ""
