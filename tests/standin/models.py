"""Owns scripted models that work: they read what they were asked and go on from the last result.

They hold no state: everything is in the conversation, so that one conversation can be resumed, and
several can go on at once.
"""

import re
import shlex
from collections.abc import Callable
from pathlib import Path

from tests.standin.space import Asked
from tests.standin.steps import Model, Step, say, shell

# Programs put words of their own around a tool's output, some the command itself: the last counts.
MARK = re.compile(r"\bSTANDIN (food|mine|done|lost|empty)\b ?([\w.-]*)")


def by_hand(pit: Path, worker: str, *, idle: str = "Nothing left to do.") -> Model:
    """Takes task after task with nothing but `mv -n`, as the role prompt's fallback says."""
    food, mine, done = pit / "food", pit / "claimed" / worker, pit / "done"

    def look() -> Step:
        return shell(
            f"cd {shlex.quote(str(food))} && mkdir -p {shlex.quote(str(mine))}; "
            'for f in *.md; do [ -e "$f" ] && echo STANDIN food $f && exit 0; done; '
            "echo STANDIN empty"
        )

    def claim(name: str) -> Step:
        here, there = shlex.quote(str(food / name)), shlex.quote(str(mine / name))
        return shell(
            f"mv -n {here} {there}; "
            f"[ -e {there} ] && cat {there} && echo STANDIN mine {name} || echo STANDIN lost"
        )

    def finish(name: str) -> Step:
        here, there = shlex.quote(str(mine / name)), shlex.quote(str(done / name))
        return shell(
            f"printf '\\n## Result\\n\\n%s eaten by hand\\n' {shlex.quote(name)} >> {here}; "
            f"mv -n {here} {there}; [ -e {here} ] || echo STANDIN done {name}"
        )

    steps: dict[str, Callable[[str], Step]] = {"food": claim, "mine": finish}

    def model(asked: Asked) -> Step:
        marks = MARK.findall(asked.result)
        if not asked.talk.results or not marks:
            return look()
        word, name = marks[-1]
        if word == "empty":
            return say(idle)
        return steps[word](name) if word in steps else look()

    return model


def answering(find: str, *, otherwise: str = "nothing found") -> Model:
    """Answers with what the pattern finds in the user's words: proof that they arrived."""
    pattern = re.compile(find)

    def model(asked: Asked) -> Step:
        for text in reversed(asked.talk.users):
            found = pattern.search(text)
            if found:
                return say(f"{found[1] if pattern.groups else found[0]}")
        return say(otherwise)

    return model


def in_turn(*steps: Step) -> Model:
    """The n-th step after n tool results, so that a repeated request gets the same answer."""

    def model(asked: Asked) -> Step:
        return steps[min(len(asked.talk.results), len(steps) - 1)]

    return model


def by_calls(*steps: Step) -> Model:
    """The n-th step after n calls of its own, whatever became of them, in the conversation."""

    def model(asked: Asked) -> Step:
        return steps[min(len(asked.talk.calls), len(steps) - 1)]

    return model


def fed(*, settle: bool = True) -> Model:
    """Does each task that it is told of, once, with the command that the prompt names; else only talks."""
    order = re.compile(
        r"Your task is (\S+), attempt \d+, claimed for you already\. Read (\S+) and do"
    )

    def model(asked: Asked) -> Step:
        orders = list(
            dict.fromkeys(one for text in asked.talk.users for one in order.findall(text))
        )
        done = sum(
            " settled by its model" in call.input.get("command", "") for call in asked.talk.calls
        )
        if not settle or done >= len(orders):
            return say("That was it.")
        name, copy = orders[done]
        return shell(f"cat {shlex.quote(copy)}; snakepit done -m '{name} settled by its model'")

    return model
