"""Owns turning what hooks wrote into events, signals, rests of accounts, and the conversation to take up again."""

import os
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core import outcome
from snakepit.core.hooked import FAILED, STOP, Told, event_of, told
from snakepit.core.outcome import OF_THE_ACCOUNT, Outcome
from snakepit.core.signals import Signals
from snakepit.core.trouble import Trouble, classify
from snakepit.pool import limits
from snakepit.pool.canary import remembered
from snakepit.pool.limits import STRUCTURED, TEXT
from snakepit.pool.resume import forget_conversation, note_conversation
from snakepit.pool.signals import Status, signals, signals_path, status
from snakepit.pool.spool import Line, Stamps, new_lines, stamps_of, workers
from snakepit.pool.statefile import write_state

if TYPE_CHECKING:
    from snakepit.config.model import Agent
    from snakepit.pool.context import Pit

MARKS = (95, 90, 80, 60)  # percent of the context
USED_UP = 100.0


class Hooks:
    """One reader of all spools; several at once share the lines between them, each line told once."""

    def __init__(self, pit: "Pit") -> None:
        self._pit = pit
        self._marks: dict[str, tuple[str, int]] = {}
        self._looked: dict[str, float] = {}
        self._stamps: dict[str, Stamps] = {}

    def step(self, _now: float) -> None:
        """Those that have written since the last step."""
        for worker in workers(self._pit.config):
            stamps = stamps_of(self._pit.config, worker)
            if stamps != self._stamps.get(worker):
                self.collect(worker)
                self._stamps[worker] = stamps

    def collect(self, worker: str) -> None:
        """All that this worker's hooks have written so far."""
        agent = self._pit.config.member_of(worker)
        while agent is not None and self._batch(agent):
            pass
        if agent is not None:
            self._look_at_status(agent)

    def _batch(self, agent: "Agent") -> bool:
        config = self._pit.config
        names = config.backend_of(agent).hooks.events
        with new_lines(config, agent.name) as lines:
            known = first = signals(config, agent.name) if lines else Signals()
            for line in lines:
                found = told(line.said, names)
                if found is not None:
                    known = known.after(found, line.at, line.generation)
                    self._tell(agent, line, found, known)
            if known != first:
                write_state(signals_path(config, agent.name), known.to_json())
        return bool(lines)

    def _tell(self, agent: "Agent", line: Line, found: Told, known: Signals) -> None:
        kind, fields = event_of(found, is_cut=line.is_cut)
        is_own = not line.task  # a run per task is judged by its own output
        if found.kind == FAILED:
            fields |= self._refused(agent, found, line, is_own=is_own)
        elif found.kind == STOP and is_own:
            fields |= self._answered(agent, found)
            note_conversation(self._pit.config, agent, known.session)
        self._pit.journal.append(
            kind,
            task=line.task or self._only_held(agent.name),
            worker=agent.name,
            attempt=line.attempt or None,
            at=clock.stamp(line.at),
            **fields,
        )

    def _refused(
        self, agent: "Agent", found: Told, line: Line, *, is_own: bool
    ) -> dict[str, object]:
        """What a failed turn means: the account rests, or the conversation is not taken up again."""
        rules = self._pit.config.backend_of(agent).trouble
        trouble = classify(found.text, rules, now=line.at, zone_of=clock.zone)
        kind = trouble.kind if trouble else outcome.FAILED
        account = remembered(self._pit.config, agent) if is_own else ""
        if trouble is not None and trouble.kind in OF_THE_ACCOUNT and account:
            self._rest(agent, account, trouble, line.at)
        elif is_own and kind in (outcome.POISONED, outcome.CONTEXT_FULL):
            forget_conversation(self._pit.config, agent)
        return {"outcome": kind}

    def _rest(self, agent: "Agent", account: str, trouble: Trouble, began: float) -> None:
        ended = Outcome(
            kind=trouble.kind, reason=trouble.said, until=trouble.until, scope=trouble.scope
        )
        limits.rest(self._pit, account, ended, by=agent.name, source=TEXT, began=began)

    def _answered(self, agent: "Agent", found: Told) -> dict[str, object]:
        config = self._pit.config
        account = remembered(config, agent)
        if account and limits.records(config):
            limits.answered(self._pit, account, agent.model, by=agent.name)
        said = status(config, agent.name, config.backend_of(agent))
        if not said.at or said.session not in ("", found.session):
            return {}
        used = {
            "cumulative_cost": said.cost_usd,
            "context_limit": said.context_limit or None,
            "tokens_used_percentage": None
            if said.context_used is None
            else f"{said.context_used:g}%",
        }
        told_of = {name: value for name, value in used.items() if value is not None}
        return {"usage": told_of, **({"model": said.model} if said.model else {})}

    def _look_at_status(self, agent: "Agent") -> None:
        """Its status line: the context that fills, the window of the account that is used up."""
        said = status(self._pit.config, agent.name, self._pit.config.backend_of(agent))
        if said.at <= self._looked.get(agent.name, 0.0):
            return
        self._looked[agent.name] = said.at
        self._warn(agent, said)
        now = clock.wall()
        account = remembered(self._pit.config, agent)
        for window in said.windows:
            if account and window.used >= USED_UP and window.resets > now:
                name = window.name.replace("_", " ")
                ended = Outcome(
                    kind=outcome.LIMITED, reason=f"{name} limit used up", until=window.resets
                )
                limits.rest(
                    self._pit, account, ended, by=agent.name, source=STRUCTURED, began=said.at
                )

    def _warn(self, agent: "Agent", said: Status) -> None:
        """Once for each mark that is passed, until the context shrinks below it."""
        if said.context_used is None:
            return
        mark = next((mark for mark in MARKS if said.context_used >= mark), 0)
        session, before = self._marks.get(agent.name, ("", 0))
        self._marks[agent.name] = (said.session, mark)
        if mark > (before if session == said.session else 0):
            used = int(said.context_limit * said.context_used / 100)
            self._pit.journal.append(
                "context_limit_warning",
                worker=agent.name,
                task=self._only_held(agent.name),
                model=said.model,
                threshold=f"{mark}%",
                current_usage=f"{said.context_used:g}%",
                tokens_used=used,
                tokens_remaining=said.context_limit - used,
                context_limit=said.context_limit,
                is_estimate=True,
            )

    def _only_held(self, worker: str) -> str | None:
        """What an interactive program works on, where it holds one task."""
        try:
            names = os.listdir(self._pit.config.pit_dir / "claimed" / worker)
        except OSError:
            return None
        held = [name for name in names if name.endswith(".md") and not name.startswith(".")]
        return held[0] if len(held) == 1 else None
