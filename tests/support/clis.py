"""Owns the homes of the real agent programs in tests: a HOME of its own, dummy keys, loopback only.

Nothing of this machine's environment reaches them, and no proxy of a kind lets them out.
"""

import contextlib
import json
import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from tests.support.programs import clis_folder

KEY = "sk-ant-api03-" + "standin" * 8
OPENAI_KEY = "sk-dummy-standin-0000"
NOWHERE = "http://127.0.0.1:9"  # discard: refused at once


@dataclass(frozen=True, slots=True, kw_only=True)
class Cli:
    """A program ready to be run in `cwd`; `answer` asks for one structured answer to a prompt."""

    name: str
    program: str
    home: Path
    cwd: Path
    env: Mapping[str, str]
    args: tuple[str, ...] = ()
    stdin: bool = False  # the prompt goes to stdin, not to the end of the arguments
    toolless: bool = False  # its requests carry no tools

    def argv(self, prompt: str) -> list[str]:
        return [self.program, *self.args, *([] if self.stdin else [prompt])]

    def run(
        self, prompt: str, *more: str, seconds: float = 90
    ) -> "subprocess.CompletedProcess[str]":
        argv = self.argv(prompt)
        argv[1 + len(self.args) : 1 + len(self.args)] = more
        return subprocess.run(
            argv,
            input=prompt if self.stdin else "",
            cwd=self.cwd,
            env=dict(self.env),
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def lines(self, output: str) -> list[dict[str, object]]:
        """The lines of JSON in its output."""
        return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


@dataclass(frozen=True, slots=True)
class _Home:
    """What a program finds when it starts."""

    env: dict[str, str] = field(default_factory=dict)
    args: tuple[str, ...] = ()
    stdin: bool = False
    toolless: bool = False


def plain_env(home: Path) -> dict[str, str]:
    """What every program gets, and nothing else."""
    return {
        "PATH": f"{clis_folder() / 'bin'}:{os.environ.get('PATH', os.defpath)}",
        "HOME": str(home),
        "TMPDIR": str(home / "tmp"),
        "USER": "standin",
        "SHELL": "/bin/bash",
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "HTTP_PROXY": NOWHERE,
        "HTTPS_PROXY": NOWHERE,
        "NO_PROXY": "127.0.0.1,localhost",
    }


def prepare(name: str, home: Path, cwd: Path, url: str) -> Cli:
    """Write what the program reads at its start; `url` is the base of the test's stand-in."""
    (home / "tmp").mkdir(parents=True, exist_ok=True)
    cwd.mkdir(parents=True, exist_ok=True)
    made = HOMES[name.partition("-")[0]](home, cwd, url)
    return Cli(
        name=name,
        program=str(clis_folder() / "bin" / name),
        home=home,
        cwd=cwd,
        env={**plain_env(home), **made.env},
        args=made.args,
        stdin=made.stdin,
        toolless=made.toolless,
    )


def claude_env(url: str) -> dict[str, str]:
    env = {
        "ANTHROPIC_API_KEY": KEY,
        "ANTHROPIC_BASE_URL": url,
        "DISABLE_AUTOUPDATER": "1",
        "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    }
    return {**env, "IS_SANDBOX": "1"} if os.geteuid() == 0 else env


def accept_claude(home: Path, cwd: Path) -> None:
    """Everything that a person would have accepted at the first start."""
    state = {
        "hasCompletedOnboarding": True,
        "lastOnboardingVersion": "2.1.329",
        "theme": "dark",
        "customApiKeyResponses": {"approved": [KEY[-20:]], "rejected": []},
        "projects": {str(cwd): {"hasTrustDialogAccepted": True}},
    }
    _json(home / ".claude.json", state)
    _json(home / ".claude" / "settings.json", {"skipDangerousModePermissionPrompt": True})


def _claude(home: Path, cwd: Path, url: str) -> _Home:
    accept_claude(home, cwd)
    args = ("-p", "--output-format", "stream-json", "--verbose", "--dangerously-skip-permissions")
    return _Home(claude_env(url), args)


def _codex(home: Path, cwd: Path, url: str) -> _Home:
    config = f"""\
model = "gpt-standin"
model_provider = "standin"
check_for_update_on_startup = false

[model_providers.standin]
name = "standin"
base_url = "{url}/v1"
env_key = "OPENAI_API_KEY"
wire_api = "responses"

[features]
daemon_auto_start = false

[projects."{cwd}"]
trust_level = "trusted"
"""
    _text(home / ".codex" / "config.toml", config)
    args = ("exec", "--json", "--dangerously-bypass-approvals-and-sandbox", "--skip-git-repo-check")
    return _Home({"OPENAI_API_KEY": OPENAI_KEY}, args)


def _opencode(home: Path, cwd: Path, url: str) -> _Home:
    provider = {
        "npm": "@ai-sdk/openai-compatible",
        "name": "standin",
        "options": {"baseURL": f"{url}/v1", "apiKey": OPENAI_KEY},
        "models": {
            "gpt-standin": {"name": "standin", "limit": {"context": 128000, "output": 9000}}
        },
    }
    config = {
        "model": "standin/gpt-standin",
        "small_model": "standin/gpt-standin",
        "provider": {"standin": provider},
        "autoupdate": False,
        "share": "disabled",
    }
    _json(home / ".config" / "opencode" / "opencode.json", config)
    env = {
        "OPENCODE_DISABLE_AUTOUPDATE": "1",
        "OPENCODE_DISABLE_MODELS_FETCH": "1",
        "OPENCODE_DISABLE_LSP_DOWNLOAD": "1",
        "OPENCODE_DISABLE_DEFAULT_PLUGINS": "1",
    }
    return _Home(env, ("run", "--format", "json", "--auto"))


def _gemini(home: Path, cwd: Path, url: str) -> _Home:
    settings = {
        "security": {"auth": {"selectedType": "gemini-api-key"}},
        "general": {"disableAutoUpdate": True, "disableUpdateNag": True},
        "privacy": {"usageStatisticsEnabled": False},
        "telemetry": {"enabled": False},
    }
    _json(home / ".gemini" / "settings.json", settings)
    env = {
        "GEMINI_API_KEY": "AIza-standin",
        "GOOGLE_GEMINI_BASE_URL": url,
        "NO_UPDATE_NOTIFIER": "1",
    }
    args = ("-m", "gemini-2.5-flash", "--yolo", "--skip-trust", "-o", "stream-json", "-p")
    return _Home(env, args)


def _qwen(home: Path, cwd: Path, url: str) -> _Home:
    settings = {"security": {"auth": {"selectedType": "openai"}}}
    _json(home / ".qwen" / "settings.json", settings)
    env = {
        "OPENAI_API_KEY": OPENAI_KEY,
        "OPENAI_BASE_URL": f"{url}/v1",
        "OPENAI_MODEL": "gpt-standin",
        "HTTP_PROXY": "",  # it goes through it to loopback too
        "HTTPS_PROXY": "",
    }
    return _Home(env, ("--yolo", "-o", "stream-json", "-p"))


def _pi(home: Path, cwd: Path, url: str) -> _Home:
    model = {"id": "gpt-standin", "name": "standin", "contextWindow": 128000, "maxTokens": 9000}
    provider = {
        "baseUrl": f"{url}/v1",
        "apiKey": "OPENAI_API_KEY",
        "api": "openai-completions",
        "models": [model],
    }
    _json(home / ".pi" / "agent" / "models.json", {"providers": {"standin": provider}})
    env = {"OPENAI_API_KEY": OPENAI_KEY, "PI_OFFLINE": "1", "PI_TELEMETRY": "0"}
    args = ("--offline", "--provider", "standin", "--model", "gpt-standin", "--mode", "json", "-p")
    return _Home(env, args)


def _aider(home: Path, cwd: Path, url: str) -> _Home:
    args = (
        *("--model", "openai/gpt-standin", "--yes-always", "--no-check-update", "--no-gitignore"),
        *("--no-show-model-warnings", "--no-show-release-notes", "--analytics-disable"),
        *("--no-suggest-shell-commands", "--no-fancy-input", "--no-git", "--no-stream", "-m"),
    )
    env = {
        "OPENAI_API_BASE": f"{url}/v1",
        "OPENAI_API_KEY": OPENAI_KEY,
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",  # else it asks the network for prices
    }
    return _Home(env, args, toolless=True)


HOMES: dict[str, Callable[[Path, Path, str], _Home]] = {
    "claude": _claude,
    "codex": _codex,
    "opencode": _opencode,
    "gemini": _gemini,
    "qwen": _qwen,
    "pi": _pi,
    "aider": _aider,
}


def end_group(leader: int, number: int) -> None:
    """Signal a program that was started in a session of its own, with all below it."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(leader, number)


def _json(path: Path, content: Mapping[str, object]) -> None:
    _text(path, json.dumps(content))


def _text(path: Path, content: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content, encoding="utf-8")
