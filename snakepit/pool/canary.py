"""Owns whether a worker's account lets it claim, and who tries first when a rest is over; runs nothing.

When the time has come one snake of the account claims, the canary, under a lock that ends with its
process; the others follow when it was answered, or when it has worked so long that it would have been
refused by then. A refused canary sends the account back to rest.
"""

import fcntl
import os
from collections.abc import Mapping
from typing import TYPE_CHECKING

from snakepit import clock
from snakepit.core.outcome import CONFIG, INTERRUPTED, TIMEOUT
from snakepit.pool import limits
from snakepit.pool.limits import STRUCTURED, TEXT, Records, Rest, account_of, longest, plain
from snakepit.pool.told import rest_line, short_name

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Config
    from snakepit.core.outcome import Outcome
    from snakepit.pool.context import Pit

STAGGER_S = 240.0  # refused requests are given up by then: claude tries 11 times in 190 s
_NO_ANSWER = frozenset((CONFIG, INTERRUPTED, TIMEOUT))


class Account:
    """One worker's view of who pays for it. An agent without an account pays one test of a string."""

    def __init__(
        self, config: "Config", agent: "Agent", environ: Mapping[str, str] | None = None
    ) -> None:
        self.name = account_of(config, agent, environ)
        self._config = config
        self._model = agent.model
        self._worker = agent.name
        self._records = Records(config)
        self._lock: int | None = None
        if self.name:
            _remember(config, agent.name, self.name)

    def closed(self) -> str:
        """Why it may not claim now; empty when it may, perhaps as the canary: then `stand_down` or
        `ended` must follow."""
        if not self.name:
            return ""
        found = self._records.now()
        if not found:
            return ""
        now = clock.wall()
        active = longest(found, self.name, self._model, lambda rest: not rest.is_over(now))
        if active is not None:
            self.stand_down()
            return f"resting: {rest_line(active, now)}"
        over = longest(found, self.name, self._model, lambda rest: not rest.lifted)
        if over is None or self._goes_first(now):
            return ""
        return f"waits until another snake has tried the {short_name(self.name)}"

    def stand_down(self) -> None:
        """Nothing was claimed: somebody else may go first."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def ended(self, pit: "Pit", outcome: "Outcome", *, began: float) -> Rest | None:
        """After a run: the account rests, or it answered and all may claim."""
        try:
            if not self.name:
                return None
            if outcome.is_accounts:
                is_field = outcome.details.get("until_source") == STRUCTURED
                return limits.rest(
                    pit,
                    self.name,
                    outcome,
                    by=self._worker,
                    source=STRUCTURED if is_field else TEXT,
                    began=began,
                )
            is_answer = outcome.kind not in _NO_ANSWER or outcome.usage.tokens > 0
            if is_answer and self._records.now():
                limits.answered(pit, self.name, self._model, by=self._worker)
            return None
        finally:
            self.stand_down()

    def _goes_first(self, now: float) -> bool:
        """Takes the lock, or finds that who has it has worked long enough."""
        if self._lock is not None:
            return True
        path = limits.limits_dir(self._config) / f".{self.name}.canary"
        flags = os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        fd = os.open(path, flags, 0o600)
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            began = os.fstat(fd).st_mtime
            os.close(fd)
            return now - began >= STAGGER_S
        os.utime(fd)
        self._lock = fd
        return True


def _remember(config: "Config", worker: str, account: str) -> None:
    """So that `status`, in another environment, knows whose rest it is."""
    from snakepit.pool.statefile import write_state

    write_state(config.state_dir / "accounts" / f"{worker}.json", {"account": account})


def remembered(config: "Config", agent: "Agent") -> str:
    """The account that its worker found last; by this process's environment where none did."""
    from snakepit.pool.statefile import read_state

    found = read_state(config.state_dir / "accounts" / f"{agent.name}.json").get("account")
    named = config.backends[agent.backend].account.name
    if isinstance(found, str) and named and found.startswith(f"{plain(named)}-"):
        return found
    return account_of(config, agent)
