"""Owns a run of our own agent in tests: against the stand-in, without a pit, with time and chance in hand."""

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from snakepit import clock
from snakepit.agents.anthropic.asking import Asker, World
from snakepit.agents.anthropic.client import Client
from snakepit.agents.anthropic.files import Files
from snakepit.agents.anthropic.loop import Work
from snakepit.agents.anthropic.pane import Pane
from snakepit.agents.anthropic.reports import Reports
from snakepit.agents.anthropic.settings import Settings
from snakepit.agents.anthropic.shell import Shell
from snakepit.agents.anthropic.toolbox import (
    Given,
    Tool,
    Toolbox,
    ToolResult,
    own_tools,
    shape,
    text,
)
from snakepit.agents.anthropic.transcript import NAME, Transcript
from snakepit.agents.anthropic.waiting import Watch
from snakepit.agents.anthropic.window import Window
from snakepit.core.conversation import Ending
from snakepit.core.outcome import Outcome
from snakepit.core.usage import Usage
from snakepit.pool.tree import RunTree
from snakepit.session.masking import MaskingStream

NOW = 1_800_000_000.0
FAST = Settings(retries=3, request_timeout=5.0)


class Quiet:
    """An attention that wants nothing, until a test says a word."""

    def __init__(self) -> None:
        self.word = ""

    def descriptors(self) -> Sequence[int]:
        return ()

    def look(self) -> str:
        return self.word


class Screen:
    def __init__(self) -> None:
        self.data = b""

    def write(self, data: bytes) -> None:
        self.data += data

    @property
    def text(self) -> str:
        return self.data.decode()


@dataclass
class Scene:
    """Everything that a test may look at or change before `run`."""

    folder: Path
    url: str
    model: str = "claude-standin"
    settings: Settings = field(default_factory=Settings)
    limit: int = 200_000
    system: str = "You work."
    screen: Screen = field(default_factory=Screen)
    attention: Quiet = field(default_factory=Quiet)
    pauses: list[float] = field(default_factory=list)
    events: list[tuple[str, dict[str, object]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)
    secrets: tuple[str, ...] = ()
    price: Callable[[Usage], float | None] = lambda _: None
    extra: list[Tool] = field(default_factory=list)
    transcript_class: type[Transcript] = Transcript
    client_class: type[Client] = Client
    earlier: Path | None = None
    now: float = NOW

    def run(self, prompt: str = "Do the task.") -> Outcome:
        self.folder.mkdir(exist_ok=True)
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        commands = self.folder / f"commands-{os.getpid()}-{len(os.listdir(self.folder))}"
        commands.mkdir()
        watch = Watch(self.attention)
        tree = RunTree("none", is_subreaper=True)
        shell = Shell(
            cwd=work,
            env={"PATH": os.environ["PATH"]},
            folder=commands,
            watch=watch,
            end_rest=tree.end,
        )
        self.transcript = self.transcript_class(self.folder / NAME, earlier=self.earlier)
        if not self.transcript.conversation.session:
            self.transcript.add("begin", session="s1", text_hash="h", model=self.model)
        client = self.client_class(
            base_url=self.url,
            api_key="sk-ant-api03-test",
            timeout_s=self.settings.request_timeout,
        )
        try:
            return self._work(client, watch, shell, Files(work)).run(prompt)
        finally:
            shell.close()
            self.transcript.close()
            client.close()

    def told(self, kind: str) -> list[dict[str, object]]:
        return [data for name, data in self.events if name == kind]

    def _tell(self, kind: str, /, **data: object) -> None:
        self.events.append((kind, data))

    def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds

    def _typed(self) -> list[str]:
        found, self.lines = self.lines, []
        return found

    def _lost(self, used: Usage) -> None:
        if used.tokens:
            self.transcript.add("lost", usage=used.to_json())

    def _mask(self, said: str) -> str:
        for value in self.secrets:
            said = said.replace(value, "[redacted]")
        return said

    def _work(self, client: Client, watch: Watch, shell: Shell, files: Files) -> Work:
        own = own_tools(shell, files, command_timeout=self.settings.command_timeout)
        toolbox = Toolbox([*own, *self.extra, *ends()])
        pane = Pane(self.screen, MaskingStream(self.secrets))
        world = World(
            now=lambda: self.now,
            pause=self._pause,
            spread=lambda: 0.0,
            zone_of=clock.zone,
            price=self.price,
        )
        asker = Asker(
            client=client,
            settings=self.settings,
            model=self.model,
            system=self.system,
            tools=toolbox.definitions(),
            watch=watch,
            pane=pane,
            tell=self._tell,
            lost=self._lost,
            world=world,
            cache=self.settings.cache,
        )
        window = Window(
            asker=asker,
            transcript=self.transcript,
            limit=self.limit,
            compact_at=self.settings.compact_at,
        )
        reports = Reports(
            tell=self._tell,
            model=self.model,
            client=client,
            toolbox=toolbox,
            transcript=self.transcript,
            pane=pane,
            watch=watch,
            limit=self.limit,
            price=self.price,
        )
        return Work(
            asker=asker,
            window=window,
            toolbox=toolbox,
            transcript=self.transcript,
            settings=self.settings,
            pane=pane,
            reports=reports,
            is_held=lambda: True,
            typed=self._typed,
            mask=self._mask,
        )


def ends() -> list[Tool]:
    def done(given: Given) -> ToolResult:
        return ToolResult("over", ending=Ending("done", given["result"]))

    def fail(given: Given) -> ToolResult:
        return ToolResult("over", ending=Ending("fail", given["reason"]))

    return [
        Tool(
            "done",
            "End it.",
            shape("result", result=text("What came out.")),
            done,
            is_pure=True,
            ends=True,
        ),
        Tool(
            "fail", "Give up.", shape("reason", reason=text("Why.")), fail, is_pure=True, ends=True
        ),
    ]
