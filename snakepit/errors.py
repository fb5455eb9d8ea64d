"""Owns every error the project raises, cut by what the person can do about it.

SnakepitError              exit 1
├── UsageProblem           exit 2   the command line is wrong
├── ConfigError            exit 3   agents.toml must be edited
├── EnvironmentMissing     exit 4   a program or a property of the machine is missing
│   └── TmuxUnavailable
├── TaskError              exit 1   a task file cannot be read as its author meant it
├── NotFound               exit 1   no task, agent or session of that name
├── StoreError             exit 1
│   ├── ClaimLost          exit 6   the claim is no longer yours
│   ├── LifeLost           exit 6   the folder of this life was removed; only a new life can claim
│   ├── WorkerNameTaken    exit 4   another life holds that worker name
│   └── NothingToClaim     exit 5   nothing waits for this worker, or a wait timed out
├── SessionError           exit 1
│   └── SessionGone        exit 1
├── AgentError             exit 1   an agent program could not be started or ended wrongly
└── InvalidTransition      exit 1   our own mistake: the lifecycle table forbids it
"""


class SnakepitError(Exception):
    """What went wrong and where; `fix` is the one line that mends it."""

    exit_code = 1

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix

    def __str__(self) -> str:
        return f"{self.message}\n  fix: {self.fix}" if self.fix else self.message


class UsageProblem(SnakepitError):
    exit_code = 2


class ConfigError(SnakepitError):
    exit_code = 3


class EnvironmentMissing(SnakepitError):
    exit_code = 4


class TmuxUnavailable(EnvironmentMissing):
    pass


class TaskError(SnakepitError):
    """`line` counts from 1 in the whole file; 0 where no line can be named."""

    def __init__(self, message: str, *, line: int = 0, key: str = "", fix: str = "") -> None:
        super().__init__(f"line {line}: {message}" if line else message, fix=fix)
        self.line = line
        self.key = key


class NotFound(SnakepitError):
    pass


class StoreError(SnakepitError):
    pass


class ClaimLost(StoreError):
    exit_code = 6


class LifeLost(StoreError):
    exit_code = 6


class WorkerNameTaken(StoreError):
    exit_code = 4


class NothingToClaim(StoreError):
    exit_code = 5


class SessionError(SnakepitError):
    pass


class SessionGone(SessionError):
    pass


class AgentError(SnakepitError):
    pass


class InvalidTransition(SnakepitError):
    pass
