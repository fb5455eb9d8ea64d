"""Owns trying one installed agent program on a scratch session, and the card of what it can do here.

It calls the program's model a few times. The session runs on a tmux server of its own, in a scratch folder,
and is ended with all that it started; nothing of the fleet is touched.
"""

import re
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from secrets import token_hex
from typing import TYPE_CHECKING, NamedTuple, TypedDict

from snakepit import clock
from snakepit.agents.launchplan import plan as launch_plan
from snakepit.agents.taskplan import Asked
from snakepit.agents.taskplan import plan as task_plan
from snakepit.config.model import PROGRAM
from snakepit.core.stream import fold
from snakepit.errors import SessionError, UsageProblem
from snakepit.pool.catalog import ask_versions, card_path, standing
from snakepit.pool.environment import session_environment
from snakepit.pool.statefile import write_state
from snakepit.pool.tree import end_tree
from snakepit.session import launchfile
from snakepit.session.base import Host

if TYPE_CHECKING:
    from snakepit.config.model import Agent, Backend, Config
    from snakepit.config.program import TaskRun

NAME = "probe"
LOOK_S = 0.2
START_S = 60.0
TURN_S = 120.0
RUN_S = 180.0
LEAVE_S = 20.0
SECOND_S = 3.0
ROWS = 20  # at the bottom of the screen, where the state is
STEPS = 8  # presses of Down until a label must have been reached
CHOICE = re.compile(r"^\W*(?:\d+\.\s*)?(.*?)[\s│]*$")
MARGIN = re.compile(r"^[\s│]*")
PONG = "Answer with the one word {word}. Use no tools."
LINES = "Answer with the one word {word}.\n\nUse no tools.\n\t'quotes' \"too\", $HOME and `ticks`."
LONG = PONG + "\n" + "x " * 2000


class Check(NamedTuple):
    """`found`: True, False, or None where it was not tried."""

    name: str
    found: bool | None
    said: str = ""


class Card(TypedDict):
    """What a probe found; `checks`: name: [found, said]."""

    backend: str
    version: str
    standing: str
    at: str
    checks: dict[str, list[bool | str | None]]


