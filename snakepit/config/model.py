"""Owns the shape of a loaded config: frozen records, absolute paths, durations in seconds.

Named tuples, not dataclasses: every verb loads these, and twelve dataclasses cost 11 ms at import,
a third of click, where twelve named tuples cost 2. Build them by keyword, change them by _replace.
"""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from snakepit.config.program import (
        Account,
        Dialog,
        Screen,
        Start,
        TaskRun,
        Typing,
        Way,
    )
    from snakepit.core.order import Diet
    from snakepit.core.trouble import TroubleRule

PROGRAM = "program"
SCRIPT = "script"
CONVERSATION = "conversation"
AUTO = "auto"
FLAGS = "{flags}"
TASK = "task"
WORKTREE = "worktree"
WATCHDOG = "watchdog"


class Watchdog(NamedTuple):
    signal_interval: float
    heavy_interval: float
    limit_probe_fallback: float
    limit_reset_slack: float
    stall_grace: float


class Defaults(NamedTuple):
    """`tmux_socket` is empty where none is given; ask `Config.socket`."""

    session_prefix: str
    log_dir: Path
    backend: str
    model: str
    watch: str
    tmux_socket: str
    tmux_conf: Path | None
    trust_workspace: bool = False
    consent: bool = False


class PitSettings(NamedTuple):
    path: Path
    settle_s: float
    attempts: int
    timeout_s: float
    durable: str
    keep_waste_days: float
    keep_waste_gb: float
    roots: tuple[Path, ...]


class ScriptSettings(NamedTuple):
    accept: str


class MessagesSettings(NamedTuple):
    """Our own agent. 0 is no limit, and for `context_tokens` what the server says."""

    base_url: str
    max_turns: int
    max_tokens: int
    budget_usd: float
    answer_tokens: int
    context_tokens: int
    compact_at: float
    cache: bool
    retries: int
    patience: float
    request_timeout: float
    command_timeout: float


class EventSettings(NamedTuple):
    keep_days: float


class Backend(NamedTuple):
    """`driver`: "worker" where our own process sits in the pane, "pane" where the program does; a task
    agent has our process too: ask `Config.is_driven`. `runner`: "program", "script" (the task's own
    code) or "conversation" (our own agent). `like`: the built-in program that the tables below come from,
    `given`: what agents.toml changes in them. `seen`: the oldest and newest version it was tried with.
    `version_argv` and `version_re` find the one that is there. `recovery_s`: how long it may be silent
    while it mends a connection by itself.

    The tables below are records of config/program.py, read at first use.
    """

    name: str
    driver: str
    bin: str
    flags: str
    remote_control: bool
    supports_resume: bool
    prompt_delivery: str
    process_name: str
    submit_key: str
    stall_idle: float
    active_re: str
    limit_re: str
    fatal_re: str
    env_pass: tuple[str, ...]
    runner: str = PROGRAM
    like: str = ""
    model: str = ""
    seen: tuple[str, ...] = ()
    version_argv: tuple[str, ...] = ("--version",)
    version_re: str = ""
    recovery_s: float = 300.0
    feeds: tuple[str, ...] = ("self",)
    unverified: tuple[str, ...] = ()
    needs_env: tuple[str, ...] = ()
    asks_nothing: tuple[str, ...] = ()
    thinks: bool = True
    given: Mapping[str, object] = {}

    @property
    def start(self) -> "Start":
        found: Start = self._table("start")
        return found

    @property
    def task(self) -> "TaskRun | None":
        """None for a program that has no run per task."""
        found: TaskRun | None = self._table("task")
        if found is None or FLAGS not in found.argv:
            return found
        import shlex

        at = found.argv.index(FLAGS)
        words = (*found.argv[:at], *shlex.split(self.flags), *found.argv[at + 1 :])
        return found._replace(argv=words)

    @property
    def trouble(self) -> "tuple[TroubleRule, ...]":
        found: tuple[TroubleRule, ...] = self._table("trouble")
        return found

    @property
    def dialogs(self) -> "tuple[Dialog, ...]":
        found: tuple[Dialog, ...] = self._table("dialogs")
        return found

    @property
    def hooks(self) -> "Way":
        found: Way = self._table("hooks")
        return found

    @property
    def mcp(self) -> "Way":
        found: Way = self._table("mcp")
        return found

    @property
    def account(self) -> "Account":
        found: Account = self._table("account")
        return found

    @property
    def screen(self) -> "Screen":
        found: Screen = self._table("screen")
        return found

    @property
    def typing(self) -> "Typing":
        found: Typing = self._table("typing")
        return found

    def _table(self, name: str) -> Any:
        from snakepit.config.deep import made

        return made(self.like, self.given, name)


