"""Owns how a run of an agent program ended, in one word with its facts; it decides nothing about the task."""

from collections.abc import Mapping
from typing import NamedTuple

from snakepit.core.usage import Usage

OK = "ok"
FAILED = "failed"
LIMITED = "limited"
OVERLOADED = "overloaded"
AUTH = "auth"
BILLING = "billing"
CONTEXT_FULL = "context_full"
POISONED = "poisoned"
CONFIG = "config"
INTERRUPTED = "interrupted"
TIMEOUT = "timeout"

KINDS = (
    OK, FAILED, LIMITED, OVERLOADED, AUTH, BILLING, CONTEXT_FULL, POISONED, CONFIG, INTERRUPTED,
    TIMEOUT,
)  # fmt: skip
OF_THE_ACCOUNT = frozenset({LIMITED, OVERLOADED, AUTH, BILLING})


class Outcome(NamedTuple):
    """`until`: unix seconds, where one was read. `scope`: "" is the whole account, else a model's, as "opus"."""

    kind: str
    text: str = ""
    reason: str = ""
    until: float | None = None
    scope: str = ""
    usage: Usage = Usage()
    session_id: str = ""
    details: Mapping[str, object] = {}

    @property
    def is_ok(self) -> bool:
        return self.kind == OK

    @property
    def is_accounts(self) -> bool:
        """The run ended for the account's sake: the task goes back uncounted, the account rests."""
        return self.kind in OF_THE_ACCOUNT
