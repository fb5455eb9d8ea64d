"""Owns the events of what is done in the pane of an interactive program: texts given, questions answered."""

from collections.abc import Mapping

from snakepit.core.eventtype import EventType

_PROMPT = {
    "why": "nudge, push, reminder, wake or question",
    "proof": "what told that it was taken: hook, log or screen",
    "mark": "stands at the end of the text, and so in the program's own records",
    "bytes": "how long the text was",
    "reason": "why, in one sentence",
}
_QUESTION = {
    "dialog": "its name in the backend's table; unknown for a question that no table knows",
    "says": "what it asks, in plain words",
}

PANE_EVENTS: Mapping[str, EventType] = {
    "prompt.delivered": EventType(doc="A text was given to a program and taken.", fields=_PROMPT),
    "prompt.queued": EventType(
        doc="A text was not typed now: somebody types, or the program is not ready.", fields=_PROMPT
    ),
    "prompt.refused": EventType(
        doc="A text was not typed: it would have reached a question, another program or nobody.",
        fields=_PROMPT,
    ),
    "prompt.ambiguous": EventType(
        doc="A text was typed, and nothing tells whether it was taken; it is not sent again unseen.",
        fields=_PROMPT,
    ),
    "dialog.answered": EventType(
        doc="A question at the start of a program was answered as the config allows.",
        fields={**_QUESTION, "answer": "the label that was chosen"},
    ),
    "dialog.waits": EventType(
        doc="A program asks what only a person may answer; it waits in its pane.", fields=_QUESTION
    ),
    "dialog.gone": EventType(doc="The question that waited is gone.", fields=_QUESTION),
    "session.ready": EventType(
        doc="An interactive program takes texts, for the first time since its start.",
        fields={"seconds": "since it was first looked at", "generation": "of its life"},
    ),
    "push.reminded": EventType(
        doc="A turn ended without settling its task: the agent was told once.",
        fields={"generation": "of its life"},
    ),
}
