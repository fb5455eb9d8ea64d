"""Owns real agent programs in a fleet for tests: the product's own `up`, their own HOME, the stand-in.

The stand-in's request log is the witness: what a program was told is what its model was asked.
"""

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.standin.fixture import Vendor
from tests.support import clis
from tests.support.fleets import Fleet, fleet_of

SESSION = "snakepit-snake-1"


class RealFleet(Fleet):
    """A fleet with one interactive program, snake-1."""

    cli: clis.Cli

    def screen(self, lines: int = 60) -> str:
        return self.host.capture(SESSION, lines)

    def program_pid(self) -> int:
        """The program itself: a life's pid becomes the program's."""
        lives = self.lives()
        return lives["snake-1"].pid if "snake-1" in lives else 0

    def conversations(self) -> list[Path]:
        """Claude Code's own records, one for each session id, oldest first."""
        found = (self.cli.home / ".claude" / "projects").glob("*/*.jsonl")
        return sorted(found, key=lambda path: path.stat().st_mtime_ns)

    def story(self, vendor: Vendor) -> str:
        """For a test that failed: what is on the screen and what the stand-in was asked."""
        asked = "".join(f"{json.dumps(one.to_json())[:1500]}\n" for one in vendor.space.asked[-20:])
        return f"{self.screen()}\n--- asked:\n{asked}"

    def note_conversation(self, session_id: str) -> None:
        """As a healer notes what the next start shall go on with."""
        path = self.config.state_dir / "resume" / "snake-1"
        path.parent.mkdir(exist_ok=True)
        path.write_text(session_id + "\n", encoding="utf-8")


MODEL = {
    "gemini": "gemini-2.5-flash",
    "aider": "openai/gpt-standin",
}  # the others read theirs in their own config


@contextmanager
def real_fleet(
    base: Path,
    vendor: Vendor,
    *,
    prompt: str,
    program: str = "claude",
    kind: str = "persistent",
    accepted: bool = True,
    env: Mapping[str, str] | None = None,
    feed: str = "self",
    flags: str | None = None,
    defaults: str = "",
    more: str = "",
) -> Iterator[RealFleet]:
    """`up` is the test's to call. `more` may end with further agents of the same backend.

    Not `accepted`: Claude's HOME is empty, as at its first start.
    """
    folder = base / "project"
    cli = clis.prepare(program, base / "home", folder, vendor.url)
    if not accepted:
        for path in (cli.home / ".claude.json", cli.home / ".claude" / "settings.json"):
            path.unlink()
    environ = {**cli.env, **(env or {})}
    backend = program.partition("-")[0]
    text = "\n".join(
        (
            "[defaults]",
            'tmux_socket = "{socket}"',
            defaults,
            f"[backend.{backend}]",
            f"bin = {json.dumps(cli.program)}",
            "" if flags is None else f"flags = {json.dumps(flags)}",
            f"env_pass = {json.dumps(sorted(set(environ) - set(clis.plain_env(base))))}",
            "[[agent]]",
            'name = "snake-1"',
            f'backend = "{backend}"',
            f'kind = "{kind}"',
            f'feed = "{feed}"' if kind == "persistent" else "",
            f"model = {json.dumps(MODEL.get(backend, ''))}",
            f"prompt = {json.dumps(prompt)}",
            more,
        )
    )
    with fleet_of(RealFleet, folder, text, environ=environ) as made:
        made.cli = cli
        try:
            yield made
        except BaseException:
            sys.stdout.write(made.story(vendor))
            raise