@dataclass(slots=True, kw_only=True)
class Probe:
    """One probe. `host` is a server of its own; `tell` hears of each check as it ends."""

    config: "Config"
    backend: "Backend"
    agent: "Agent"
    host: Host
    environ: Mapping[str, str]
    folder: Path
    tell: Callable[[Check], None]
    checks: list[Check] = field(default_factory=list)
    pause: threading.Event = field(default_factory=threading.Event)

    def run(self) -> "Card":
        """All checks; the card is kept in state/backends/."""
        version = ask_versions([self.backend], self.environ).get(self.backend.name, "")
        place = standing(version, self.backend.seen)
        self._note("version", bool(version), f"{version or 'not told'}, {place}")
        try:
            self._interactive()
        except SessionError as error:
            self._note("session", False, str(error))
        finally:
            self._end()
        self._per_task()
        card: Card = {
            "backend": self.backend.name,
            "version": version,
            "standing": place,
            "at": clock.stamp(),
            "checks": {one.name: [one.found, one.said] for one in self.checks},
        }
        write_state(card_path(self.config, self.backend.name), dict(card))
        return card

    def _note(self, name: str, found: bool | None, said: str = "") -> bool:
        check = Check(name, found, said)
        self.checks.append(check)
        self.tell(check)
        return bool(found)

    def _interactive(self) -> None:
        screen = self.backend.screen
        if not (screen.ready and self.backend.start.prompt):
            self._note("start", None, "no interactive use is known")
            return
        begun = clock.monotonic()
        self._start()
        is_ready = self._settle(START_S)
        said = f"{clock.monotonic() - begun:.1f} s" if is_ready else self._last()
        if not self._note("start to ready", is_ready, said):
            return
        for name, text in (("short", PONG), ("lines", LINES), ("long", LONG)):
            self._note(f"{name} prompt", *self._turn(text))
        self._note("interrupt", *self._interrupt())
        self._note("leave", *self._leave())

    def _env(self, more: Mapping[str, str]) -> dict[str, str]:
        names = (*self.backend.env_pass, *self.agent.env_pass)
        own = {**more, **self.agent.env}
        return session_environment(self.environ, own=own, names=names)

    def _start(self) -> None:
        made = launch_plan(
            self.backend,
            self.agent,
            session=NAME,
            kickoff="",
            fresh_id=str(uuid.uuid4()),
        )
        env = self._env(self.backend.start.env)
        path = launchfile.write(self.folder / "launch", NAME, made.argv, env, self._cwd)
        self.host.start(NAME, launchfile.pane_command(path), cwd=self._cwd)

    @property
    def _cwd(self) -> Path:
        folder = self.folder / "work"
        folder.mkdir(exist_ok=True)
        return folder

    def _screen(self) -> str:
        return "\n".join(self.host.capture(NAME, 60).rstrip().splitlines()[-ROWS:])

    def _last(self) -> str:
        lines = [line.strip() for line in self._screen().splitlines() if line.strip()]
        return " / ".join(lines[-3:])[:200]

    def _is_alive(self) -> bool:
        return any(pane.session == NAME and not pane.dead for pane in self.host.panes())

    def _is_idle(self, shown: str) -> bool:
        screen = self.backend.screen
        return _finds(screen.ready, shown) and not (
            _finds(screen.working, shown) or _finds(screen.confirm, shown)
        )

    def _wait(self, seconds: float, until: Callable[[], bool]) -> bool:
        deadline = clock.monotonic() + seconds
        while not until():
            if clock.monotonic() > deadline or not self._is_alive():
                return False
            self.pause.wait(LOOK_S)
        return True

    def _settle(self, seconds: float) -> bool:
        """Until it is idle on two looks; dialogs on the way are answered as the config allows."""
        looks = 0

        def is_settled() -> bool:
            nonlocal looks
            shown = self._screen()
            if self._answer(shown):
                looks = 0
                return False
            looks = looks + 1 if self._is_idle(shown) else 0
            return looks > 1

        return self._wait(seconds, is_settled)

    def _answer(self, shown: str) -> bool:
        allowed = {"nothing", "permissions", "api_key"}
        if self.agent.trust_workspace:
            allowed.add("trust_workspace")
        for dialog in self.backend.dialogs:
            if not all(re.search(pattern, shown) for pattern in dialog.match):
                continue
            if dialog.needs not in allowed:
                msg = f"it asks: {dialog.says or dialog.name}"
                raise SessionError(msg, fix=f"the config has to allow {dialog.needs}")
            if dialog.key:
                self.host.send_key(NAME, dialog.key)
            elif dialog.choose and self._choose(dialog.mark, dialog.choose):
                self.host.send_key(NAME, self.backend.submit_key)
            self.pause.wait(self.backend.typing.gap_s)
            return True
        return False

    def _choose(self, mark: str, label: str) -> bool:
        for _ in range(STEPS):
            rows = [MARGIN.sub("", row) for row in self._screen().splitlines()]
            chosen = [CHOICE.sub(r"\1", row) for row in rows if row.startswith(mark)]
            if chosen and re.fullmatch(label, chosen[-1]):
                return True
            self.host.send_key(NAME, "Down")
            self.pause.wait(self.backend.typing.gap_s)
        return False

    def _type(self, text: str) -> None:
        self.host.send_text(NAME, text)
        self.pause.wait(max(self.backend.typing.gap_s, LOOK_S))
        self.host.send_key(NAME, self.backend.submit_key)

    def _turn(self, text: str) -> tuple[bool, str]:
        """A word that nobody knew before, alone on a row: the prompt arrived and was answered."""
        word = f"pong-{token_hex(2)}"
        answer = re.compile(rf"^\W*{word}\W*$", re.MULTILINE)
        begun = clock.monotonic()
        self._type(text.replace("{word}", word))
        again = "" if self._wait(SECOND_S, self._is_taken) else self._submit_again()
        if not self._wait(TURN_S, lambda: bool(answer.search(self.host.capture(NAME, 60)))):
            return False, f"no answer: {self._last()}"
        took = f"{clock.monotonic() - begun:.1f} s"
        took += again
        return (True, took) if self._settle(TURN_S) else (False, self._last())

    def _is_taken(self) -> bool:
        shown = self._screen()
        return _finds(self.backend.screen.working, shown) or not self._typed(shown)

    def _typed(self, shown: str) -> str:
        """What stands in the composer and was not sent, as far as its table can tell."""
        screen = self.backend.screen
        rows = re.findall(screen.composer, shown, re.MULTILINE) if screen.composer else []
        typed = str(rows[-1]).strip() if rows else ""
        return "" if screen.hint and re.search(screen.hint, typed) else typed

    def _submit_again(self) -> str:
        """A program that has just started may lose the first key; never on a question of its own."""
        if _finds(self.backend.screen.confirm, self._screen()):
            return ""
        self.host.send_key(NAME, self.backend.submit_key)
        return ", submitted twice"

    def _interrupt(self) -> tuple[bool, str]:
        self._type("Count slowly from 1 to 500, one number a line. Use no tools.")
        if not self._wait(LEAVE_S, lambda: _finds(self.backend.screen.working, self._screen())):
            return False, "it was not seen at work"
        for key in self.backend.typing.interrupt:
            self.host.send_key(NAME, key)
            self.pause.wait(LOOK_S)
        return self._settle(LEAVE_S), self._last()

    def _leave(self) -> tuple[bool, str]:
        for key in self.backend.typing.clear:
            self.host.send_key(NAME, key)  # an interrupted prompt may be back in the composer
        for word in self.backend.typing.leave:
            if word.startswith("/"):
                self._type(word)
            else:
                self.host.send_key(NAME, word)
        gone = self._wait_gone()
        return gone, "" if gone else self._last()

    def _wait_gone(self) -> bool:
        deadline = clock.monotonic() + LEAVE_S
        while self._is_alive() and clock.monotonic() < deadline:
            self.pause.wait(LOOK_S)
        return not self._is_alive()

    def _end(self) -> None:
        """Its process first: some ignore the end of their session."""
        try:
            end_tree(pane.pid for pane in self.host.panes() if pane.session == NAME)
        finally:
            self.host.kill_server()

    def _per_task(self) -> None:
        run = self.backend.task
        if run is None:
            self._note("run per task", None, "it has none")
            return
        given = str(uuid.uuid4()) if run.is_fresh_id else ""
        found = self._once(run, given, resumes=False)
        if found and run.resume:
            self._once(run, found, resumes=True)
        elif found:
            self._note("run resumed", None, "it has no conversations")

    def _once(self, run: "TaskRun", session_id: str, *, resumes: bool) -> str:
        """One run; the id of its conversation, "-" where it has none, "" where it failed."""
        file = self.folder / "prompt.md"
        prompt = PONG.replace("{word}", "pong")
        file.write_text(prompt, encoding="utf-8")
        asked = Asked(
            prompt=prompt,
            prompt_file=file,
            folder=self.folder,
            model=self.agent.model,
            session_id=session_id,
            resumes=resumes,
        )
        made = task_plan(self.backend.bin, run, asked)
        reader = fold(run.stream, form=run.format)
        name = "run resumed" if resumes else "run per task"
        with open(made.stdin or "/dev/null", "rb") as source:
            try:
                done = subprocess.run(
                    made.argv,
                    stdin=source,
                    capture_output=True,
                    cwd=self._cwd,
                    env=self._env(made.env),
                    timeout=RUN_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                self._note(name, False, str(error)[:200])
                return ""
        for line in done.stdout.splitlines(keepends=True):
            reader.feed(line)
        ended = reader.outcome(
            done.returncode,
            done.stderr.decode("utf-8", "replace"),
            trouble=self.backend.trouble,
            now=clock.wall(),
            zone_of=clock.zone,
        )
        said = f"{ended.usage.tokens} tokens" if ended.is_ok else f"{ended.kind}: {ended.reason}"
        is_fine = self._note(name, ended.is_ok and bool(ended.text), said[:200])
        return (ended.session_id or session_id or "-") if is_fine else ""


def _finds(pattern: str, shown: str) -> bool:
    return bool(pattern) and re.search(pattern, shown, re.MULTILINE) is not None


def probe(
    config: "Config",
    backend: "Backend",
    environ: Mapping[str, str],
    *,
    tell: Callable[[Check], None],
) -> "Card":
    """Try it with the agent that uses it, else with one that has the defaults."""
    from snakepit.session.tmux import TmuxHost

    if backend.runner != PROGRAM:
        msg = f"{backend.name} is no program: there is nothing to try"
        raise UsageProblem(msg, fix="agents.py backends lists programs")
    folder = config.state_dir / "probe" / token_hex(4)
    folder.mkdir(mode=0o700, parents=True)
    made = Probe(
        config=config,
        backend=backend,
        agent=next(_agents(config, backend)),
        host=TmuxHost(f"snakepit-probe-{token_hex(4)}", environ=environ),
        environ=environ,
        folder=folder,
        tell=tell,
    )
    return made.run()


def _agents(config: "Config", backend: "Backend") -> "Iterator[Agent]":
    from snakepit.config.loader import parse

    yield from (agent for agent in config.agents if agent.backend == backend.name)
    text = f'[[agent]]\nname = "{NAME}"\nbackend = "demo"\n'
    made = parse(text, config.path, environ={}, flags={}).config
    if made is not None:
        trust = config.defaults.trust_workspace
        yield made.agents[0]._replace(backend=backend.name, trust_workspace=trust)
