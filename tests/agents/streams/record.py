"""Owns the recordings in this folder: `python -m tests.agents.streams.record [NAME[/KIND]…]` makes them
anew.

`NAME/KIND.jsonl` is what the real program printed against the stand-in (`.txt` where it prints no
JSON); `NAME/KIND.exit.json` is how it ended: exit status (null: still trying when it was stopped),
standard error, seconds, model calls.
"""

import json
import shutil
import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from snakepit import clock
from tests.standin.presets import PRESETS
from tests.standin.server import Standin
from tests.standin.steps import Given, say, shell
from tests.support import clis
from tests.support.programs import clis_folder, is_present

HERE = Path(__file__).parent
PROMPT = "What is the answer? Say it in one line."
PATIENCE = 100.0  # seconds
KINDS = ("ok", "401", "429", "500", "529", "quota", "usage", "context", "404")
OAUTH = ("429_5h", "429_7d", "429_7d_opus")  # as a subscription's account
TEXT = ("aider",)


def scripted(kind: str, *, toolless: bool) -> list[Given]:
    if kind != "ok":
        return [PRESETS[kind].but(retry_s=1)]
    answer = say("The answer is forty-two.")
    return [answer] if toolless else [shell("echo tool ran; echo it did > ran.txt"), answer]


def record(standin: Standin, name: str, kind: str) -> str:
    base = Path(tempfile.mkdtemp(prefix="standin-", dir="/var/tmp"))
    space = standin.space(f"{name}-{kind}")
    cli = clis.prepare(name, base / "home", base / "project", standin.url(space.name))
    space.side = "main" if cli.toolless else "canned"
    space.then(*scripted(kind, toolless=cli.toolless))
    env = dict(cli.env)
    if name.startswith("claude"):
        env["CLAUDE_CODE_MAX_RETRIES"] = "2"
        if kind in OAUTH or kind == "usage":
            del env["ANTHROPIC_API_KEY"]
            env["CLAUDE_CODE_OAUTH_TOKEN"] = "sk-ant-oat01-" + "standin" * 8
    began = clock.monotonic()
    process = subprocess.Popen(
        cli.argv(PROMPT),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        cwd=cli.cwd,
        env=env,
        text=True,
        start_new_session=True,
    )
    status: int | None
    try:
        out, err = process.communicate(timeout=PATIENCE)
        status = process.returncode
    except subprocess.TimeoutExpired:
        clis.end_group(process.pid, signal.SIGKILL)
        out, err = process.communicate()
        status = None
    ended = {
        "exit_status": status,
        "seconds": round(clock.monotonic() - began, 1),
        "calls": space.calls,
        "stderr": plain(err, base),
    }
    place = HERE / name
    place.mkdir(exist_ok=True)
    suffix = ".txt" if name in TEXT else ".jsonl"
    (place / f"{kind}{suffix}").write_text(plain(out, base), encoding="utf-8")
    (place / f"{kind}.exit.json").write_text(json.dumps(ended, indent=1) + "\n", encoding="utf-8")
    shutil.rmtree(base, ignore_errors=True)
    return f"{name} {kind}: exit {status}, {space.calls} calls, {len(out)} bytes"


def plain(text: str, base: Path) -> str:
    """Without what is different in every run's folder."""
    text = text.replace(str(clis_folder().resolve()), "/usr/lib/clis")
    return text.replace(base.as_posix(), "/home/standin").replace(base.name, "standin")


def choose(word: str) -> list[tuple[str, str]]:
    name, _, kind = word.partition("/")
    if not is_present(name):
        return []
    kinds = (*KINDS, *OAUTH) if name.startswith("claude") else KINDS
    return [(name, one) for one in kinds if kind in ("", one)]


def main() -> None:
    wanted = [chosen for word in sys.argv[1:] or clis.HOMES for chosen in choose(word)]
    standin = Standin()
    with ThreadPoolExecutor(2) as pool:
        for line in pool.map(lambda one: record(standin, *one), wanted):
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    standin.close()


if __name__ == "__main__":
    main()