class Wake(NamedTuple):
    """`grown`: only when one of these folders of the pit grew since the last time."""

    interval: float
    prompt_file: Path
    grown: tuple[str, ...] = ()


class Eats(NamedTuple):
    """No labels: any task of these species; else the task must share one of them."""

    species: tuple[str, ...]
    labels: tuple[str, ...] = ()


class Agent(NamedTuple):
    """`feed`: "task" our worker claims and runs, "self" the program claims, "push" the daemon claims for it.
    `workspace`: "worktree" where the folder is in a git repository, or "shared". `is_auto`: nobody named
    its backend; the first that was found is used."""

    name: str
    kind: str
    backend: str
    model: str
    resume: bool
    watch: str
    prompt: str
    wake: Wake | None
    species: str
    eats: Eats
    feed: str
    env: Mapping[str, str]
    env_pass: tuple[str, ...]
    dir: Path
    pool: str | None = None
    prompt_file: Path | None = None
    trust_workspace: bool = False
    workspace: str = "shared"
    base: str = ""
    hooks: bool = True
    mcp: bool = True
    is_auto: bool = False
    start: str = "up"

    @property
    def diet(self) -> "Diet":
        from snakepit.core.order import Diet

        return Diet(
            species=frozenset(self.eats.species),
            labels=frozenset(self.eats.labels),
            worker=self.name,
        )


class Pool(NamedTuple):
    """`template` is a member without its number; `member` fills `{name}` and `{id}` in its prompt."""

    name: str
    size: int
    template: Agent

    def member(self, number: int) -> Agent:
        name = f"{self.name}-{number}"
        prompt = self.template.prompt.replace("{name}", name).replace("{id}", str(number))
        return self.template._replace(name=name, prompt=prompt, pool=self.name)


class Service(NamedTuple):
    """`own` holds the arguments of a command that is our own program, empty for any other; whoever
    starts it adds --config."""

    name: str
    command: str
    dir: Path
    own: tuple[str, ...] = ()


class Config(NamedTuple):
    """`path` is the file's real path; `agents` has every pool at the size that the file gives it."""

    path: Path
    watchdog: Watchdog
    defaults: Defaults
    pit: PitSettings
    script: ScriptSettings
    anthropic: MessagesSettings
    events: EventSettings
    backends: Mapping[str, Backend]
    agents: tuple[Agent, ...]
    pools: tuple[Pool, ...]
    services: tuple[Service, ...]
    notes: tuple[str, ...] = ()

    @property
    def root(self) -> Path:
        return self.path.parent

    @property
    def log_dir(self) -> Path:
        return self.defaults.log_dir

    @property
    def state_dir(self) -> Path:
        return self.defaults.log_dir / "state"

    @property
    def pit_dir(self) -> Path:
        return self.pit.path

    @property
    def socket(self) -> str:
        """The name for `tmux -L`; by default one that belongs to this file's path alone."""
        if self.defaults.tmux_socket:
            return self.defaults.tmux_socket
        from hashlib import sha256

        return f"snakepit-{sha256(os.fsencode(self.path)).hexdigest()[:6]}"

    def session_name(self, name: "str | Agent | Service") -> str:
        return self.defaults.session_prefix + (name if isinstance(name, str) else name.name)

    def backend_of(self, agent: Agent) -> Backend:
        return self.backends[agent.backend]

    def is_driven(self, agent: Agent) -> bool:
        """Whether our own worker sits in its pane, not the program."""
        return self.runner_of(agent) != PROGRAM

    def runner_of(self, agent: Agent) -> str:
        """What runs its tasks: "script", "conversation", "task" (the program, once for each task), or
        "program", which is interactive and takes them by itself."""
        runner = self.backends[agent.backend].runner
        return TASK if runner == PROGRAM and agent.kind == TASK else runner

    def agent(self, name: str) -> Agent | None:
        return next((agent for agent in self.agents if agent.name == name), None)

    def pool(self, name: str) -> Pool | None:
        return next((pool for pool in self.pools if pool.name == name), None)

    def fleet(self, scale: Mapping[str, int]) -> tuple[Agent, ...]:
        """All agents with each pool at its scaled size; pools come last."""
        single = [agent for agent in self.agents if agent.pool is None]
        members = [
            pool.member(number)
            for pool in self.pools
            for number in range(1, scale.get(pool.name, pool.size) + 1)
        ]
        return (*single, *members)

    def member_of(self, name: str) -> Agent | None:
        """The agent of this name, also a pool's member beyond the size the file gives it."""
        found = self.agent(name)
        head, _, number = name.rpartition("-")
        if found is None and number.isdecimal() and str(int(number)) == number and number != "0":
            pool = self.pool(head)
            return pool.member(int(number)) if pool else None
        return found
